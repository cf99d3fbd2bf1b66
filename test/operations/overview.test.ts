/** The overview of one hub in memory, of hubs that share a Redis, and what it costs when fifty ask. */
import type { Overview } from '@hubbub/protocol'
import { createClient } from 'redis'
import { silent } from '../../server/src/observe/log.js'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { SECRET, token } from '../harness/token.js'

const OPERATOR = token({ sub: 'root', projects: ['*'] })
const SERVICE = token({ sub: 'engine', role: 'service' })
const FAST: Partial<Settings> = { vitalsMs: 150, workerMs: 1500, familyRates: '*=100000', messageRate: 10_000, messageBurst: 10_000 }

const running: RunningHub[] = []
let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
  await raw((client) => client.flushAll())
})
afterAll(() => redis.stop())

async function hub(settings: Partial<Settings> = {}): Promise<RunningHub> {
  const started = await startHub({ log: silent, settings: settingsWith({ port: 0, jwtSecret: SECRET, ...FAST, ...settings }) })
  running.push(started)
  return started
}

const dial = () => createClient({ url: redis.url })

async function raw<T>(use: (client: ReturnType<typeof dial>) => Promise<T>): Promise<T> {
  const client = dial()
  await client.connect()
  return use(client).finally(() => client.destroy())
}

async function overviewOf(url: string): Promise<Overview> {
  const { status, body } = await ask(`${url}/api/v1/overview`, { as: OPERATOR })
  expect([status, body.ok]).toEqual([200, true])
  return body['overview'] as Overview
}

/** Until it is as it should be: what is shown is up to two seconds old. */
async function overviewWhen(url: string, holds: (overview: Overview) => boolean, what: string): Promise<Overview> {
  return eventually(async () => {
    const overview = await overviewOf(url)
    return holds(overview) && overview
  }, what, 15_000, 100)
}

async function publish(url: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({ type: 'task.progress', data: { taskId: `t${n % 5}`, progress: n % 100 } }))
  expect((await ask(`${url}/api/v1/events`, { as: SERVICE, json: events })).status).toBe(200)
}

test('one hub in memory: itself, its partitions, connections, rates, latencies and refusals', async () => {
  const { url } = await hub({ partitions: 2 })
  const sink = await stockClient(url, { token: token({ role: 'viewer' }), topics: ['task:*'] })
  const idle = await stockClient(url, { token: token({ role: 'viewer' }), client: { transports: ['polling'] } })
  await publish(url, 300)
  await sink.holds(300)
  expect((await ask(`${url}/api/v1/events`, { as: SERVICE, json: { type: 'no.such' } })).status).toBe(400)
  const overview = await overviewWhen(url, ({ rates, errors }) => rates.delivered > 0 && errors.length > 0, 'the events to show')
  expect(overview.processes).toHaveLength(1)
  const [self] = overview.processes
  expect(self).toMatchObject({ role: 'all', status: 'up', partitions: [0, 1], version: expect.stringMatching(/^\d/), connections: overview.connections, rates: overview.rates, latency: overview.latency })
  expect(self!.memoryBytes).toBeGreaterThan(10_000_000)
  expect(self!.loopDelayMs).toBeGreaterThanOrEqual(0)
  expect(overview.partitions).toEqual([0, 1].map((partition) => ({ partition, owner: self!.id, lag: 0, deadLetters: 0 })))
  expect(overview.connections).toEqual({ open: 2, active: 1, byTransport: { websocket: 1, polling: 1 }, subscriptions: 1, catchingUp: 0, slow: 0 })
  const { accepted, committed, delivered, refused } = overview.rates
  expect([accepted, committed, delivered]).toEqual([accepted, accepted, accepted])
  expect(refused).toBeGreaterThan(0)
  for (const { p50, p95, p99 } of [overview.latency.commit, overview.latency.delivery]) {
    expect(p50).toBeGreaterThan(0)
    expect(p99).toBeGreaterThanOrEqual(p95!)
    expect(p95).toBeGreaterThanOrEqual(p50!)
    expect(p99).toBeLessThan(5000)
  }
  expect(overview.errors).toEqual([{ code: 'UNKNOWN_TYPE', count: 1, lastAt: expect.stringMatching(/Z$/) }])
  expect(overview.store).toEqual({ kind: 'memory', pingMs: expect.any(Number) })
  expect([overview.alerts, overview.deadLetters, overview.sinks, overview.knownAt]).toEqual([[], 0, { active: 0, paused: 0 }, undefined])
  sink.close()
  idle.close()
})

test('is for admins of every project: not for a viewer, a service, or an admin of one project', async () => {
  const { url } = await hub()
  for (const role of ['viewer', 'agent', 'service', 'admin'] as const) {
    const { status, body } = await ask(`${url}/api/v1/overview`, { as: token({ sub: 'x', role }) })
    expect([role, status, body.error?.code, body.error?.details]).toEqual([role, 403, 'INSUFFICIENT_PERMISSIONS', { needed: 'admin of every project' }])
  }
  for (const role of ['viewer', 'service'] as const) expect((await ask(`${url}/api/v1/overview`, { as: token({ role, projects: ['*'] }) })).body.error?.code).toBe('INSUFFICIENT_PERMISSIONS')
})

test('two hubs and a Redis: the sums are of both, and what each says is told apart', async () => {
  const [a, b] = [await hub({ redisUrl: redis.url, partitions: 2 }), await hub({ redisUrl: redis.url, partitions: 2 })]
  const sinks = await Promise.all([a, b].map(({ url }) => stockClient(url, { token: token({ role: 'viewer' }), topics: ['task:*'] })))
  await overviewWhen(a.url, ({ processes }) => processes.length === 2, 'both to report')
  const begun = performance.now()
  const total = 1000
  for (let at = 0; at < total; at += 200) await publish((at % 400 ? a : b).url, 200)
  for (const sink of sinks) await sink.holds(total)
  const overview = await overviewWhen(b.url, ({ processes }) => processes.every(({ rates }) => rates.delivered > 0), 'both to deliver')
  const seconds = (performance.now() - begun) / 1000
  // Over ten seconds at most, and at least over one: so it is never more than all of it in a second.
  expect(overview.rates.accepted).toBeGreaterThan(total / Math.max(10, seconds + 5))
  expect(overview.rates.accepted).toBeLessThanOrEqual(total * 1.01)
  expect(overview.rates.delivered).toBeGreaterThan(1.3 * overview.rates.committed)
  expect(overview.connections).toMatchObject({ open: 2, active: 2, subscriptions: 2 })
  expect(overview.processes.map(({ connections }) => connections.open)).toEqual([1, 1])
  expect(overview.partitions.map(({ owner }) => owner).every((owner) => overview.processes.some(({ id }) => id === owner))).toBe(true)
  expect(overview.latency.commit.p50).toBeGreaterThan(0)
  expect(overview.store).toMatchObject({ kind: 'redis', pingMs: expect.any(Number), version: expect.stringMatching(/^\d+\./), memoryBytes: expect.any(Number), clients: expect.any(Number) })
  for (const sink of sinks) sink.close()
})

test('fifty who ask all the time cost the store one look a second', async () => {
  const { url } = await hub({ redisUrl: redis.url, partitions: 4, vitalsMs: 60_000, workerMs: 600_000 })
  await overviewOf(url)
  const commands = () => raw(async (client) => new Map([...(await client.info('commandstats')).matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)].map(([, name, calls]) => [name!, Number(calls)])))
  const before = await commands()
  const begun = performance.now()
  let asked = 0
  while (performance.now() - begun < 3000) {
    await Promise.all(Array.from({ length: 50 }, () => overviewOf(url)))
    asked += 50
  }
  const looks = Math.ceil((performance.now() - begun) / 1000) + 1
  const after = await commands()
  const calls = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  expect(asked).toBeGreaterThan(20 * looks)
  // A look: a ping, the reports, and a script a partition; INFO at most every other one. XINFO stands in that script alone.
  expect(calls('xinfo|stream')).toBeGreaterThan(0)
  expect(calls('xinfo|stream')).toBeLessThanOrEqual(4 * looks)
  expect(calls('ping')).toBeLessThanOrEqual(looks + 10)
  expect(calls('info')).toBeLessThanOrEqual(looks / 2 + 2)
})

test('with Redis out of reach it is what was known last, marked so, and whoever says nothing for long is silent', async () => {
  const own = await startRedis()
  try {
    const [a, b] = [await hub({ redisUrl: own.url }), await hub({ redisUrl: own.url })]
    const known = await overviewWhen(a.url, ({ processes, partitions }) => processes.length === 2 && partitions.every(({ owner }) => owner !== null), 'both to report')
    await own.kill('SIGSTOP')
    const away = await overviewWhen(a.url, ({ store, processes }) => store.pingMs === null && processes.some(({ status }) => status === 'silent'), 'the other one to be silent')
    expect(away.knownAt! >= known.at && away.knownAt! < away.at).toBe(true)
    expect(away.partitions).toEqual(known.partitions)
    expect(away.store).toEqual({ kind: 'redis', pingMs: null })
    const silentOne = away.processes.find(({ status }) => status === 'silent')
    expect([away.processes.length, silentOne!.partitions]).toEqual([2, []])
    await own.kill('SIGCONT')
    const back = await overviewWhen(b.url, ({ store, processes }) => store.pingMs !== null && processes.every(({ status }) => status === 'up'), 'both to be back')
    expect(back.knownAt).toBeUndefined()
    await Promise.all(running.splice(0).map((one) => one.close()))
  } finally {
    await own.kill('SIGCONT')
    await own.stop()
  }
}, 60_000)
