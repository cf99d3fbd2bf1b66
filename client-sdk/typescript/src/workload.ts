/** What an agent has in hand and what waits for its turn; each delegation is worked on once, however often it is heard. */
import { HubError } from '@hubbub/protocol'
import { Assignment, type AgentTask, type AssignmentDeps, type TaskHandler } from './assignment.js'

export interface WorkloadDeps extends AssignmentDeps {
  concurrency: number
  /** Delegations that wait for their turn; one more is rejected as `busy`. */
  queue: number
}

/** Delegations remembered, so that one that is heard again is known. */
const REMEMBERED = 10_000

export class Workload {
  readonly #heard = new Set<string>()
  readonly #running = new Set<Assignment>()
  readonly #waiting: Assignment[] = []
  /** Everything that a drain has to wait for. */
  readonly #pending = new Set<Promise<void>>()
  #isDraining = false

  constructor(private readonly handler: TaskHandler, private readonly deps: WorkloadDeps) {}

  /** Ids of what it works on. */
  get taskIds(): string[] {
    return [...new Set([...this.#running].map(({ task }) => task.id))]
  }

  offer(task: AgentTask): void {
    const key = `${task.id}\n${task.leaseToken ?? task.attempt}`
    if (this.#heard.has(key)) return
    this.#remember(key)
    const others = [...this.#waiting, ...this.#running].filter((other) => other.task.id === task.id && other.end === undefined)
    if (others.some((other) => other.task.attempt > task.attempt)) return
    // Offered anew: the lease before is lost, though its end was not heard of.
    for (const other of others) other.lose(new HubError('STALE_LEASE', 'The task was delegated again.', { taskId: task.id }))
    const assignment = new Assignment(task, this.deps)
    if (this.#isDraining) return this.#track(assignment.refuse('draining'))
    this.#tidy()
    if (this.#running.size >= this.deps.concurrency && this.#waiting.length >= this.deps.queue) return this.#track(assignment.refuse('busy'))
    this.#waiting.push(assignment)
    this.#next()
  }

  /** @param leaseToken of the delegation that is meant; undefined: whichever is in hand */
  cancel(taskId: string, leaseToken?: string, reason?: string): void {
    for (const assignment of [...this.#waiting, ...this.#running]) {
      const { task } = assignment
      if (task.id !== taskId || (leaseToken !== undefined && task.leaseToken !== leaseToken)) continue
      assignment.cancel(reason)
      const at = this.#waiting.indexOf(assignment)
      if (at < 0) continue
      this.#waiting.splice(at, 1)
      this.#track(assignment.run(this.handler))
    }
  }

  /** Everything in hand is of no use any more. */
  abandon(error: HubError): void {
    for (const assignment of [...this.#waiting.splice(0), ...this.#running]) assignment.lose(error)
  }

  /** Takes nothing new, gives back what waits; resolves when nothing is in hand and every report was answered. */
  async drain(): Promise<void> {
    this.#isDraining = true
    for (const assignment of this.#waiting.splice(0)) if (assignment.end === undefined) this.#track(assignment.refuse('draining'))
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  #next(): void {
    this.#tidy()
    while (this.#running.size < this.deps.concurrency) {
      const assignment = this.#waiting.shift()
      if (!assignment) return
      this.#running.add(assignment)
      this.#track(
        assignment.run(this.handler).finally(() => {
          this.#running.delete(assignment)
          this.#next()
        }),
      )
    }
  }

  /** What was lost while it waited has no turn. */
  #tidy(): void {
    for (let at = this.#waiting.length - 1; at >= 0; at--) if (this.#waiting[at]!.end !== undefined) this.#waiting.splice(at, 1)
  }

  #remember(key: string): void {
    this.#heard.add(key)
    if (this.#heard.size <= REMEMBERED) return
    const [oldest] = this.#heard
    this.#heard.delete(oldest!)
  }

  #track(pending: Promise<void>): void {
    this.#pending.add(pending)
    void pending.finally(() => this.#pending.delete(pending))
  }
}
