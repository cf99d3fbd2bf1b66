/** One delegation of the fake hub, as a test holds it. */

/** What an agent said about its task. */
export interface FakeReport {
  type: string
  data: unknown
}

const LAST: ReadonlySet<string> = new Set(['task.result', 'task.failed', 'task.cancelled', 'task.rejected'])

export class FakeDelegation {
  readonly taskId: string
  readonly agentId: string
  readonly leaseToken: string
  /** From 1. */
  readonly attempt: number
  /** All that the agent reported under this lease, in order. */
  readonly reports: FakeReport[] = []
  /** Answered, or expired: reports are refused with STALE_LEASE. */
  isOver = false
  #end!: (report: FakeReport) => void
  readonly #outcome = new Promise<FakeReport>((resolve) => {
    this.#end = resolve
  })

  constructor(of: { taskId: string; agentId: string; leaseToken: string; attempt: number }, private readonly sendCancel: (reason?: string) => void) {
    this.taskId = of.taskId
    this.agentId = of.agentId
    this.leaseToken = of.leaseToken
    this.attempt = of.attempt
  }

  /** Resolves with the agent's `task.result`, `task.failed`, `task.cancelled` or `task.rejected`. */
  outcome(): Promise<FakeReport> {
    return this.#outcome
  }

  /** Asks the agent to stop. */
  cancel(reason?: string): void {
    this.sendCancel(reason)
  }

  /** The lease ends, as when another agent got the task. */
  expire(): void {
    this.isOver = true
  }

  /** For the hub. */
  heard(report: FakeReport): void {
    this.reports.push(report)
    if (!LAST.has(report.type)) return
    this.isOver = true
    this.#end(report)
  }
}
