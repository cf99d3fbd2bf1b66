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
import { startRedis, type RedisProcess } from '../harness/redis.js'
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

let redis: RedisProcess
let cluster: Cluster
let inspector: Inspector
let sink: Sink
let counter = 0
const acked = new Map<string, string>()

beforeAll(async () => {
  redis = await startRedis({ args: ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'] })
  cluster = await startCluster({ workers: 1, processors: 1, partitions: 2, env: ENV, redis })
  inspector = await inspect(redis.url)
  sink = await stockClient(cluster.workers[0]!.url, { token: SERVICE, topics: ['task:*'] })
}, 60_000)
afterAll(async () => {
  inspector?.close()
  await cluster?.stop('kill')
  await redis?.stop()
})

interface Told {
  id: string
  code: string
  /** It found the queue full: refused before it was held. */
  isCrowdedOut: boolean
}

/** In one request, so that all of them come at the same moment. */
async function publish(ids: string[]): Promise<Told[]> {
  const inputs: EventInput[] = ids.map((id) => ({ id, type: 'task.progress', data: { taskId: 't', progress: 1 } }))
  const { body } = await ask(`${cluster.workers[0]!.url}/api/v1/events`, { as: SERVICE, json: inputs })
  return (body['results'] as Answer<PublishResult>[]).map((answer, at) => {
    if (answer.ok) acked.set(answer.id, answer.offset!)
    return { id: ids[at]!, code: answer.ok ? 'ok' : answer.error.code, isCrowdedOut: !answer.ok && answer.error.details?.['setting'] === 'HUBBUB_PUBLISH_QUEUE' }
  })
}

const newIds = (count: number) => Array.from({ length: count }, () => `e-${++counter}`)

async function isReady(): Promise<boolean> {
  return (await fetch(`${cluster.workers[0]!.url}/health/ready`)).status === 200
}

/** The length of the fault, not a wait for something. */
function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test.each([
  ['frozen', () => redis.kill('SIGSTOP'), () => redis.kill('SIGCONT')],
  ['gone', () => redis.kill('SIGKILL'), () => redis.restart()],
])('Redis %s for ten seconds', async (_, begin, end) => {
  expect((await publish(newIds(50))).map(({ code }) => code)).toEqual(Array(50).fill('ok'))
  await begin()
  const over = lasting(OUTAGE_MS)
  const begun = performance.now()
  const told = await publish(newIds(3 * QUEUE))
  expect(performance.now() - begun).toBeLessThan(ANSWERED_MS)
  const held = told.filter(({ isCrowdedOut }) => !isCrowdedOut)
  expect(held.length).toBeGreaterThan(QUEUE / 4)
  expect(held.length).toBeLessThanOrEqual(QUEUE)
  expect(new Set(told.map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN']))

  const unready = await ask(`${cluster.workers[0]!.url}/health/ready`)
  expect(unready.body.error).toMatchObject({ code: 'UNAVAILABLE', details: { reasons: ['store'] } })
  expect((await fetch(`${cluster.workers[0]!.url}/health/live`)).status).toBe(200)
  await over
  await end()
  await eventually(isReady, 'readiness', 20_000)

  // Asked again by its id, each has one outcome; none is lost, none stands twice.
  await eventually(async () => {
    const open = told.filter(({ id }) => !acked.has(id)).slice(0, QUEUE / 2)
    if (open.length > 0) await publish(open.map(({ id }) => id))
    return open.length === 0
  }, 'every event being taken', 20_000)
  const journal = await inspector.journal(PARTITION)
  const offsets = new Map(journal.map(({ id, offset }) => [id, offset]))
  expect([...acked].filter(([id, offset]) => offsets.get(id) !== offset)).toEqual([])
  expect(journal).toHaveLength(acked.size)
  await sink.holds(journal.length)
  expect(problems(sink.receipts(), journal.map(({ id }) => id))).toEqual([])
  expect(sink.gaps).toEqual([])
}, 60_000)
