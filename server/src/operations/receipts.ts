/**
 * Receipts: answers to an agent's reports say more than that they were taken: when to beat again, what became of the task. Added to the
 * successful answers of every gateway.
 */
import { FINISHED_STATUSES, partitionOf, type Answer, type PublishResult, type Task } from '@hubbub/protocol'
import { normalise } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import type { StateStore } from '../store/port.js'

export interface ReceiptDeps {
  state: Pick<StateStore, 'select'>
  partitions: number
  settings: Settings
  log: Logger
}

type Answers = Answer<PublishResult>[]

/** Whose receipt says what has become of the task. */
const DECIDING = new Set(['task.accepted', 'task.rejected', 'task.result', 'task.failed'])

/** The answers, in order; those with a receipt are copies. Reads the state only where a decision was committed. */
export async function withReceipts(deps: ReceiptDeps, identity: Identity, inputs: readonly unknown[], answers: Answers): Promise<Answers> {
  const named = answers.map((answer, place) => (answer.ok ? receiptOf(deps, answer, inputs[place]) : undefined))
  if (named.every((receipt) => receipt === undefined)) return answers
  const undecided = new Set(answers.flatMap((answer, place) => (answer.ok && answer.offset !== undefined && DECIDING.has(answer.type) ? (named[place]?.taskId ?? []) : [])))
  const tasks = await read(deps, identity.project, [...undecided])
  return answers.map((answer, place) => {
    const receipt = named[place]
    if (!answer.ok || !receipt) return answer
    const task = receipt.taskId !== undefined && DECIDING.has(answer.type) && answer.offset !== undefined ? tasks.get(receipt.taskId) : undefined
    return { ...answer, ...receipt, ...(task && outcome(answer.type, task)) }
  })
}

/** What can be said without asking anybody. */
function receiptOf({ settings }: ReceiptDeps, { type }: PublishResult, input: unknown): Partial<PublishResult> | undefined {
  if (type === 'agent.heartbeat') return { status: 'acknowledged', nextHeartbeat: new Date(Date.now() + settings.heartbeatMs).toISOString() }
  if (type !== 'task.progress' && !DECIDING.has(type)) return undefined
  const { taskId, progress } = fieldsOf(input, settings)
  if (typeof taskId !== 'string') return undefined
  return type === 'task.progress' && typeof progress === 'number' ? { taskId, progress } : { taskId }
}

/** As they stand in the journal. An event in its canonical form, as most are, is read as it is; any other as the way in read it. */
function fieldsOf(input: unknown, settings: Settings): { taskId?: unknown; progress?: unknown } {
  const { type, data } = input as { type?: unknown; data?: { taskId?: unknown; progress?: unknown } }
  if (typeof type === 'string' && (DECIDING.has(type) || type === 'task.progress') && typeof data?.taskId === 'string') return data
  return normalise(input, settings).data as { taskId?: unknown; progress?: unknown }
}

function outcome(type: string, { status, finishedAt }: Task): Partial<PublishResult> {
  const completedAt = type === 'task.result' && (FINISHED_STATUSES as readonly string[]).includes(status) ? finishedAt : undefined
  return completedAt === undefined ? { status } : { status, completedAt }
}

/** The commit stands, whatever comes of reading: a task that could not be read has no status in its receipt. */
async function read({ state, partitions, log }: ReceiptDeps, project: string, ids: readonly string[]): Promise<Map<string, Task>> {
  const tasks = new Map<string, Task>()
  try {
    for (let after: string | undefined, more = ids.length > 0; more; more = after !== undefined) {
      const selection = await state.select(partitionOf(project, partitions), project, [{ kind: 'task', ids }], { count: 1000, bytes: 1_048_576, ...(after !== undefined && { after }) })
      for (const { id, json } of selection.entities) tasks.set(id, JSON.parse(json) as Task)
      after = selection.next
    }
  } catch (error) {
    log.warn({ err: error, project }, 'receipts without the state of their tasks')
  }
  return tasks
}
