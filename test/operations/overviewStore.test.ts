/** The overview and the watch on a store that allows less than all, holds what nobody here wrote, or hangs. */
import type { Overview } from '@hubbub/protocol'
import { createClient } from 'redis'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { openStation } from '../../server/src/operations/alerts/open.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { SECRET, token } from '../harness/token.js'

const OPERATOR = token({ sub: 'root', projects: ['*'] })
const NOTES = 'hubbub:{vitals}:notes'

let redis: RedisProcess
let admin: ReturnType<typeof dial>
let hub: RunningHub | undefined
const dial = () => createClient({ url: redis.url })
beforeEach(async () => {
  redis = await startRedis()
  admin = dial()
  await admin.on('error', () => {}).connect()
})
afterEach(async () => {
  await hub?.close()
  hub = undefined
  admin.destroy()
  await redis.stop()
})

async function start(settings: Partial<Settings> = {}): Promise<void> {
  hub = await startHub({ log: silent, settings: settingsWith({ port: 0, jwtSecret: SECRET, redisUrl: redis.url, partitions: 2, vitalsMs: 100, workerMs: 900, leaseMs: 1000, leaseRenewMs: 300, ...settings }) })
}

async function overviewWhen(holds: (overview: Overview) => unknown, what: string): Promise<Overview> {
  return eventually(async () => {
    const { status, body } = await ask(`${hub!.url}/api/v1/overview`, { as: OPERATOR })
    const overview = body['overview'] as Overview
    return status === 200 && holds(overview) ? overview : undefined
  }, what, 15_000, 100)
}

test('where the hub\'s user may not ask INFO, all is known but what INFO says, and alerts are told', async () => {
  await admin.sendCommand(['ACL', 'SETUSER', 'hub', 'on', '>secret', '~*', '&*', '+@all', '-@dangerous'])
  await start({ redisUrl: redis.url.replace('redis://', 'redis://hub:secret@'), role: 'worker' })
  const { store, processes } = await overviewWhen(({ alerts }) => alerts?.some(({ alert }) => alert === 'partition-unowned'), 'partitions without a processor to be an alert')
  expect([store, processes.length]).toEqual([{ kind: 'redis', pingMs: expect.any(Number) as number }, 1])
})

test('notes that nobody here wrote are left out: the overview is shown, and the watch goes on', async () => {
  const bad = ['{', 'null', '[]', '"x"', '{}', JSON.stringify({ alert: 'store-memory', status: 'firing', message: 'x', since: 9e15 }), JSON.stringify({ status: 'firing', since: 1 })]
  for (const [place, text] of bad.entries()) await admin.hSet(NOTES, `alert bad ${place}`, text)
  for (const name of ['tally dead-letters', 'tally sinks-paused', 'tally store-unreachable', 'alert partition-unowned']) await admin.hSet(NOTES, name, 'no JSON')
  await start({ role: 'worker' })
  const { alerts } = await overviewWhen((overview) => overview.alerts?.length, 'an alert')
  expect(alerts!.map(({ alert }) => alert)).toEqual(['partition-unowned'])
})

/** What a process does without a hub around it. `heard`: signals to whoever is connected to it. */
async function station(settings: Partial<Settings> = {}) {
  const own = settingsWith({ redisUrl: redis.url, vitalsMs: 100, workerMs: 900, ...settings })
  const store = await openStore(storeOptions(own))
  const heard: string[] = []
  const opened = openStation({
    id: `of ${own.systemProject}`, store, settings: own, log: silent, metrics: createMetrics(), intake: { deliver: () => Promise.resolve() }, signalHere: (_rooms, { name }) => void heard.push(name),
    connections: () => ({ active: 0, subscriptions: 0, catchingUp: 0 }), partitions: () => [], process: { node: 'a', role: 'worker', version: '1', startedAt: Date.now() },
  })
  opened.start()
  await eventually(async () => (await admin.zScore('hubbub:{vitals}:seen', `of ${own.systemProject}`)) !== null, 'its first report')
  return { heard, close: () => opened.close(200), store }
}

test('it ends within its time while the store hangs', async () => {
  const { close, store } = await station()
  await redis.kill('SIGSTOP')
  const before = performance.now()
  await close()
  expect(performance.now() - before).toBeLessThan(3000)
  await redis.kill('SIGCONT')
  await store.close()
})

test('a store that is away is told to nobody where the hub is not to speak, though a project be called `none`', async () => {
  const stations = [await station({ systemProject: 'none' }), await station()]
  await redis.kill('SIGKILL')
  await eventually(() => stations[1]!.heard.length > 0, 'the other one to tell', 20_000)
  expect(stations.map(({ heard }) => heard)).toEqual([[], ['system.alert']])
  await Promise.all(stations.map(async ({ close, store }) => close().then(() => store.close())))
}, 40_000)
