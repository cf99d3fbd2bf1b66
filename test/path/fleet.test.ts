/**
 * Thirty agents on three workers work off three thousand tasks in twenty pipelines while agents, a worker and a processor are
 * SIGKILLed: nothing is done twice, nothing is lost, and what is read at the end is what the journal says.
 */
import { compareOffsets, KINDS, ORIGIN, StateView, type HubEvent, type Offset, type Task } from '@hubbub/protocol'
import { settingsWith } from '../../server/src/settings/read.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { Store, StoredEntity } from '../../server/src/store/port.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { dice } from '../store/fixture.js'
import { Fleet } from './fleet.js'

const TASKS = Number(process.env['FLEET_TASKS'] ?? 3000)
const AGENTS = 30
const PIPELINES = 20
/** Without any task finished. */
const PATIENCE_MS = 60_000
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

/** Losses are noticed within seconds; the rest as it comes. */
const ENV = {
  HUBBUB_HEARTBEAT_MS: '1000', HUBBUB_STALE_MS: '4000', HUBBUB_OFFLINE_MS: '6000', HUBBUB_ACCEPT_MS: '4000', HUBBUB_TASK_LEASE_MS: '6000', HUBBUB_RETRY_MS: '100',
  HUBBUB_LEASE_MS: '3000', HUBBUB_LEASE_RENEW_MS: '500', HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_RETENTION_COUNT: '1000000', HUBBUB_FINISHED_COUNT: '1000000',
}

let cluster: Cluster
let fleet: Fleet
let store: Store
beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 2, partitions: 1, env: ENV })
  store = await openStore(storeOptions(settingsWith({ redisUrl: cluster.redis.url, partitions: 1 })))
  const ports = cluster.workers.map(({ url }) => url)
  fleet = new Fleet((agent) => ports[Number(agent.slice(1)) % ports.length]!)
}, 120_000)
afterAll(async () => {
  await fleet?.stop()
  await store?.close()
  await cluster?.stop('kill')
}, 60_000)

test(`${TASKS} tasks, ${AGENTS} agents, SEED=${SEED}`, async () => {
  const roll = dice(SEED)
  await Promise.all(Array.from({ length: AGENTS }, (_, n) => fleet.start(`a${n}`)))
  const ordering = orderTasks()
  await chaos(roll)
  await ordering
  await finished(TASKS)

  const { entities, last } = await store.state.select(0, 'default', KINDS.map((kind) => ({ kind, term: 'all' })), { count: 1_000_000, bytes: 1e9 })
  const tasks = entities.filter(({ kind }) => kind === 'task').map(({ json }) => JSON.parse(json) as Task)
  const journal = await readJournal()
  const completed = tasks.filter(({ status }) => status === 'completed')
  process.stdout.write(`fleet: SEED=${SEED} ${completed.length} of ${tasks.length} completed, ${fleet.kills} agents, 1 worker, 1 processor killed, ${journal.length} events\n`)

  expect(tasks).toHaveLength(TASKS)
  expect(completed.length).toBeGreaterThanOrEqual(0.99 * TASKS)
  for (const task of tasks) if (task.status !== 'completed') expect(task).toMatchObject({ status: 'failed', tries: expect.arrayContaining([expect.objectContaining({ attempt: 1 })]) as unknown })
  expectOneResultEach(completed, journal)
  expectLogsToAgree(completed)
  expectStateIsFold(entities, journal, last)
}, 900_000)

/** As a workflow engine does: every third stage waits for the one before. */
async function orderTasks(): Promise<void> {
  const headers = { authorization: `Bearer ${token({ sub: 'engine', role: 'service' })}`, 'content-type': 'application/json' }
  const alive = () => cluster.workers.at(-1)!.url
  const post = async (n: number): Promise<void> => {
    const [pipelineId, place] = [`p${n % PIPELINES}`, Math.floor(n / PIPELINES)]
    const dependsOn = place % 3 === 2 ? [`t${n - PIPELINES}`] : undefined
    const body = JSON.stringify({ id: `t${n}`, type: 'work', pipelineId, stage: place % 3, dependsOn, requires: n % 7 === 0 ? [`skill-${n % 3}`] : ['any'], priority: n % 5 })
    // The worker may be the one that dies: the same order again is the same task.
    await eventually(async () => {
      const response = await fetch(`${alive()}/api/v1/tasks`, { method: 'POST', headers, body }).catch(() => undefined)
      return response && (response.status === 201 || response.status === 200 || response.status === 409)
    }, `task t${n} being taken`, 60_000)
  }
  for (let from = 0; from < TASKS; from += 50) await Promise.all(Array.from({ length: Math.min(50, TASKS - from) }, (_, at) => post(from + at)))
}

/** An agent dies with every further twentieth of the work; a worker in the middle of it, and the processor that owns the partition. */
async function chaos(roll: (sides: number) => number): Promise<void> {
  for (let step = 1; step < 20; step++) {
    await finished(Math.floor((TASKS * step) / 20))
    if (step === 7) {
      const [worker] = cluster.workers
      await worker!.kill('SIGKILL')
      await cluster.addWorker({ port: worker!.port })
    } else if (step === 13) {
      const [owner] = await store.owners()
      const processor = cluster.processors.find(({ pid }) => owner?.includes(`-${pid}-`))
      expect(processor).toBeDefined()
      await processor!.kill('SIGKILL')
      await cluster.addProcessor()
    }
    await Promise.all([fleet.replace(`a${roll(AGENTS / 2)}`), fleet.replace(`a${AGENTS / 2 + roll(AGENTS / 2)}`)])
  }
}

async function finished(count: number): Promise<void> {
  try {
    await eventually(async () => (await store.state.counts(0, 'default', 'task', ['finished']))[0]! >= count, `${count} finished tasks`, PATIENCE_MS)
  } catch (error) {
    const { entities } = await store.state.select(0, 'default', [{ kind: 'task', term: 'work' }, { kind: 'agent', term: 'all' }], { count: 50, bytes: 1e6 })
    throw new Error(`unfinished: ${entities.map(({ json }) => json).join('\n')}`, { cause: error })
  }
}

function expectOneResultEach(completed: readonly Task[], journal: readonly { event: HubEvent }[]): void {
  const results = new Map<string, number>()
  const completions = new Map<string, number>()
  for (const { event } of journal) {
    const counts = event.type === 'task.result' ? results : event.type === 'task.completed' ? completions : undefined
    const { taskId } = (event.data ?? {}) as { taskId?: string }
    if (counts && taskId !== undefined) counts.set(taskId, (counts.get(taskId) ?? 0) + 1)
  }
  expect([...results].filter(([, count]) => count !== 1)).toEqual([])
  expect([...completions].filter(([, count]) => count !== 1)).toEqual([])
  expect(new Set(results.keys())).toEqual(new Set(completed.map(({ id }) => id)))
}

/** Every accepted result was delivered by the agent that the hub names, under the lease that it held; no lease was worked off twice. */
function expectLogsToAgree(completed: readonly Task[]): void {
  const sent = new Map(fleet.sent().map((line) => [`${line.sent} ${line.lease} ${line.result.by} ${line.result.pid}`, line]))
  expect(sent.size).toBe(fleet.sent().length)
  for (const task of completed) {
    const result = task.result as { by: string; pid: number; lease: string }
    expect(sent.get(`${task.id} ${task.leaseToken} ${task.agentId} ${result.pid}`)?.result).toEqual(result)
  }
}

async function readJournal(): Promise<{ offset: Offset; event: HubEvent }[]> {
  const { last, floor } = await store.head(0)
  expect(floor).toBe(ORIGIN)
  const entries: { offset: Offset; event: HubEvent }[] = []
  for (let after = ORIGIN; compareOffsets(after, last) < 0; ) {
    const page = await store.readRange(0, after, last, 10_000)
    for (const { offset, event } of page.entries) entries.push({ offset, event: JSON.parse(event) as HubEvent })
    after = page.reached
  }
  return entries
}

function expectStateIsFold(entities: readonly StoredEntity[], journal: readonly { offset: Offset; event: HubEvent }[], last: Offset): void {
  const view = new StateView(['*'])
  for (const { offset, event } of journal) if (compareOffsets(offset, last) <= 0) view.apply(event, offset)
  for (const { kind, id, revision, json } of entities) expect(view.get(kind, id)).toEqual({ ...(JSON.parse(json) as object), kind, revision })
  expect(KINDS.reduce((sum, kind) => sum + view.list(kind).length, 0)).toBe(entities.length)
}
