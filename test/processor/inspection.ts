/** Whether the state in the store is the fold of the journal, and whether it hangs together. */
import { isFinished, KINDS, NO_TASKS, ORIGIN, StateView, type Agent, type EntityView, type HubEvent, type Kind, type Offset, type Tally, type Task } from '@hubbub/protocol'
import { ALL } from '../../server/src/store/entities.js'
import type { Store } from '../../server/src/store/port.js'

type Known = Record<string, unknown> & { id: string }

/** Of the default project: each kind's entities, as the store has them. */
export async function stored(store: Store, project = 'default'): Promise<EntityView[]> {
  const found: EntityView[] = []
  for (const kind of KINDS) {
    let after: string | undefined
    do {
      const page = await store.state.select(0, project, [{ kind, term: ALL }], { count: 5000, bytes: 2 ** 24, ...(after === undefined ? {} : { after }) })
      for (const { revision, json } of page.entities) found.push({ ...(JSON.parse(json) as Known), kind, revision } as unknown as EntityView)
      after = page.next
    } while (after !== undefined)
  }
  return found
}

export async function journalOf(store: Store, project = 'default'): Promise<{ event: HubEvent; offset: Offset }[]> {
  const { last } = await store.head(0)
  const events: { event: HubEvent; offset: Offset }[] = []
  for (let after = ORIGIN; after !== last; ) {
    const { entries, reached } = await store.readRange(0, after, last, 100_000)
    for (const { event, offset } of entries) events.push({ event: JSON.parse(event) as HubEvent, offset })
    after = reached
  }
  return events.filter(({ event }) => event.project === project)
}

/** Where the state and the fold of the journal differ; empty when they are the same. Nobody may write meanwhile. */
export async function disagreements(store: Store, project = 'default'): Promise<string[]> {
  const view = new StateView(['*', 'project'])
  for (const { event, offset } of await journalOf(store, project)) view.apply(event, offset)
  const sorted = (entities: readonly EntityView[]) => new Map(entities.map((entity) => [`${entity.kind} ${entity.id}`, canonical(entity)]))
  const [folded, kept] = [sorted(view.all()), sorted(await stored(store, project))]
  return [...new Set([...folded.keys(), ...kept.keys()])].flatMap((key) => (folded.get(key) === kept.get(key) ? [] : [`${key}: folded ${folded.get(key)}, stored ${kept.get(key)}`]))
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

const HOLDING: ReadonlySet<string> = new Set(['accepted', 'in_progress', 'paused', 'blocked'])

/** What does not hang together in the state: holders without their task, tallies that no recount gives. Groups of tasks that were forgotten are left out. */
export function contradictions(entities: readonly EntityView[], forgotten: ReadonlySet<string> = new Set()): string[] {
  const faults: string[] = []
  const of = <K extends Kind>(kind: K) => entities.filter((entity) => entity.kind === kind) as EntityView<K>[]
  const tasks = of('task')
  for (const agent of of('agent')) faults.push(...faultsOfAgent(agent, tasks))
  for (const task of tasks) {
    if (task.managed && ['delegated', 'accepted', 'in_progress'].includes(task.status) && task.leaseToken === undefined) faults.push(`task ${task.id} is ${task.status} without a lease`)
    if (task.managed && task.status === 'pending' && task.leaseToken !== undefined) faults.push(`task ${task.id} is pending with a lease`)
    if (isFinished(task) !== (task.finishedAt !== undefined)) faults.push(`task ${task.id} is ${task.status}, finished ${task.finishedAt}`)
  }
  for (const stream of of('stream')) if (!forgotten.has(stream.id)) faults.push(...compare(`stream ${stream.id}`, stream, tasks.filter(({ streamId }) => streamId === stream.id)))
  for (const pipeline of of('pipeline')) if (!forgotten.has(pipeline.id)) faults.push(...compare(`pipeline ${pipeline.id}`, pipeline, tasks.filter(({ pipelineId }) => pipelineId === pipeline.id)))
  return faults
}

function faultsOfAgent(agent: Agent, tasks: readonly Task[]): string[] {
  const holds = tasks.filter(({ managed, agentId, status, leaseToken }) => managed && agentId === agent.id && leaseToken !== undefined && HOLDING.has(status)).map(({ id }) => id)
  const says = [...agent.currentTasks].sort().join(' ')
  const faults = says === holds.sort().join(' ') ? [] : [`agent ${agent.id} has [${says}], holds [${holds.join(' ')}]`]
  if (agent.status === 'busy' && says === '') faults.push(`agent ${agent.id} is busy with nothing`)
  return faults
}

function compare(name: string, tally: Tally, tasks: readonly Task[]): string[] {
  const count = (is: (task: Task) => boolean) => tasks.filter(is).length
  const counted: Tally = {
    totalTasks: tasks.length,
    completedTasks: count(({ status }) => status === 'completed'),
    failedTasks: count(({ status }) => status === 'failed'),
    cancelledTasks: count(({ status }) => status === 'cancelled'),
    inProgressTasks: count(({ status }) => status === 'accepted' || status === 'in_progress'),
    blockedTasks: count(({ status }) => status === 'blocked'),
  }
  return (Object.keys(NO_TASKS) as (keyof Tally)[]).flatMap((key) => (tally[key] === counted[key] ? [] : [`${name}: ${key} is ${tally[key]}, counted ${counted[key]}`]))
}

type Story = { lease?: string; finished: boolean; retryAt?: string; deleted: boolean }

/** What the journal tells of managed tasks, and may not: two holders at once, two ends, mail without its delegation, a try before its time. */
export function faultsOfHistory(events: readonly HubEvent[]): string[] {
  const faults: string[] = []
  const stories = new Map<string, Story>()
  for (const { id, type, data, timestamp } of events) {
    const { taskId, leaseToken, retryAt, managed } = (data ?? {}) as { taskId?: string; leaseToken?: string; retryAt?: string; managed?: boolean }
    if (taskId === undefined) continue
    if (type === 'task.created' && managed === true) stories.set(taskId, { finished: false, deleted: false })
    const story = stories.get(taskId)
    if (!story || story.deleted) continue
    const fault = (what: string) => faults.push(`${id} ${type} of ${taskId}: ${what}`)
    switch (type) {
      case 'task.delegated':
        if (story.lease !== undefined) fault(`while ${story.lease} holds`)
        if (story.finished) fault('after its end')
        if (story.retryAt !== undefined && timestamp < Date.parse(story.retryAt)) fault(`before ${story.retryAt}`)
        story.lease = leaseToken
        break
      case 'task.delegate':
        if (story.lease !== leaseToken) fault('without its delegation')
        break
      case 'task.lease_lost':
        if (story.lease === undefined) fault('without a lease')
        story.lease = undefined
        story.retryAt = retryAt
        break
      case 'task.completed':
      case 'task.failed':
      case 'task.cancelled':
        if (story.finished) fault('a second end')
        story.finished = true
        story.lease = undefined
        break
      case 'task.status_changed':
        if (story.finished && !['completed', 'failed', 'cancelled'].includes(String((data as { newStatus?: unknown }).newStatus))) fault('goes on after its end')
        break
      case 'task.forgotten':
        story.deleted = true
        break
    }
  }
  return faults
}
