/**
 * Redis without room, in memory and on disk: publishes are refused at once with a code that says so, nothing acknowledged is lost, what
 * waits for its commit waits, everything that is no event goes on, and with room again so does the rest, by itself.
 */
import { partitionOf, type Answer, type EventInput, type PublishResult } from '@hubbub/protocol'
import { createClient } from 'redis'
import { ask } from '../harness/ask.js'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { inspect, type Inspector } from '../harness/inspector.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const ENV = {
  HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_CONNECTION_EVENTS: 'none', HUBBUB_SYSTEM_PROJECT: 'none',
  HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500', HUBBUB_WORKER_MS: '2000', HUBBUB_PUBLISH_TIMEOUT_MS: '2000',
}
const PARTITIONS = 2
const PARTITION = partitionOf('default', PARTITIONS)
const SERVICE = token({ sub: 'engine', role: 'service' })
const NOTE = 'x'.repeat(2000)

let redis: RedisProcess
let cluster: Cluster
let inspector: Inspector
let sink: Sink
let acked: Map<string, string>
let counter = 0

async function begin(redisArgs?: { args: string[]; fileBytes: number }): Promise<void> {
  acked = new Map()
  redis = await startRedis(redisArgs)
  cluster = await startCluster({ workers: 2, processors: 1, partitions: PARTITIONS, env: ENV, redis })
  inspector = await inspect(redis.url)
  sink = await stockClient(cluster.workers[1]!.url, { token: SERVICE, topics: ['task:*'] })
}

function events(count: number): EventInput[] {
  return Array.from({ length: count }, () => ({ id: `e-${++counter}`, type: 'task.progress', data: { taskId: 't', progress: 1, note: NOTE, seq: counter } }))
}

/** By HTTP to the first worker; codes of those that were refused. */
async function publish(inputs: EventInput[], ack = 'committed'): Promise<string[]> {
  const told = await ask(`${cluster.workers[0]!.url}/api/v1/events?ack=${ack}`, { as: SERVICE, json: inputs })
  return ((told.body['results'] ?? []) as Answer<PublishResult>[]).flatMap((answer) => {
    if (!answer.ok) return [answer.error.code]
    if (answer.offset !== undefined) acked.set(answer.id, answer.offset)
    return []
  })
}

/** Until Redis takes no more; ids of what was not acknowledged. */
async function flood(): Promise<{ refused: EventInput[]; codes: Set<string> }> {
  const codes = new Set<string>()
  const refused: EventInput[] = []
  while (!codes.has('STORE_FULL')) {
    const inputs = events(50)
    for (const code of await publish(inputs)) codes.add(code)
    refused.push(...inputs.filter(({ id }) => !acked.has(id!)))
  }
  return { refused, codes }
}

async function command(...args: string[]): Promise<unknown> {
  const client = await createClient({ url: redis.url }).connect()
  try {
    return await client.sendCommand<unknown>(args)
  } finally {
    client.destroy()
  }
}

/** What is acknowledged stands in the journal, under the offset that was told, and reached the subscriber, each once and in order. */
async function nothingIsLost(): Promise<void> {
  const journal = await inspector.journal(PARTITION)
  const offsets = new Map(journal.map(({ id, offset }) => [id, offset]))
  expect([...acked].filter(([id, offset]) => offsets.get(id) !== offset)).toEqual([])
  await sink.holds(journal.length)
  expect(problems(sink.receipts(), journal.map(({ id }) => id))).toEqual([])
  expect(sink.gaps).toEqual([])
}

/** Whatever was refused or came to no answer is published again until it stands, as a producer does. */
async function publishAgain(inputs: EventInput[]): Promise<void> {
  await eventually(async () => {
    await publish(inputs.filter(({ id }) => !acked.has(id!)))
    return inputs.every(({ id }) => acked.has(id!))
  }, 'the refused events being taken', 20_000)
}

async function end(): Promise<void> {
  inspector?.close()
  await cluster?.stop('kill')
  await redis.stop()
}

test('a Redis that evicts: no hub starts, and says why in one line', async () => {
  redis = await startRedis({ args: ['--save', '', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] })
  const failed = await startHub({ redis: redis.url, env: { HUBBUB_LOG_LEVEL: 'silent' } }).then(() => 'it started', (error: Error) => error.message)
  await redis.stop()
  const said = failed.replace(/^the hub did not start: .*\n/, '').trim()
  expect(said.split('\n')).toEqual([expect.stringMatching(/^hubbub: REDIS_URL: .*'allkeys-lru'.*CONFIG SET maxmemory-policy noeviction.*redis\.conf$/)])
}, 30_000)

describe('Redis without room:', () => {
  afterEach(end)

  test('full memory', async () => {
    await begin()
    const used = Number(/^used_memory:(\d+)/m.exec(String(await command('INFO', 'memory')))![1])
    await command('CONFIG', 'SET', 'maxmemory', String(used + 4_000_000))
    const { refused, codes } = await flood()
    expect(acked.size).toBeGreaterThan(100)
    expect([...codes].filter((code) => code !== 'STORE_FULL' && code !== 'OUTCOME_UNKNOWN')).toEqual([])

    const one = await eventually(async () => {
      const told = await ask(`${cluster.workers[0]!.url}/api/v1/events`, { as: SERVICE, json: { type: 'task.progress', data: { taskId: 't', progress: 1 } } })
      return told.body.error?.code === 'STORE_FULL' && told
    }, 'a refusal')
    expect(one).toMatchObject({ status: 503, body: { error: { retryable: true, details: { retryAfterMs: expect.any(Number) as unknown } } } })
    expect(one.headers.get('retry-after')).toBe('1')

    // Nothing is held for later: a flood is answered as it comes.
    const begun = Date.now()
    const answers = await Promise.all(Array.from({ length: 20 }, () => publish(events(100))))
    expect(answers.flat().filter((code) => code === 'STORE_FULL').length).toBeGreaterThan(1900)
    expect(Date.now() - begun).toBeLessThan(10_000)

    // Longer than leases and workers live: everybody is still there, and whoever comes now is let in.
    const owner = await inspector.owner(PARTITION)
    const [near, far] = await Promise.all(cluster.workers.map(({ url }) => stockClient(url, { token: SERVICE, topics: ['task:room'] })))
    await eventually(async () => {
      await near!.socket.emitWithAck('signal', { topic: 'task:room', name: 'hello' })
      return far!.signals.length > 0
    }, 'a signal')
    for (const { url } of [...cluster.workers, ...cluster.processors]) expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    await cluster.processors[0]!.kill('SIGKILL')
    await cluster.addProcessor()
    await eventually(async () => ![null, owner].includes(await inspector.owner(PARTITION)), 'a new owner')
    for (const { url } of cluster.workers) expect((await ask(`${url}/api/v1/history?topics=task:t&since=all`, { as: SERVICE })).status).toBe(200)

    await command('CONFIG', 'SET', 'maxmemory', '0')
    await publishAgain([...refused, ...events(50)])
    await nothingIsLost()
  }, 60_000)

  test('what was taken and not committed before the memory was full is committed when there is room', async () => {
    await begin()
    await cluster.processors[0]!.kill('SIGSTOP')
    expect(await publish(events(100), 'accepted')).toEqual([])
    await command('CONFIG', 'SET', 'maxmemory', '1')
    await cluster.processors[0]!.kill('SIGCONT')
    await eventually(() => /the store failed a batch|StoreFull/.test(cluster.processors[0]!.stderr() + cluster.processors[0]!.stdout()), 'a refused commit')
    expect(await inspector.journal(PARTITION)).toEqual([])
    await command('CONFIG', 'SET', 'maxmemory', '0')
    await sink.holds(100)
    await nothingIsLost()
  }, 60_000)

  test('a full disk', async () => {
    await begin({ args: ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'], fileBytes: 2_000_000 })
    const { refused } = await flood()
    expect(acked.size).toBeGreaterThan(100)
    // Redis answers no PING then: whoever balances sends nobody else here.
    await eventually(async () => (await ask(`${cluster.workers[0]!.url}/health/ready`)).body.error?.details?.['reasons'], 'unreadiness')
    // Longer than the lease, which nobody can renew now.
    await eventually(async () => (await inspector.owner(PARTITION)) === null, 'the end of the lease')
    expect(new Set(await publish(events(50)))).toEqual(new Set(['STORE_FULL']))

    await redis.limitFiles('unlimited')
    await publishAgain([...refused, ...events(50)])
    await eventually(async () => (await fetch(`${cluster.workers[0]!.url}/health/ready`)).status === 200, 'readiness')
    await nothingIsLost()
    // And in what stands on the disk.
    await redis.kill('SIGKILL')
    await redis.restart()
    await eventually(async () => (await fetch(`${cluster.workers[0]!.url}/health/ready`)).status === 200, 'readiness', 20_000)
    await nothingIsLost()
  }, 60_000)
})
