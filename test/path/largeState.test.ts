/**
 * A large state costs only whoever asks for it: of 100,000 tasks a snapshot of one pipeline reads that pipeline's, exactly as many as
 * on a hub that has no others, and a processor that takes the partition over reads the work that is not finished. Counted in Redis.
 */
import type { EntityView, HubEvent, Kind, Pipeline, SnapshotResult, SubscribeResult, Task } from '@hubbub/protocol'
import { createClient } from 'redis'
import { indexTerms } from '../../server/src/processor/state/terms.js'
import { placeOf, type EntityWrite } from '../../server/src/store/entities.js'
import { openStore } from '../../server/src/store/open.js'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { tap, type Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { appendOf, DEFAULTS, Owner } from '../store/fixture.js'
import { named } from '../store/state-fixture.js'

const TASKS = 100_000
const PIPELINES = 200
const OF_EACH = TASKS / PIPELINES
const UNFINISHED = TASKS / 100
const IN_COMMIT = 2500
const BEGIN = Date.parse('2026-01-01T00:00:00.000Z')
/** The quiet worker: what is counted is not mixed with beats and polls. Finished tasks stay, however many. */
const ENV = { HUBBUB_WORKER_MS: '600000', HUBBUB_REVOCATION_POLL_MS: '60000', HUBBUB_FINISHED_COUNT: '1000000', HUBBUB_LOG_LEVEL: 'warn' }

interface Laden {
  cluster: Cluster
  redis: Awaited<ReturnType<typeof connectTo>>
}

let large: Laden
let small: Laden
beforeAll(async () => {
  large = await laden(Array.from({ length: PIPELINES }, (_, n) => n))
  small = await laden([7])
}, 180_000)
afterAll(async () => {
  for (const { cluster, redis } of [large, small].filter((hub) => hub !== undefined)) {
    redis.destroy()
    await cluster.stop('kill')
  }
}, 60_000)

const isOpen = (n: number) => Math.floor(n / PIPELINES) % 100 === 0
const tasksOf = (pipeline: number) => Array.from({ length: OF_EACH }, (_, at) => at * PIPELINES + pipeline)
const P7 = ['pipeline p7', ...tasksOf(7).map((n) => `task ${named(n)}`)]
const names = (entities: readonly EntityView[]) => entities.map(({ kind, id }) => `${kind} ${id}`)

/** A worker without a processor, whose Redis holds these pipelines and their tasks. */
async function laden(pipelines: readonly number[]): Promise<Laden> {
  const cluster = await startCluster({ workers: 1, processors: 0, partitions: 1, env: ENV })
  const store = await openStore({ ...DEFAULTS, partitions: 1, redisUrl: cluster.redis.url })
  const owner = await Owner.take(store)
  const writes = [...pipelines.map(pipelineWrite), ...pipelines.flatMap(tasksOf).toSorted((a, b) => a - b).map(taskWrite)]
  for (let from = 0; from < writes.length; from += IN_COMMIT) {
    await owner.commit([appendOf(`from-${from}`)], { state: { entities: writes.slice(from, from + IN_COMMIT), timers: [] } })
  }
  const stand = await store.state.counts(0, 'default', 'task', ['all', 'work', 'finished'])
  expect(stand).toEqual([1, 0.01, 0.99].map((share) => pipelines.length * OF_EACH * share))
  await store.release(0, owner.name)
  await store.close()
  return { cluster, redis: await connectTo(cluster.redis.url) }
}

const connectTo = (url: string) => createClient({ url }).connect()

/** Nobody takes it, but for the first of p7. */
function taskWrite(n: number): EntityWrite {
  const at = new Date(BEGIN + n).toISOString()
  const base = { id: named(n), createdAt: at, updatedAt: at, managed: true, title: `Task ${n}`, taskType: 'fix', pipelineId: `p${n % PIPELINES}`, tries: [] }
  const task: Task = isOpen(n)
    ? { ...base, status: 'pending', requires: [n === 7 ? 'mending' : 'nobody-has-it'], attempt: 0 }
    : { ...base, status: 'completed', agentId: `a${n % 30}`, leaseToken: '1.x', attempt: 1, progress: 100, result: { lines: n }, finishedAt: at }
  return writeOf('task', task)
}

function pipelineWrite(n: number): EntityWrite {
  const at = new Date(BEGIN + n).toISOString()
  const completedTasks = tasksOf(n).filter((task) => !isOpen(task)).length
  const tally = { totalTasks: OF_EACH, managedTasks: OF_EACH, completedTasks, failedTasks: 0, cancelledTasks: 0, inProgressTasks: 0, blockedTasks: 0 }
  return writeOf('pipeline', { id: `p${n}`, createdAt: at, updatedAt: at, status: 'running', progress: 99, stages: {}, steps: [], startedAt: at, ...tally })
}

function writeOf(kind: Kind, entity: Task | Pipeline): EntityWrite {
  const { id, createdAt } = entity
  return { project: 'default', kind, id, place: placeOf(id, createdAt), json: JSON.stringify(entity), append: 0, add: indexTerms(kind, entity), remove: [] }
}

interface Reads {
  /** Calls of each command that reads hashes, lists or sorted sets, those inside scripts included. */
  calls: Record<string, number>
  /** Fields read of each kind's entities, and places asked for of each index, by key. */
  fields: Record<string, number>
}

const OF_HASHES = 'hget|hmget|hgetall|hvals|hkeys|hscan|hrandfield|hexists|hstrlen|hlen'
const OF_SETS = 'zrange|zrangebylex|zrangebyscore|zrevrange|zrevrangebylex|zrevrangebyscore|zscan|zscore|zmscore|zrank|zcard|zcount|zlexcount'
const READING = new RegExp(`^(${OF_HASHES}|${OF_SETS}|lrange|lindex|keys|scan|sort)$`)

/** What Redis was read for meanwhile: counted by itself, and named by what it did. */
async function readsOf({ redis }: Laden, act: () => Promise<unknown>): Promise<Reads> {
  const fields: Record<string, number> = {}
  /** Looks for sinks to deliver, which a worker takes now and then: nobody asked for them. */
  const looks: Record<string, number> = {}
  const monitor = await redis.duplicate().connect()
  let seen: (() => void) | undefined
  const ended = new Promise<void>((resolve) => (seen = resolve))
  await monitor.monitor((line) => {
    const [command = '', key = '', ...rest] = [...line.slice(line.indexOf('] ') + 2).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!)
    if (command.toLowerCase() === 'echo' && key === 'the end') seen?.()
    if (/:sinks(:|$)/.test(key)) looks[command.toLowerCase()] = (looks[command.toLowerCase()] ?? 0) + 1
    if (!READING.test(command.toLowerCase()) || !/:(state|index):/.test(key)) return
    const name = `${command.toLowerCase()} ${key.slice('hubbub:{p0}:'.length)}`
    fields[name] = (fields[name] ?? 0) + (command.toLowerCase() === 'hmget' ? rest.length : 1)
  })
  await redis.sendCommand(['CONFIG', 'RESETSTAT'])
  await act()
  const stats = await redis.info('commandstats')
  await redis.echo('the end')
  await ended
  monitor.destroy()
  const counted = [...stats.matchAll(/^cmdstat_([a-z]+):calls=(\d+)/gm)].map(([, name, count]): [string, number] => [name!, Number(count)])
  const asked = counted.map(([name, count]): [string, number] => [name, count - (looks[name] ?? 0)])
  return { calls: Object.fromEntries(asked.filter(([name, count]) => READING.test(name) && count > 0)), fields }
}

const VIEWER = token({ sub: 'dashboard', role: 'viewer' })
const connect = ({ cluster }: Laden): Promise<Tap> => tap(cluster.workers[0]!.url, { auth: { token: VIEWER } })

describe('of 100,000 tasks', () => {
  /** What there is, and that there is no more of it. */
  const ONLY_P7 = { 'hget state:default/pipeline': 1, 'hget state:default/task': OF_EACH, 'zrange index:default/task/pipeline:p7': 2 }

  test('GET /api/v1/snapshot of a pipeline answers its 501 entities, and reads no other', async () => {
    const counted = []
    for (const hub of [large, small]) {
      let told: SnapshotResult | undefined
      const reads = await readsOf(hub, async () => {
        const answer = await ask(`${hub.cluster.workers[0]!.url}/api/v1/snapshot?topics=pipeline:p7`, { as: VIEWER })
        expect(answer.status).toBe(200)
        told = answer.body as unknown as SnapshotResult
      })
      expect([names(told!.entities), told!.next]).toEqual([P7, undefined])
      expect(reads.fields).toEqual(ONLY_P7)
      counted.push(reads)
    }
    // One more field: where the journal stands.
    expect(counted[0]!.calls['hget']).toBe(OF_EACH + 2)
    expect(counted[0]).toEqual(counted[1])
  })

  test('a subscription with a snapshot does the same over a socket', async () => {
    for (const hub of [large, small]) {
      const viewer = await connect(hub)
      let answer: SubscribeResult | undefined
      const reads = await readsOf(hub, async () => (answer = await viewer.must<SubscribeResult>('subscribe', { topics: ['pipeline:p7'], snapshot: true })))
      expect([names(answer!.snapshot!.entities), answer!.snapshot!.next, answer!.more, answer!.events]).toEqual([P7, undefined, false, []])
      expect(reads.fields).toEqual(ONLY_P7)
      // Sessions' records are written and dropped meanwhile, and where the journal stands is read.
      expect(reads.calls['hget']).toBeLessThan(OF_EACH + 10)
      viewer.close()
    }
  })

  test('a processor that takes over reads the 1,000 that are not finished, and works on with them', async () => {
    const { cluster } = large
    const viewer = await connect(large)
    await viewer.must('subscribe', { topics: ['pipeline:p7'] })
    let mender: Tap | undefined
    const reads = await readsOf(large, async () => {
      await cluster.addProcessor()
      // The first that concerns any entity: from then on the processor has to know what is under way.
      mender = await tap(cluster.workers[0]!.url, { auth: { token: token({ sub: 'mender', role: 'agent' }) } })
      await mender.must('agent.register', { capabilities: ['mending'] })
      const { data } = await delegationOf(viewer)
      expect(data).toMatchObject({ taskId: named(7), agentId: 'mender', attempt: 1 })
    })
    const { 'hget state:default/agent': ofAgents, ...others } = reads.fields
    expect(others).toEqual({
      'hget state:default/task': UNFINISHED,
      'zrange index:default/agent/all': 1,
      'zrange index:default/task/work': UNFINISHED / 500 + 1,
    })
    expect(ofAgents).toBeLessThan(10)
    // The rest is the processor's own housekeeping.
    expect(reads.calls['hget']).toBeLessThan(UNFINISHED + 100)

    await mender!.must('task.accepted', { taskId: named(7) })
    await mender!.must('task.result', { taskId: named(7), result: {} })
    const { entities } = (await ask(`${cluster.workers[0]!.url}/api/v1/snapshot?topics=pipeline:p7`, { as: VIEWER })).body as unknown as SnapshotResult
    expect(names(entities)).toEqual(P7)
    expect(entities[0]).toMatchObject({ kind: 'pipeline', totalTasks: OF_EACH, completedTasks: OF_EACH - 4 })
    expect(entities.find(({ id }) => id === named(7))).toMatchObject({ status: 'completed', agentId: 'mender', attempt: 1 })
    for (const client of [viewer, mender]) client?.close()
  })

  async function delegationOf(viewer: Tap): Promise<HubEvent> {
    return await new Promise((resolve) => {
      const earlier = viewer.events.find(({ event }) => event.type === 'task.delegated')
      if (earlier) resolve(earlier.event)
      else viewer.socket.once('task.delegated', resolve)
    })
  }
})
