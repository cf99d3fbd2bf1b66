/** Alerts of figures, from a real hub on a real Redis: they fire once, and are over once. */
import { createClient } from 'redis'
import { silent } from '../../server/src/observe/log.js'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { SECRET, token } from '../harness/token.js'
import { openRaw } from '../path/rawRedis.js'

const FAST: Partial<Settings> = { vitalsMs: 100, workerMs: 1000, leaseMs: 1000, leaseRenewMs: 300, partitions: 1, familyRates: '*=100000', messageRate: 10_000, messageBurst: 10_000 }
const SERVICE = token({ sub: 'engine', role: 'service' })
const MEBIBYTE = 1024 * 1024

const running: RunningHub[] = []
let redis: RedisProcess
let told: Sink
beforeEach(async () => {
  redis = await startRedis({ args: ['--save', '', '--appendonly', 'no', '--maxmemory', '64mb', '--maxmemory-policy', 'noeviction'] })
})
afterEach(async () => {
  told?.close()
  await Promise.all(running.splice(0).map((one) => one.close()))
  await redis.stop()
})

async function hub(settings: Partial<Settings> = {}): Promise<RunningHub> {
  const started = await startHub({ log: silent, settings: settingsWith({ port: 0, jwtSecret: SECRET, redisUrl: redis.url, ...FAST, ...settings }) })
  running.push(started)
  return started
}

async function listen({ url }: RunningHub): Promise<void> {
  told = await stockClient(url, { token: token({ role: 'viewer' }), topics: ['system'], since: 'all' })
}

type Data = Record<string, unknown> & { alert?: string; status?: string; value?: number }

const alerts = (name: string) => told.events.filter(({ type }) => type === 'system.alert').map(({ event }) => event.data as Data).filter(({ alert }) => alert === name)
const states = (name: string) => alerts(name).map(({ status }) => status)
const becomes = (name: string, ...wanted: string[]) => eventually(() => states(name).join() === wanted.join(), `${name} to be ${wanted.join()}; it is ${states(name).join()}`, 20_000)

test('a processor that falls behind: told once while it is, and once when it caught up', async () => {
  const worker = await hub({ role: 'worker', alertLag: 50 })
  await listen(worker)
  const events = Array.from({ length: 200 }, (_, n) => ({ type: 'task.progress', data: { taskId: 't', progress: n % 100 } }))
  expect((await ask(`${worker.url}/api/v1/events?ack=accepted`, { as: SERVICE, json: events })).status).toBeLessThan(300)
  const operator = token({ sub: 'root', projects: ['*'] })
  const standing = async () => ((await ask(`${worker.url}/api/v1/overview`, { as: operator })).body['overview'] as { alerts: Data[] }).alerts
  await eventually(async () => (await standing()).length === 2, 'the lag, and nobody who holds the partition, to be alerts', 20_000)
  // Told already, to a source stream that nobody reads: they count as entries behind, too.
  expect(new Set((await standing()).map(({ alert }) => alert))).toEqual(new Set(['partition-unowned', 'processor-lag']))
  await hub({ role: 'processor', alertLag: 50 })
  await becomes('processor-lag', 'firing', 'resolved')
  await becomes('partition-unowned', 'firing', 'resolved')
  expect(alerts('processor-lag')[0]).toMatchObject({ severity: 'warning', component: 'partition:0', limit: 50, unit: 'entries', since: expect.stringMatching(/Z$/), message: expect.stringContaining('partition 0') })
  expect(alerts('processor-lag')[0]!.value).toBeGreaterThanOrEqual(200)
  expect(told.events.map(({ event }) => event.metadata.source)).toEqual(told.events.map(() => '/hub'))
}, 60_000)

test('dead letters: every one is counted, in few alerts, and those of all projects alike', async () => {
  const one = await hub({ alertDeadMs: 1500 })
  await listen(one)
  const raw = await openRaw(redis.url)
  const bury = (count: number) => Promise.all(Array.from({ length: count }, (_, n) => raw.add(0, 'workflows', { event: `nonsense ${n}` })))
  const sum = () => alerts('dead-letters').reduce((total, { value = 0 }) => total + value, 0)
  try {
    await bury(3)
    await eventually(() => sum() === 3, 'three letters')
    for (let round = 0; round < 5; round++) await bury(2)
    await eventually(() => sum() === 13, `thirteen letters; there are ${sum()}`)
    expect(states('dead-letters').length).toBeLessThanOrEqual(4)
    expect(alerts('dead-letters')[0]).toMatchObject({ status: 'firing', severity: 'warning', unit: 'letters' })
    expect(JSON.stringify(alerts('dead-letters'))).not.toContain('nonsense')
  } finally {
    raw.close()
  }
}, 60_000)

test('Redis that fills: told once above its share of maxmemory, and once when there is room again', async () => {
  const one = await hub({ alertMemory: 60 })
  await listen(one)
  const client = createClient({ url: redis.url })
  await client.connect()
  try {
    // Not in one piece: while it comes in, it counts twice.
    const ballast = Array.from({ length: 9 }, (_, n) => `ballast:${n}`)
    for (const key of ballast) await client.set(key, 'x'.repeat(5 * MEBIBYTE))
    await becomes('store-memory', 'firing')
    expect(alerts('store-memory')[0]).toMatchObject({ severity: 'critical', component: 'store', limit: 60, unit: '%' })
    await client.del(ballast)
    await becomes('store-memory', 'firing', 'resolved')
  } finally {
    client.destroy()
  }
}, 60_000)

test('refusals above their limit', async () => {
  const one = await hub({ alertRefusals: 5 })
  await listen(one)
  const bad = Array.from({ length: 100 }, () => ({ type: 'no.such' }))
  await ask(`${one.url}/api/v1/events`, { as: SERVICE, json: bad })
  await becomes('error-rate', 'firing')
  // The rate is of ten seconds.
  await becomes('error-rate', 'firing', 'resolved')
}, 60_000)

test('a sink that is paused: a notice that says how many, and not which, for it may be another project\'s', async () => {
  const one = await hub({ sinkHttp: 'allow', sinkPrivate: 'allow', sinkTries: 1, sinkTimeoutMs: 500 })
  await listen(one)
  const as = token({ sub: 'engine', role: 'service', project: 'secret-project' })
  const nobody = `http://127.0.0.1:${await freePort()}/`
  const notices = () => told.events.filter(({ type }) => type === 'system.notification').map(({ event }) => event.data as Data)
  for (const [at, expected] of ['1 outgoing webhook is paused.', '2 outgoing webhooks are paused.'].entries()) {
    expect((await ask(`${one.url}/api/v1/sinks`, { as, json: { id: `secret-sink-${at}`, url: nobody, topics: ['task:*'] } })).status).toBe(201)
    expect((await ask(`${one.url}/api/v1/events`, { as, json: { type: 'task.progress', data: { taskId: 't', progress: at } } })).body.ok).toBe(true)
    await eventually(() => notices().at(-1)?.['message'] === expected, expected, 20_000)
  }
  expect(notices()).toHaveLength(2)
  expect(JSON.stringify(told.events)).not.toContain('secret')
}, 60_000)

test('HUBBUB_SYSTEM_PROJECT=none: the overview knows, and nobody is told', async () => {
  const one = await hub({ systemProject: 'none', alertRefusals: 5 })
  await listen(one)
  await ask(`${one.url}/api/v1/events`, { as: SERVICE, json: Array.from({ length: 100 }, () => ({ type: 'no.such' })) })
  const operator = token({ sub: 'root', projects: ['*'] })
  await eventually(async () => ((await ask(`${one.url}/api/v1/overview`, { as: operator })).body['overview'] as { alerts: Data[] }).alerts.some(({ alert }) => alert === 'error-rate'), 'the alert to stand')
  const history = await ask(`${one.url}/api/v1/history?topics=system&since=all`, { as: operator })
  expect(history.body['events']).toEqual([])
}, 60_000)
