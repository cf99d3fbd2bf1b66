/**
 * Tasks as somebody orders them: created, changed, called off and deleted on an identity's behalf. The hub says each of it as an event
 * (`Intake.announce`), so that the rules judge it like everything else, and answers with the task as it then stands.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { HubError, isFinished, type EntityView, type EventInput, type HistoryResult, type PublishResult, type TaskOrder, type TaskView } from '@hubbub/protocol'
import { checkTaskCancel, checkTaskChanges, checkTaskOrder } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { isAdmin, may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import { visibleTopics, type EntityReader } from './entities.js'
import { checkResultSchema } from './result-schema.js'

export interface TaskDeps {
  /** Resolves when committed; rejects with `HubError`. */
  announce: (identity: Identity, input: EventInput) => Promise<PublishResult>
  entities: EntityReader
  /** Waits for what comes behind a cursor, see `history.ts`. */
  history: (identity: Identity, input: unknown, signal: AbortSignal) => Promise<HistoryResult>
  settings: Pick<Settings, 'maxEventBytes' | 'maxDepth'>
}

export type TaskTypeView = EntityView<'task_type'>

/** All reject with `HubError`; a task that the identity may not watch is not found (I6). */
export interface Tasks {
  /** The same order of the same id, handed in again after a lost answer, is answered with the task as it stands; another one is TASK_EXISTS. */
  create(identity: Identity, input: unknown): Promise<TaskView>
  update(identity: Identity, id: string, input: unknown): Promise<TaskView>
  /** Its agent is told to stop. */
  remove(identity: Identity, id: string): Promise<void>
  /** Resolves when the task is finished. TIMEOUT after `timeoutMs`: the hub goes on calling it off. */
  cancel(identity: Identity, input: unknown, timeoutMs: number, signal?: AbortSignal): Promise<TaskView>
  /** @param resultSchema JSON Schema object, at most 16 KB; replaces the one before */
  defineType(identity: Identity, type: string, resultSchema: unknown): Promise<TaskTypeView>
  forgetType(identity: Identity, type: string): Promise<void>
}

/** Longest single wait for news of a task, s. */
const WAIT_S = 30
const CANCEL = 'execution.cancel'

export function createTasks(deps: TaskDeps): Tasks {
  const { announce, entities, settings } = deps
  const read = async (identity: Identity, id: string) => (await entities.find(identity, 'task', id)).entity
  return {
    async create(identity, input) {
      requireGrant(identity, 'publish', 'task.created')
      return await create(deps, identity, checkTaskOrder(input, settings))
    },
    async update(identity, id, input) {
      requireGrant(identity, 'publish', 'task.updated')
      const asked = checkTaskChanges(input, settings)
      const task = await read(identity, id)
      const changes = Object.entries(asked).map(([field, newValue]) => ({ field, oldValue: task[field as keyof typeof asked] ?? null, newValue }))
      await announce(identity, { type: 'task.updated', data: { taskId: id, managed: true, changes, updatedAt: new Date().toISOString() } })
      return await read(identity, id)
    },
    async remove(identity, id) {
      requireGrant(identity, 'command', CANCEL)
      await read(identity, id)
      await announce(identity, { type: 'task.forgotten', data: { taskId: id, reason: 'deleted' } })
    },
    async cancel(identity, input, timeoutMs, signal = new AbortController().signal) {
      requireGrant(identity, 'command', CANCEL)
      const { taskId, reason } = checkTaskCancel(input)
      const task = await read(identity, taskId)
      // Asked for again after a lost answer.
      if (task.status === 'cancelled') return task
      const data = { taskId, ...(reason !== undefined && { reason }), by: sourceOf(identity) }
      await announce(identity, { type: 'task.cancel_requested', data })
      return await finished(deps, identity, taskId, timeoutMs, signal)
    },
    async defineType(identity, type, resultSchema) {
      requireDesigner(identity)
      await announce(identity, { type: 'task_type.defined', data: { taskType: type, resultSchema: checkResultSchema(resultSchema) } })
      return (await entities.find(seeing(identity, 'project'), 'task_type', type)).entity
    },
    async forgetType(identity, type) {
      requireDesigner(identity)
      await entities.find(seeing(identity, 'project'), 'task_type', type)
      await announce(identity, { type: 'task_type.forgotten', data: { taskType: type, reason: 'deleted' } })
    },
  }
}

async function create({ announce, entities }: TaskDeps, identity: Identity, order: TaskOrder): Promise<TaskView> {
  const { id: taskId = randomBytes(10).toString('hex'), title, type, agentId, ...rest } = order
  const data = {
    taskId, managed: true, taskType: type, ...rest,
    ...(title !== undefined && { taskTitle: title }), ...(agentId !== undefined && { assignedAgent: agentId }),
  }
  // Whoever ordered it is answered, whether or not it may watch it later.
  const sighted = seeing(identity, `task:${taskId}`)
  const tell = (id: string) => announce(identity, { id, type: 'task.created', data })
  // By id and contents: only the very same order is a repetition.
  const orderId = `task.create:${createHash('sha256').update(JSON.stringify(data)).digest('base64url')}`
  try {
    const { duplicate } = await tell(orderId)
    if (duplicate !== true) return (await entities.find(sighted, 'task', taskId)).entity
    const known = await lookUp(entities, sighted, taskId)
    if (known) return known
  } catch (error) {
    // It may be the refusal of an earlier time, remembered by the order's id. Without an id of its own it is never one.
    if (order.id === undefined || !(error instanceof HubError) || (error.code !== 'TASK_EXISTS' && error.code !== 'BUSINESS_LOGIC_ERROR')) throw error
  }
  // Created before and deleted since, or refused before: what counts is how things are now.
  await tell(`task.create:${randomUUID()}`)
  return (await entities.find(sighted, 'task', taskId)).entity
}

async function lookUp(entities: EntityReader, identity: Identity, taskId: string): Promise<TaskView | undefined> {
  try {
    return (await entities.find(identity, 'task', taskId)).entity
  } catch (error) {
    if (error instanceof HubError && error.code === 'TASK_NOT_FOUND') return undefined
    throw error
  }
}

/** Each time something is told of the task, it is looked at: in the state it stands as of a cursor, behind which the waiting goes on. */
async function finished({ entities, history }: TaskDeps, identity: Identity, taskId: string, timeoutMs: number, signal: AbortSignal): Promise<TaskView> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const { cursor, entity } = await entities.find(identity, 'task', taskId)
    if (isFinished(entity)) return entity
    const leftS = (until - performance.now()) / 1000
    if (leftS <= 0 || signal.aborted) throw new HubError('TIMEOUT', 'The task was not finished in time; it is still being called off.', { taskId, status: entity.status })
    await history(identity, { topics: visibleTopics(identity, 'task', entity), since: cursor, limit: 1, wait: Math.min(leftS, WAIT_S) }, signal)
  }
}

function seeing(identity: Identity, topic: string): Identity {
  return { ...identity, permissions: [...identity.permissions, `subscribe:${topic}`] }
}

function requireGrant(identity: Identity, action: 'publish' | 'command', name: string): void {
  if (!may(identity, action, name)) throw new HubError('INSUFFICIENT_PERMISSIONS', undefined, { needed: needed(action, name) })
}

/** A schema runs on what everybody delivers. */
function requireDesigner(identity: Identity): void {
  if (identity.role !== 'service' && !isAdmin(identity)) throw new HubError('INSUFFICIENT_PERMISSIONS', 'Services and admins define types of tasks.', { needed: 'admin' })
}
