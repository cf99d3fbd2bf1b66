/** Tasks from the side of whoever wants them done. */
import { HubError, isFinished, isTopic, type TaskOrder, type TaskStatus, type TaskView } from '@hubbub/protocol'
import type { Calls } from './calls.js'
import { ANSWER_MS, COMMAND_MS } from './commands.js'
import { newId } from './new-id.js'
import type { Snapshot } from './snapshot.js'
import type { LiveState } from './watch.js'

/** All that are given must hold. */
export interface TaskFilter {
  pipelineId?: string
  streamId?: string
  status?: TaskStatus | readonly TaskStatus[]
  /** `TaskOrder.type`. */
  type?: string
  /** Who holds it, or held it last. */
  agentId?: string
}

export interface WaitOptions {
  /** ms; default: for as long as it takes. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface CancelOptions {
  reason?: string
  /** How long the agent may take to stop, 100 to 600,000 ms, default 30,000. */
  timeoutMs?: number
}

/**
 * Without a connection these wait for one. Refusals are `HubError`s: INSUFFICIENT_PERMISSIONS for whoever may not, UNAVAILABLE once
 * the client is closed.
 */
export interface Tasks {
  /**
   * Hands a task in: the hub finds an agent for it. Without an `id` it gets a UUID; with one it is created once, however often it is
   * handed in. Rejects with TASK_EXISTS when somebody else's task has the id, VALIDATION_ERROR when the order makes no sense.
   */
  create(order: TaskOrder): Promise<TaskView>
  /** Undefined when the hub knows no such task (any more). Rejects with INVALID_TOPIC for what can be no task's id. */
  get(id: string): Promise<TaskView | undefined>
  /** In the order of creation. */
  list(filter?: TaskFilter): Promise<TaskView[]>
  /**
   * Calls it off and resolves with the task when it is finished. Rejects with TASK_NOT_FOUND, or TIMEOUT when it is not finished in
   * time: the hub goes on, `wait` for it.
   */
  cancel(id: string, reason?: string | CancelOptions): Promise<TaskView>
  /**
   * Resolves with the task when it is completed, failed or cancelled: see its `status`, `result` and `error`. Rejects with
   * TASK_NOT_FOUND, TIMEOUT after `timeoutMs`, or the reason of `signal`. Each task waited for is one of the connection's subscriptions:
   * for many of them use `client.watch('pipeline:ID')`.
   */
  wait(id: string, options?: WaitOptions): Promise<TaskView>
}

export interface TasksDeps {
  calls: Calls
  snapshot: (topics: readonly string[]) => Promise<Snapshot>
  watch: (topics: string[]) => Promise<LiveState>
}

export function createTasks({ calls, snapshot, watch }: TasksDeps): Tasks {
  const command = async (name: string, payload: object, timeoutMs = COMMAND_MS): Promise<TaskView> => {
    const { result } = await calls.again('command', { command: name, payload, timeoutMs }, timeoutMs + ANSWER_MS)
    return result as TaskView
  }
  return {
    // With an id of its own an order whose answer got lost can be handed in again.
    create: (order) => command('task.start', { ...order, id: order.id ?? newId() }),
    async get(id) {
      return (await snapshot([topicOf(id)])).get('task', id)
    },
    async list(filter = {}) {
      const { pipelineId, streamId } = filter
      const topic = pipelineId !== undefined ? `pipeline:${pipelineId}` : streamId !== undefined ? `stream:${streamId}` : 'task:*'
      return (await snapshot([topic])).list('task').filter((task) => fits(task, filter))
    },
    cancel(id, options = {}) {
      const { reason, timeoutMs }: CancelOptions = typeof options === 'string' ? { reason: options } : options
      return command('execution.cancel', { taskId: id, ...(reason !== undefined && { reason }) }, timeoutMs)
    },
    async wait(id, options = {}) {
      options.signal?.throwIfAborted()
      const live = await watch([topicOf(id)])
      try {
        return await finished(live, id, options)
      } finally {
        await live.close()
      }
    },
  }
}

function finished(live: LiveState, id: string, { timeoutMs, signal }: WaitOptions): Promise<TaskView> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const offs: (() => void)[] = []
    const settle = (outcome: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      for (const off of offs) off()
      outcome()
    }
    const aborted = (): void => settle(() => reject(signal?.reason as Error))
    const look = (): void => {
      const task = live.get('task', id)
      if (!task) settle(() => reject(new HubError('TASK_NOT_FOUND', undefined, { taskId: id })))
      else if (isFinished(task)) settle(() => resolve(task))
    }
    offs.push(
      live.onChange(look),
      live.onEnd((error) => settle(() => reject(error ?? new HubError('UNAVAILABLE', 'The client was closed.')))),
    )
    const late = (): void => settle(() => reject(new HubError('TIMEOUT', `Task ${id} was not finished within ${timeoutMs} ms.`, { taskId: id })))
    if (timeoutMs !== undefined) timer = setTimeout(late, timeoutMs)
    signal?.addEventListener('abort', aborted)
    if (signal?.aborted) aborted()
    else look()
  })
}

function topicOf(id: string): string {
  const topic = `task:${id}`
  if (!isTopic(topic)) throw new HubError('INVALID_TOPIC', `'${id}' can be no task's id.`, { topic })
  return topic
}

function fits(task: TaskView, { pipelineId, streamId, status, type, agentId }: TaskFilter): boolean {
  const statuses = typeof status === 'string' ? [status] : status
  return (
    (pipelineId === undefined || task.pipelineId === pipelineId) &&
    (streamId === undefined || task.streamId === streamId) &&
    (statuses === undefined || statuses.includes(task.status)) &&
    (type === undefined || task.taskType === type) &&
    (agentId === undefined || task.agentId === agentId)
  )
}
