/** The only place that puts the parts together: a link below, feed and outbox on it, the user's handlers above. */
import {
  HubError, typeMatches,
  type BroadcastRequest, type BroadcastResult, type Cursor, type EventMap, type Gap, type HubEvent, type PresenceResult,
  type PublishResult, type Signal,
} from '@hubbub/protocol'
import { ClientAgent, type Agent, type AgentOptions } from './agent.js'
import { Calls } from './calls.js'
import type { Client, EventHandler, PublishOptions, SubscribeOptions, Subscription } from './client.js'
import { ANSWER_MS, COMMAND_MS, Executor, type CommandHandler, type CommandOptions } from './commands.js'
import { Connection } from './connection.js'
import { Feed } from './feed.js'
import { Incoming } from './incoming.js'
import type { Link, LinkEvents, Transport } from './link.js'
import { Listeners, throwOutside } from './listeners.js'
import { Mail } from './mail.js'
import { newId } from './new-id.js'
import { createOperator, noOperator, type Operator } from './operator.js'
import { settle, type ConnectOptions, type Settled } from './options.js'
import { Outbox } from './outbox.js'
import { rungsTo } from './rungs.js'
import { Presences } from './presences.js'
import { readSnapshot, type Snapshot } from './snapshot.js'
import { nextState, type ClientState, type StateInput } from './state.js'
import { createTasks, type Tasks } from './tasks.js'
import { Watch, type LiveState } from './watch.js'

/** Begins to connect, and goes on until it succeeds, the hub refuses for good, or `close`. Throws RangeError for a wrong URL or option. */
export function connect<Map extends object = EventMap>(url: string, options: ConnectOptions = {}): Client<Map> {
  const settled = settle(options)
  return new HubClient<Map>(settled, (events) => new Connection(settled, rungsTo(url, settled), events), createOperator(url, settled))
}

export class HubClient<Map extends object> implements Client<Map> {
  #state: ClientState = 'connecting'
  /** Why the client was closed, when it was not its user. */
  #end: HubError | undefined
  readonly #link: Link
  readonly #feed: Feed
  readonly #outbox: Outbox
  readonly #calls: Calls
  readonly #executor: Executor
  readonly #presences: Presences
  readonly #mail = new Mail()
  readonly tasks: Tasks
  #agent: Agent | undefined
  readonly #events = new globalThis.Map<string, Listeners<[HubEvent, { cursor: Cursor }]>>()
  readonly #errors = new Listeners<[HubError]>()
  readonly #onThrow = (error: unknown): void => this.#threw(error)
  readonly #states = new Listeners<[ClientState, ClientState]>(this.#onThrow)
  readonly #gaps = new Listeners<[Gap]>(this.#onThrow)
  readonly #signals = new Listeners<[Signal]>(this.#onThrow)

  constructor(options: Settled, makeLink: (events: LinkEvents) => Link, readonly operator: Operator = noOperator()) {
    const { bufferLimit, queueLimit, publishTimeoutMs, reconnect: backoff } = options
    const link = (): Link => this.#link
    this.#feed = new Feed({
      link,
      bufferLimit,
      backoff,
      onEvent: (event, cursor) => this.#hand(event, cursor),
      onGap: (gap) => this.#gaps.tell(gap),
      onError: (error) => this.#errors.tell(error),
      onThrow: this.#onThrow,
      onReading: (isReading) => this.#go(isReading ? 'filling' : 'filled'),
    })
    this.#outbox = new Outbox({ link, queueLimit, publishTimeoutMs, backoff })
    this.#calls = new Calls({ link, againMs: publishTimeoutMs, backoff, onThrow: this.#onThrow })
    this.#executor = new Executor(this.#calls, (error) => this.#errors.tell(error))
    this.#presences = new Presences({ calls: this.#calls, tell: (signal) => this.#signals.tell(signal), trouble: (error) => this.#errors.tell(error) })
    this.tasks = createTasks({ calls: this.#calls, snapshot: (topics) => this.#read(topics), watch: (topics) => this.watch(topics) })
    const incoming = new Incoming({
      feed: this.#feed,
      mail: this.#mail,
      signal: (signal) => this.#signalled(signal),
      carryOut: (call, reply) => void this.#executor.carryOut(call, reply),
      trouble: (error) => this.#errors.tell(error),
    })
    this.#link = makeLink({
      connecting: () => this.#go('retry'),
      opened: (recovered) => this.#opened(recovered),
      dropped: () => this.#dropped(),
      message: (name, args) => incoming.message(name, args),
      troubled: (error) => this.#troubled(error),
      ended: (error) => this.#close(error),
    })
    this.#link.open()
  }

  get state(): ClientState {
    return this.#state
  }

  get transport(): Transport | undefined {
    return this.#link.transport
  }

  get cursor(): Cursor | undefined {
    return this.#feed.cursor
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let off: (() => void) | undefined
      const look = (): void => {
        if (this.#state === 'live' || this.#state === 'catching-up') resolve()
        else if (this.#state === 'closed') reject(this.#end ?? new HubError('UNAVAILABLE', 'The client was closed.'))
        else return
        off?.()
      }
      off = this.onState(look)
      look()
    })
  }

  on(pattern: string, handler: EventHandler<never>): () => void {
    let listeners = this.#events.get(pattern)
    if (!listeners) this.#events.set(pattern, (listeners = new Listeners(this.#onThrow)))
    return listeners.add(handler as EventHandler)
  }

  subscribe(what: string | string[] | SubscribeOptions): Promise<Subscription> {
    if (this.#state === 'closed') return Promise.reject(this.#end ?? new HubError('UNAVAILABLE', 'The client is closed.'))
    return this.#feed.subscribe(typeof what === 'string' ? { topics: [what] } : Array.isArray(what) ? { topics: what } : what)
  }

  publish(type: string, data: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    const { id = newId(), timestamp = Date.now(), ...rest } = options
    return this.#outbox.add({ id, type, timestamp, data, ...rest })
  }

  agent(options: AgentOptions = {}): Agent {
    if (this.#agent && this.#agent.state !== 'closed') throw new HubError('BUSINESS_LOGIC_ERROR', 'This client is an agent already: another one needs a client of its own.')
    return (this.#agent = new ClientAgent(options, {
      calls: this.#calls,
      mail: this.#mail,
      publish: (type, data, publishing) => this.publish(type, data, publishing),
      trouble: (error) => this.#errors.tell(error),
      close: () => this.close(),
    }))
  }

  async command(name: string, payload?: unknown, { timeoutMs = COMMAND_MS }: CommandOptions = {}): Promise<unknown> {
    const request = { command: name, ...(payload !== undefined && { payload }), timeoutMs }
    const { result } = await this.#calls.once('command', request, timeoutMs, timeoutMs + ANSWER_MS)
    return result
  }

  handle(name: string, handler: CommandHandler): () => void {
    return this.#executor.handle(name, handler)
  }

  snapshot(topics: string | string[]): Promise<Snapshot> {
    return this.#read(typeof topics === 'string' ? [topics] : topics)
  }

  async watch(topics: string | string[]): Promise<LiveState> {
    const subscription = await this.subscribe(topics)
    const watch = new Watch(subscription, {
      calls: this.#calls,
      snapshot: (patterns) => this.#read(patterns),
      onThrow: this.#onThrow,
      trouble: (error) => this.#errors.tell(error),
    })
    return await watch.begin()
  }

  presence(topic: string, { watch }: { watch?: boolean } = {}): Promise<PresenceResult> {
    return this.#presences.ask(topic, watch)
  }

  broadcast(request: BroadcastRequest): Promise<BroadcastResult> {
    return this.#calls.now('broadcast', request)
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    await this.#calls.now('signal', { topic, name, ...(data !== undefined && { data }) })
  }

  onSignal(handler: (signal: Signal) => void): () => void {
    return this.#signals.add(handler)
  }

  onState(handler: (state: ClientState, before: ClientState) => void): () => void {
    return this.#states.add(handler)
  }

  onGap(handler: (gap: Gap) => void): () => void {
    return this.#gaps.add(handler)
  }

  onError(handler: (error: HubError) => void): () => void {
    return this.#errors.add(handler)
  }

  close(): void {
    this.#close()
    this.#link.close()
  }

  // ---------------------------------------------------------------- what the link reports

  #opened(recovered: boolean): void {
    this.#go('opened')
    this.#calls.opened()
    void this.#feed.opened(recovered)
    void this.#outbox.flush()
  }

  #dropped(): void {
    this.#feed.dropped()
    this.#calls.dropped()
    this.#go('dropped')
  }

  #troubled(error: HubError): void {
    // An attempt that failed; without one, nothing changes.
    if (!this.#link.isOpen) this.#go('dropped')
    this.#errors.tell(error)
  }

  #signalled(signal: Signal): void {
    this.#presences.heard(signal)
    this.#signals.tell(signal)
  }

  #read(topics: readonly string[]): Promise<Snapshot> {
    return readSnapshot(topics, (request) => this.#calls.again('snapshot', request))
  }

  #hand(event: HubEvent, cursor: Cursor): void {
    for (const [pattern, listeners] of this.#events) if (typeMatches(pattern, event.type)) listeners.tell(event, { cursor })
  }

  #close(error?: HubError): void {
    if (this.#state === 'closed') return
    this.#end = error
    this.#feed.closed(error)
    this.#outbox.close(error)
    this.#calls.closed(error)
    if (error) this.#errors.tell(error)
    this.#go('close')
  }

  #go(input: StateInput): void {
    const before = this.#state
    this.#state = nextState(before, input)
    if (this.#state !== before) this.#states.tell(this.#state, before)
  }

  #threw(error: unknown): void {
    if (this.#errors.size === 0) throwOutside(error)
    else this.#errors.tell(error instanceof HubError ? error : new HubError('INTERNAL_ERROR', `A handler threw: ${String(error)}`, undefined, { cause: error }))
  }
}
