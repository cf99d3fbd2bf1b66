/**
 * One delegation in an agent's hands: accepted, worked on, and answered with exactly one of result, failure or confirmed
 * cancellation. Each of these has an event id of its own, so that it stands in the journal once, however often it is sent.
 */
import { HubError, type FailureCode } from '@hubbub/protocol'
import { codeOf, messageOf } from './commands.js'

/** What is to be done, as the hub delegated it. */
export interface AgentTask {
  readonly id: string
  /** `TaskOrder.type` */
  readonly type: string | undefined
  readonly title: string | undefined
  readonly parameters: Readonly<Record<string, unknown>>
  /** ISO 8601 Z: unfinished by then, the task fails. */
  readonly deadline: string | undefined
  readonly priority: number | string | undefined
  readonly pipelineId: string | undefined
  readonly stage: number | undefined
  readonly streamId: string | undefined
  /** From 1: more than 1 says that a delegation before this one came to nothing. */
  readonly attempt: number
  /** Names this delegation: reports with another one are refused. */
  readonly leaseToken: string | undefined
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Reports are sent in order and none of them ever rejects: what the hub refuses is told to `client.onError`. May be taken apart. */
export interface TaskContext {
  /** Aborted when the work is of no use any more: the task was cancelled, or is somebody else's by now. `reason` is a `HubError`. */
  readonly signal: AbortSignal
  /** `percent` is 0 to 100. Resolves when the hub has answered. */
  readonly progress: (percent: number, message?: string) => Promise<void>
  /** A line of the agent's log, about this task; default level `info`. */
  readonly log: (message: string, level?: LogLevel) => Promise<void>
}

/**
 * Answers the task's result, anything that JSON can carry. What it throws makes the task fail with the error's message. After
 * `signal` its outcome is not looked at: settle soon.
 */
export type TaskHandler = (task: AgentTask, context: TaskContext) => unknown

export interface AssignmentDeps {
  /** Resolves when it stands in the journal; rejects with the hub's refusal, or when the client is closed. */
  send(type: string, data: object, id: string): Promise<void>
  /** Resolves with the outcome of one try. */
  say(type: string, data: object): Promise<HubError | undefined>
  trouble(error: HubError): void
}

/** The lease is not this agent's any more. */
const OVER: ReadonlySet<FailureCode> = new Set(['STALE_LEASE', 'NOT_TASK_OWNER', 'TASK_NOT_FOUND'])
const LONGEST_EVENT_ID = 128

type Report = 'accepted' | 'rejected' | 'result' | 'failed' | 'cancelled'

export class Assignment {
  readonly #stop = new AbortController()
  #end: 'cancelled' | 'over' | 'answered' | undefined

  constructor(readonly task: AgentTask, private readonly deps: AssignmentDeps) {}

  get end(): 'cancelled' | 'over' | 'answered' | undefined {
    return this.#end
  }

  cancel(reason = 'The task was cancelled.'): void {
    this.#close('cancelled', new HubError('STALE_LEASE', reason, { taskId: this.task.id }))
  }

  /** Nobody waits for its outcome. */
  lose(error: HubError): void {
    this.#close('over', error)
  }

  /** Never rejects. */
  async run(handler: TaskHandler): Promise<void> {
    if (this.#end === undefined && !(await this.#accept())) return
    const report = this.end === undefined ? await this.#work(handler) : undefined
    if (this.end === 'over') return
    const [kind, data] = this.end === 'cancelled' || !report ? (['cancelled', {}] as const) : report
    const refusal = await this.#report(kind, data)
    // Its place is taken; or the result is none that the hub takes, and the task has to end all the same.
    if (refusal && kind === 'result' && !OVER.has(refusal.code)) await this.#report('failed', { error: `${refusal.code}: ${refusal.message}`, code: refusal.code })
    this.#end ??= 'answered'
  }

  /** Of a task that was not accepted. */
  async refuse(reason: string): Promise<void> {
    this.#end ??= 'answered'
    await this.#report('rejected', { reason })
  }

  async #progress(percent: number, message?: string): Promise<void> {
    const { id, leaseToken } = this.task
    if (this.#end !== undefined) return
    const refusal = await this.deps.say('task.progress', { taskId: id, leaseToken, progress: percent, ...(message !== undefined && { message }) })
    // A later one, or the task's end, came before it.
    if (!refusal || refusal.code === 'STALE_REPORT' || this.end !== undefined) return
    this.#refused(refusal)
  }

  async #log(message: string, level: LogLevel = 'info'): Promise<void> {
    const refusal = await this.deps.say('agent.log', { taskId: this.task.id, level, message })
    if (refusal) this.deps.trouble(refusal)
  }

  /** Functions that may be taken out of it. */
  #context(): TaskContext {
    const { signal } = this.#stop
    return { signal, progress: (percent, message) => this.#progress(percent, message), log: (message, level) => this.#log(message, level) }
  }

  async #accept(): Promise<boolean> {
    return (await this.#report('accepted')) === undefined
  }

  async #work(handler: TaskHandler): Promise<[Report, object]> {
    try {
      return ['result', { result: await handler(this.task, this.#context()) }]
    } catch (error) {
      const code = codeOf(error)
      return ['failed', { error: messageOf(error), ...(code !== undefined && { code }) }]
    }
  }

  async #report(kind: Report, data: object = {}): Promise<HubError | undefined> {
    const { id, leaseToken } = this.task
    const eventId = `${id}:${leaseToken ?? ''}:${kind}`
    try {
      // Of an id that is too long the end tells more than the beginning: lease and kind stand there.
      await this.deps.send(`task.${kind}`, { taskId: id, leaseToken, ...data }, eventId.slice(-LONGEST_EVENT_ID))
      return undefined
    } catch (error) {
      const refusal = error instanceof HubError ? error : new HubError('INTERNAL_ERROR', messageOf(error), undefined, { cause: error })
      this.#refused(refusal)
      return refusal
    }
  }

  #refused(refusal: HubError): void {
    if (this.#end === 'over') return
    this.deps.trouble(refusal)
    if (OVER.has(refusal.code)) this.lose(refusal)
  }

  #close(end: 'cancelled' | 'over', reason: HubError): void {
    if (this.#end === 'over' || this.#end === 'answered') return
    this.#end = end
    this.#stop.abort(reason)
  }
}
