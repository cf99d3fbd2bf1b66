/**
 * An agent: registered on every connection, beating, and given tasks.
 *
 *   registering --> active --> draining --> closed
 *        |            |                       ^
 *        +------------+--- refused for good --+      a lost connection changes nothing: it is registered again on the next
 */
import { HubError, type AgentRegistered, type AgentRegistration, type HubEvent, type PublishResult } from '@hubbub/protocol'
import type { AgentTask, TaskHandler } from './assignment.js'
import type { Calls } from './calls.js'
import { messageOf } from './commands.js'
import type { Mail } from './mail.js'
import { Workload } from './workload.js'

export interface AgentOptions {
  /** Default: the subject of the client's token. An agent's token registers no other. */
  id?: string
  /** Tasks may ask for it: `coder`, `reviewer`. Default: what the token says. */
  type?: string
  /** What tasks may require. Default: what the token says. */
  capabilities?: string[]
  /** Tasks at once, default 1. The hub offers no more. */
  concurrency?: number
  /** Tasks that may wait here for their turn, should more come all the same; default as many as `concurrency`. One more is rejected as `busy`. */
  queue?: number
  /** Asked with each beat, and shown on the agent: `{ cpuPercent: 12, rssBytes: 9e7 }`. */
  metrics?: () => Record<string, number>
}

export type AgentState = 'registering' | 'active' | 'draining' | 'closed'

export interface DrainOptions {
  /** ms; default: for as long as it takes. */
  timeoutMs?: number
}

export interface Agent {
  /** Known once it is registered, if it was not given. */
  readonly id: string | undefined
  readonly state: AgentState
  /** Ids of the tasks that it works on. */
  readonly tasks: readonly string[]
  /** Resolves with the first registration. Rejects with the hub's refusal: DUPLICATE_AGENT, INSUFFICIENT_PERMISSIONS, AGENT_NOT_IDENTIFIED. */
  ready(): Promise<AgentRegistered>
  /** What it does with a task; given once. Until then tasks wait. */
  onTask(handler: TaskHandler): this
  /**
   * Takes no more tasks (they are rejected as `draining`), waits for those in hand and for the hub's answers to their results, and
   * closes the client. Never rejects. After `timeoutMs` what is still in hand is aborted, and the hub gives it to somebody else.
   */
  drain(options?: DrainOptions): Promise<void>
}

/** What an agent needs of its client. */
export interface AgentHost {
  calls: Calls
  mail: Mail
  publish(type: string, data: unknown, options: { id?: string; timestamp?: number; ack?: 'committed' | 'accepted' }): Promise<PublishResult>
  trouble(error: HubError): void
  close(): void
}

/** A report that so many connections carried without an answer is one that ends them: it is larger than the hub takes at all. */
const UNANSWERED_MOST = 5

export class ClientAgent implements Agent {
  #state: AgentState = 'registering'
  #registered: AgentRegistered | undefined
  #handler: TaskHandler | undefined
  #workload: Workload | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #isBeating = false
  /** Raised with each connection: a registration on an older one is void. */
  #round = 0
  #draining: Promise<void> | undefined
  readonly #offs: (() => void)[] = []
  #settle!: { resolve(registered: AgentRegistered): void; reject(error: HubError): void }
  readonly #ready = new Promise<AgentRegistered>((resolve, reject) => {
    this.#settle = { resolve, reject }
  })

  /** Throws RangeError for a wrong option. */
  constructor(private readonly options: AgentOptions, private readonly host: AgentHost) {
    const { concurrency = 1, queue = concurrency } = options
    if (!Number.isInteger(concurrency) || concurrency < 1) throw new RangeError(`concurrency: ${concurrency} is not allowed; allowed: an integer from 1`)
    if (!Number.isInteger(queue) || queue < 0) throw new RangeError(`queue: ${queue} is not allowed; allowed: an integer from 0`)
    // Whoever does not ask need not hear.
    this.#ready.catch(() => undefined)
    this.#offs.push(
      host.calls.onOpened(() => void this.#register()),
      host.calls.onClosed((error) => this.#end(error)),
    )
    if (host.calls.isOpen) void this.#register()
  }

  get id(): string | undefined {
    return this.#registered?.agentId ?? this.options.id
  }

  get state(): AgentState {
    return this.#state
  }

  get tasks(): readonly string[] {
    return this.#workload?.taskIds ?? []
  }

  ready(): Promise<AgentRegistered> {
    return this.#ready
  }

  onTask(handler: TaskHandler): this {
    if (this.#handler) throw new HubError('BUSINESS_LOGIC_ERROR', 'The agent has a handler for its tasks already.')
    this.#handler = handler
    this.#begin()
    return this
  }

  drain({ timeoutMs }: DrainOptions = {}): Promise<void> {
    return (this.#draining ??= this.#drain(timeoutMs))
  }

  async #drain(timeoutMs: number | undefined): Promise<void> {
    if (this.#state !== 'closed') this.#state = 'draining'
    await within(timeoutMs, this.#workload?.drain())
    this.#end(new HubError('UNAVAILABLE', 'The agent was drained.'))
    this.host.close()
  }

  // ---------------------------------------------------------------- registration and beats

  async #register(): Promise<void> {
    const round = ++this.#round
    const { id, type, capabilities, concurrency } = this.options
    const known = { ...(id !== undefined && { agentId: id }), ...(type !== undefined && { agentType: type }), ...(capabilities && { capabilities }) }
    const request: AgentRegistration = { ...known, maxTasks: concurrency ?? 1 }
    const { calls } = this.host
    for (let attempt = 0; round === this.#round && this.#state !== 'closed' && calls.isOpen; ) {
      try {
        const registered = await calls.now('agent.register', request)
        if (round === this.#round && this.state !== 'closed') this.#stand(registered)
        return
      } catch (error) {
        if (!(error instanceof HubError) || round !== this.#round || !calls.isOpen) return
        this.host.trouble(error)
        if (!error.retryable) return this.#end(error)
        await calls.pause(calls.delay(error, attempt++)).catch(() => undefined)
      }
    }
  }

  #stand(registered: AgentRegistered): void {
    this.#registered = registered
    if (this.#state === 'registering') this.#state = 'active'
    this.#settle.resolve(registered)
    clearInterval(this.#timer)
    this.#timer = setInterval(() => void this.#beat(), registered.heartbeat.intervalMs)
    void this.#beat()
    this.#begin()
  }

  /** At most one under way: a beat that waited for a connection says nothing new. */
  async #beat(): Promise<void> {
    if (this.#isBeating || !this.host.calls.isOpen) return
    this.#isBeating = true
    const metrics = this.#measure()
    const data = { agentId: this.id, currentTasks: this.tasks, ...(metrics && { systemMetrics: metrics }) }
    const refusal = await this.#say('agent.heartbeat', data)
    this.#isBeating = false
    if (refusal && !refusal.retryable && this.#state !== 'closed') this.host.trouble(refusal)
  }

  #measure(): Record<string, number> | undefined {
    try {
      return this.options.metrics?.()
    } catch (error) {
      this.host.trouble(new HubError('INTERNAL_ERROR', `The agent's metrics threw: ${messageOf(error)}`, undefined, { cause: error }))
      return undefined
    }
  }

  // ---------------------------------------------------------------- mail

  /** Once it knows who it is and what to do. */
  #begin(): void {
    const { id } = this
    if (!this.#registered || !this.#handler || this.#workload || id === undefined || this.#draining) return
    const { concurrency = 1, queue = concurrency } = this.options
    this.#workload = new Workload(this.#handler, {
      concurrency,
      queue,
      send: (type, data, eventId) => this.#send(type, data, eventId),
      say: (type, data) => this.#say(type, { ...data, ...(type.startsWith('agent.') && { agentId: this.id }) }),
      trouble: (error) => this.host.trouble(error),
    })
    this.#offs.push(this.host.mail.read(id, (event) => this.#read(event)))
  }

  #read(event: HubEvent): void {
    const { taskId, leaseToken, reason } = event.data as { taskId?: unknown; leaseToken?: unknown; reason?: unknown }
    if (typeof taskId !== 'string') return
    if (event.type === 'task.delegate') this.#workload?.offer(taskOf(taskId, event.data as Record<string, unknown>))
    if (event.type === 'execution.cancel') this.#workload?.cancel(taskId, textOf(leaseToken), textOf(reason))
  }

  // ---------------------------------------------------------------- reports

  /** Until the hub has answered: with the same id, however many connections it takes, it counts once. */
  async #send(type: string, data: object, id: string): Promise<void> {
    const { calls } = this.host
    const timestamp = Date.now()
    for (let attempt = 0, unanswered = 0; ; ) {
      await calls.open()
      try {
        await this.host.publish(type, data, { id, timestamp })
        return
      } catch (error) {
        if (!(error instanceof HubError) || !error.retryable || calls.isClosed) throw error
        if (error.code === 'OUTCOME_UNKNOWN' && ++unanswered === UNANSWERED_MOST) throw error
        await calls.pause(calls.delay(error, attempt++))
      }
    }
  }

  /** Once, as well as it goes: the next one of its kind says more. */
  async #say(type: string, data: object): Promise<HubError | undefined> {
    try {
      await this.host.publish(type, data, { ack: type === 'task.progress' ? 'committed' : 'accepted' })
      return undefined
    } catch (error) {
      return error instanceof HubError ? error : new HubError('INTERNAL_ERROR', messageOf(error), undefined, { cause: error })
    }
  }

  #end(error: HubError): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearInterval(this.#timer)
    for (const off of this.#offs.splice(0)) off()
    this.#workload?.abandon(error)
    this.#settle.reject(error)
  }
}

/** Resolves with the work, or when the time is up. */
async function within(ms: number | undefined, work: Promise<void> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = ms === undefined ? [] : [new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]
  await Promise.race([work, ...late])
  clearTimeout(timer)
}

function taskOf(id: string, data: Record<string, unknown>): AgentTask {
  const { parameters, priority, stage, attempt } = data
  return {
    id,
    type: textOf(data['taskType']),
    title: textOf(data['taskTitle']),
    parameters: typeof parameters === 'object' && parameters !== null ? (parameters as Record<string, unknown>) : {},
    deadline: textOf(data['deadline']),
    priority: typeof priority === 'number' ? priority : textOf(priority),
    pipelineId: textOf(data['pipelineId']),
    stage: typeof stage === 'number' ? stage : undefined,
    streamId: textOf(data['streamId']),
    attempt: typeof attempt === 'number' ? attempt : 1,
    leaseToken: textOf(data['leaseToken']),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
