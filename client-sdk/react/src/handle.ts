/**
 * The provider's client as components hold it: always there, though the connection is opened only when something is mounted.
 * Reading its state opens nothing, every method does.
 */
import type {
  Agent, AgentOptions, BroadcastRequest, BroadcastResult, Client, ClientState, CommandHandler, CommandOptions, Cursor, EventHandler, Gap, HubError, LiveState,
  Operator, PresenceResult, PublishOptions, PublishResult, Signal, Snapshot, SubscribeOptions, Subscription, Tasks,
} from '@hubbub/client'
import type { Lease } from './lease.js'

export class Handle implements Client {
  constructor(private readonly lease: Lease) {}

  get state(): ClientState {
    return this.lease.present?.state ?? 'connecting'
  }

  get transport(): Client['transport'] {
    return this.lease.present?.transport
  }

  get cursor(): Cursor | undefined {
    return this.lease.present?.cursor
  }

  get tasks(): Tasks {
    return this.lease.client().tasks
  }

  get operator(): Operator {
    return this.lease.client().operator
  }

  readonly ready = (): Promise<void> => this.lease.client().ready()
  readonly on = (pattern: string, handler: EventHandler<never>): (() => void) => this.lease.client().on(pattern, handler as EventHandler)
  readonly subscribe = (what: string | string[] | SubscribeOptions): Promise<Subscription> => this.lease.client().subscribe(what)
  readonly publish = (type: string, data: unknown, options?: PublishOptions): Promise<PublishResult> => this.lease.client().publish(type, data, options)
  readonly agent = (options?: AgentOptions): Agent => this.lease.client().agent(options)
  readonly command = (name: string, payload?: unknown, options?: CommandOptions): Promise<unknown> => this.lease.client().command(name, payload, options)
  readonly handle = (name: string, handler: CommandHandler): (() => void) => this.lease.client().handle(name, handler)
  readonly snapshot = (topics: string | string[]): Promise<Snapshot> => this.lease.client().snapshot(topics)
  readonly watch = (topics: string | string[]): Promise<LiveState> => this.lease.client().watch(topics)
  readonly presence = (topic: string, options?: { watch?: boolean }): Promise<PresenceResult> => this.lease.client().presence(topic, options)
  readonly broadcast = (request: BroadcastRequest): Promise<BroadcastResult> => this.lease.client().broadcast(request)
  readonly signal = (topic: string, name: string, data?: unknown): Promise<void> => this.lease.client().signal(topic, name, data)
  readonly onSignal = (handler: (signal: Signal) => void): (() => void) => this.lease.client().onSignal(handler)
  readonly onState = (handler: (state: ClientState, before: ClientState) => void): (() => void) => this.lease.client().onState(handler)
  readonly onGap = (handler: (gap: Gap) => void): (() => void) => this.lease.client().onGap(handler)
  readonly onError = (handler: (error: HubError) => void): (() => void) => this.lease.client().onError(handler)
  /** Ends the present connection for everybody below the provider. */
  readonly close = (): void => this.lease.present?.close()
}
