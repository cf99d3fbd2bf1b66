/**
 * When each delegation of a pipeline's tasks began and ended. A task knows of the tries it lost only when they ended: since when they lasted,
 * and when the present holder took it, stands in the journal, as far as that is kept.
 */
import type { Client, HubEvent } from '@hubbub/client'

export interface Attempt {
  attempt: number
  agentId: string
  /** ms since the epoch; undefined: not in what was read. */
  from: number | undefined
  /** Undefined: it still lasts, or became the task's end. */
  to: number | undefined
  reason: string | undefined
}

export const ATTEMPT_TYPES = ['task.delegated', 'task.accepted', 'task.lease_lost', 'task.forgotten']

const MOST_TASKS = 5000
const MOST_EACH = 20

export type KnownAttempts = ReadonlyMap<string, readonly Attempt[]>

export class Attempts {
  readonly #byTask = new Map<string, Attempt[]>()
  #known: KnownAttempts = new Map()
  #isChanged = false

  /** Whose they are: of another hub or pipeline others are to be made. */
  constructor(readonly hub: Client, readonly pipelineId: string) {}

  /** The same object until something changes. */
  get known(): KnownAttempts {
    if (this.#isChanged) this.#known = new Map(this.#byTask)
    this.#isChanged = false
    return this.#known
  }

  readonly take = ({ type, data, metadata: { recordedAt } }: HubEvent): void => {
    const { taskId, agentId = '', attempt, reason } = data as { taskId?: string; agentId?: string; attempt?: number; reason?: string }
    if (typeof taskId !== 'string') return
    this.#isChanged = true
    if (type === 'task.forgotten') return void this.#byTask.delete(taskId)
    const known = this.#of(taskId)
    const last = known.at(-1)
    if (type === 'task.delegated') known.push({ attempt: attempt ?? known.length + 1, agentId, from: recordedAt, to: undefined, reason: undefined })
    // Work counts from when it was taken, not from when it was offered.
    else if (type === 'task.accepted' && last && last.to === undefined) last.from = recordedAt
    else if (type === 'task.accepted') known.push({ attempt: known.length + 1, agentId, from: recordedAt, to: undefined, reason: undefined })
    else if (type === 'task.lease_lost') this.#lose(known, { attempt: attempt ?? known.length, agentId, from: undefined, to: recordedAt, reason })
    if (known.length > MOST_EACH) known.shift()
  }

  #lose(known: Attempt[], lost: Attempt): void {
    const open = known.findLast((one) => one.to === undefined)
    if (open) Object.assign(open, { to: lost.to, reason: lost.reason })
    else known.push(lost)
  }

  #of(taskId: string): Attempt[] {
    let known = this.#byTask.get(taskId)
    if (!known) {
      this.#byTask.set(taskId, (known = []))
      if (this.#byTask.size > MOST_TASKS) this.#byTask.delete(this.#byTask.keys().next().value!)
    }
    return known
  }
}
