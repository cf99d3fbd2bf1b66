/**
 * Redis away for about ten seconds, frozen or gone, under a flood: every publish is answered by its deadline with what is known of it,
 * no more is held than HUBBUB_PUBLISH_QUEUE lets in, readiness says so and comes back, and nothing acknowledged is lost or doubled.
 */
import { partitionOf, type Answer, type EventInput, type PublishResult } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { inspect, type Inspector } from '../harness/inspector.js'
import { startRedis } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const QUEUE = 200
const TIMEOUT_MS = 4000
/** A call that Redis does not answer is given up after 5 s; an append that is tried then is the last. And the machine may be busy. */
const ANSWERED_MS = TIMEOUT_MS + 5000 + 6000
const OUTAGE_MS = 10_000
const ENV = {
  HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_CONNECTION_EVENTS: 'none', HUBBUB_SYSTEM_PROJECT: 'none',
  HUBBUB_PUBLISH_QUEUE: String(QUEUE), HUBBUB_PUBLISH_TIMEOUT_MS: String(TIMEOUT_MS), HUBBUB_ACK_LOOKUP_MS: '500', HUBBUB_LEASE_MS: '4000', HUBBUB_LEASE_RENEW_MS: '1000',
}
const PARTITION = partitionOf('default', 2)
const SERVICE = token({ sub: 'engine', role: 'service' })

let cluster: Cluster
let inspector: Inspector
let sink: Sink
let counter = 0
const acked = new Map<string, string>()

beforeAll(async () => {
  const redis = await startRedis({ args: ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'] })
  cluster = await startCluster({ workers: 1, processors: 1, partitions: 2, env: ENV, redis })
  inspector = await inspect(redis.url)
  sink = await stockClient(cluster.workers[0]!.url, { token: SERVICE, topics: ['task:*'] })
}, 60_000)
afterAll(async () => {
  inspector.close()
  await cluster.stop('kill')
  await cluster.redis.stop()
})

interface Told {
  id: string
  code: string
  ms: number
}

/** Each in a request of its own, all at once. */
function flood(count: number): Promise<Told[]> {
  return Promise.all(Array.from({ length: count }, () => publish({ id: `e-${++counter}`, type: 'task.progress', data: { taskId: 't', progress: 1 } })))
}

async function publish(input: EventInput): Promise<Told> {
  const begun = performance.now()
  const { body } = await ask(`${cluster.workers[0]!.url}/api/v1/events`, { as: SERVICE, json: input })
  const answer = body as unknown as Answer<PublishResult>
  if (answer.ok) acked.set(answer.id, answer.offset!)
  return { id: input.id!, code: answer.ok ? 'ok' : answer.error.code, ms: performance.now() - begun }
}

async function isReady(): Promise<boolean> {
  return (await fetch(`${cluster.workers[0]!.url}/health/ready`)).status === 200
}

/** The length of the fault, not a wait for something. */
function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test.each([
  ['frozen', () => cluster.redis.kill('SIGSTOP'), () => cluster.redis.kill('SIGCONT')],
  ['gone', () => cluster.redis.kill('SIGKILL'), () => cluster.redis.restart()],
])('Redis %s for ten seconds', async (_, begin, end) => {
  for (const { code } of await flood(50)) expect(code).toBe('ok')
  await begin()
  const over = lasting(OUTAGE_MS)
  const told = await flood(3 * QUEUE)
  expect(Math.max(...told.map(({ ms }) => ms))).toBeLessThan(ANSWERED_MS)

  // Held: some of the queue. All others were refused at once, for nobody has the memory for everything.
  const codes = (code: string) => told.filter((one) => one.code === code)
  expect(codes('UNAVAILABLE').length + codes('OUTCOME_UNKNOWN').length + codes('ok').length).toBe(told.length)
  const atOnce = codes('UNAVAILABLE').filter(({ ms }) => ms < TIMEOUT_MS - 500).length
  expect(told.length - atOnce).toBeLessThanOrEqual(QUEUE)
  expect(codes('OUTCOME_UNKNOWN').length).toBeGreaterThan(0)

  const unready = await ask(`${cluster.workers[0]!.url}/health/ready`)
  expect(unready.body.error).toMatchObject({ code: 'UNAVAILABLE', details: { reasons: ['store'] } })
  expect((await fetch(`${cluster.workers[0]!.url}/health/live`)).status).toBe(200)
  await over
  await end()
  await eventually(isReady, 'readiness', 20_000)

  // Asked again by its id, each has one outcome; none is lost, none stands twice.
  await eventually(async () => {
    const again = told.filter(({ id }) => !acked.has(id)).slice(0, 100)
    await Promise.all(again.map(({ id }) => publish({ id, type: 'task.progress', data: { taskId: 't', progress: 1 } })))
    return again.length === 0
  }, 'every event being taken', 20_000)
  const journal = await inspector.journal(PARTITION)
  const offsets = new Map(journal.map(({ id, offset }) => [id, offset]))
  expect([...acked].filter(([id, offset]) => offsets.get(id) !== offset)).toEqual([])
  expect(journal).toHaveLength(acked.size)
  await sink.holds(journal.length)
  expect(problems(sink.receipts(), journal.map(({ id }) => id))).toEqual([])
  expect(sink.gaps).toEqual([])
}, 60_000)
