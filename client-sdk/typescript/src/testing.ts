/**
 * A fake hub in memory, for testing your own handlers without a network:
 *
 *     const hub = createFakeHub()
 *     const client = hub.client()
 *     await client.subscribe('task:42')
 *     hub.emit('task.progress', { taskId: '42', progress: 50 }, { topics: ['task:42'] })
 *     const delegation = hub.delegate('coder-1', { type: 'review' })
 *     await delegation.outcome()
 *
 * Its clients are the real ones, on a link without a wire: they queue, resubscribe and retry as they do over Socket.IO.
 * Unlike a hub it checks no schemas and no permissions, hands out no tasks by itself, and an event has only the topics that it is
 * told, else `project`, and those of the entities that it changes.
 */
import { canonicalCommand, compareOffsets, formatCursor, HubError, isTopicPattern, laterOf, matches, ORIGIN, parseSince, topicMatches } from '@hubbub/protocol'
import type {
  AgentRegistration, Answer, BroadcastRequest, CommandRequest, Cursor, EntityView, EventMap, Failure, FailureCode, HandleRequest, HubEvent, Kind, Offset,
  PlacedEvent, PresenceRequest, PublishRequest, PublishResult, Signal, SignalRequest, SnapshotRequest, SubscribeRequest, SubscribeResult, TaskOrder, UnsubscribeRequest,
} from '@hubbub/protocol'
import type { Client } from './client.js'
import { HubClient } from './connect.js'
import type { FakeDelegation } from './fake-delegation.js'
import { FakeFleet, type FakeExecutor } from './fake-fleet.js'
import { FakeLink, type FakeHubSide, type Operation, type Payload } from './fake-link.js'
import { FakeState } from './fake-state.js'
import { offsetOf } from './merge.js'
import { settle, type ConnectOptions } from './options.js'

export type { FakeDelegation, FakeReport } from './fake-delegation.js'
export type { FakeExecutor } from './fake-fleet.js'

const EPOCH = 'fake'
const PAGE = 1000

export function createFakeHub(): FakeHub {
  return new FakeHub()
}

export class FakeHub {
  /** Everything that clients published, each id once, in order. */
  readonly published: PublishRequest[] = []
  /** Everything that was signalled. */
  readonly signals: Signal[] = []
  readonly #links = new Set<FakeLink>()
  readonly #state = new FakeState()
  readonly #fleet = new FakeFleet({ state: this.#state, links: () => this.#links, emit: (type, data, topics) => this.emit(type, data, { topics }) })
  readonly #refusals: { operation: Operation; error: HubError }[] = []
  readonly #outcomes = new Map<string, PublishResult>()
  #journal: PlacedEvent[] = []
  #head = 0
  #floor: Offset = ORIGIN
  #isUp = true

  client<M extends object = EventMap>(options: ConnectOptions = {}): Client<M> {
    const side: FakeHubSide = {
      isUp: () => this.#isUp,
      cursor: () => this.#cursor,
      answer: (link, operation, payload) => this.#answer(link, operation, payload),
    }
    return new HubClient<M>(settle(options), (events) => {
      const link = new FakeLink(side, events)
      this.#links.add(link)
      return link
    })
  }

  emit<D>(type: string, data: D, options: { topics?: string[]; id?: string; timestamp?: number; source?: string } = {}): HubEvent<D> {
    this.#head++
    const now = Date.now()
    const { topics = ['project'], timestamp = now, id = `fake-${this.#head}` } = options
    const { source = '/services/fake' } = options
    const event: HubEvent<D> = { id, type, timestamp, project: 'default', topics, data, metadata: { version: '1.0', source, recordedAt: now } }
    event.topics = [...new Set([...topics, ...this.#state.fold(event, offsetOf(this.#cursor))])]
    this.#journal.push({ event, cursor: this.#cursor })
    for (const link of this.#links) link.hear(event, this.#cursor)
    return event
  }

  /** Agents that are registered now, by id. */
  get agents(): ReadonlyMap<string, AgentRegistration> {
    return this.#fleet.agents
  }

  /** What the hub made of all events so far. */
  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.#state.get(kind, id)
  }

  /** Offers a task to an agent, by mail that waits for it where necessary; an offer of the same task before is void. */
  delegate(agentId: string, task: Partial<TaskOrder> = {}): FakeDelegation {
    return this.#fleet.delegate(agentId, task)
  }

  /** Carries out what clients command. What it throws they are told as COMMAND_FAILED. */
  onCommand(name: string, executor: FakeExecutor): void {
    this.#fleet.executors.set(canonicalCommand(name), executor)
  }

  /** Has a client carry out a command; rejects with NO_EXECUTOR, EXECUTOR_LOST or COMMAND_FAILED. */
  async command(name: string, payload: unknown = null): Promise<unknown> {
    return (await this.#fleet.command({ command: name, payload })).result
  }

  signal(topic: string, name: string, data: unknown = null): void {
    const signal: Signal = { topic, name, data, source: '/services/fake', timestamp: Date.now() }
    this.signals.push(signal)
    for (const { interests, events } of this.#links) {
      const topics = [...interests.values()].flatMap((interest) => interest.topics)
      if (topics.some((pattern) => topicMatches(pattern, topic))) events.message('signal', [signal])
    }
  }

  /** The next `times` messages of that kind, 1 if nothing is said, are refused with the code. */
  refuse(operation: Operation, code: FailureCode, { times = 1, details }: { times?: number; details?: Record<string, unknown> } = {}): void {
    for (let n = 0; n < times; n++) this.#refusals.push({ operation, error: new HubError(code, undefined, details) })
  }

  /** All connections end, and none comes back before `reconnect`. */
  disconnect(): void {
    this.#isUp = false
    for (const link of this.#links) {
      const { agentId } = link
      link.drop()
      this.#fleet.left(agentId)
    }
  }

  reconnect(): void {
    this.#isUp = true
    for (const link of this.#links) link.reopen()
  }

  /** Forgets what was emitted so far, and something that nobody received: clients are told of a gap, at once or when they return. */
  gap(): void {
    const from = this.#cursor
    this.#head++
    this.#floor = offsetOf(this.#cursor)
    this.#journal = []
    for (const link of this.#links) if (link.isOpen) link.events.message('gap', [{ from, to: this.#cursor, reason: 'trimmed' }])
  }

  get #cursor(): Cursor {
    return formatCursor(EPOCH, `1-${this.#head}`)
  }

  #answer(link: FakeLink, operation: Operation, payload: Payload): Answer<object> | Promise<Answer<object>> {
    const planned = this.#refusals.findIndex((refusal) => refusal.operation === operation)
    if (planned >= 0) return { ok: false, error: this.#refusals.splice(planned, 1)[0]!.error.toJSON() }
    try {
      const result = this.#operate(link, operation, payload)
      return result instanceof Promise ? result.then(accepted, refused) : accepted(result)
    } catch (error) {
      return refused(error)
    }
  }

  #operate(link: FakeLink, operation: Operation, payload: Payload): object | Promise<object> {
    switch (operation) {
      case 'subscribe':
        return this.#subscribe(link, payload as SubscribeRequest)
      case 'publish':
        if (!Array.isArray(payload)) return this.#publish(link, payload as PublishRequest)
        return { results: payload.map((request) => this.#publishOne(link, request)) }
      case 'signal': {
        const { topic, name, data } = payload as SignalRequest
        this.signal(topic, name, data)
        return {}
      }
      case 'unsubscribe':
        link.leave((payload as UnsubscribeRequest).subscriptionId)
        return { activeSubscriptions: link.interests.size }
      case 'auth.refresh':
        return {}
      case 'snapshot':
        return this.#state.snapshot(payload as SnapshotRequest, this.#cursor)
      case 'agent.register':
        return this.#fleet.register(link, payload as AgentRegistration)
      case 'command':
        return this.#fleet.command(payload as CommandRequest)
      case 'command.handle':
        link.handled = (payload as HandleRequest).commands.map(canonicalCommand)
        return { commands: link.handled }
      case 'broadcast':
        return this.#fleet.broadcast(payload as BroadcastRequest)
      case 'presence':
        return { topic: (payload as PresenceRequest).topic, watchers: [] }
    }
  }

  #publishOne(link: FakeLink, request: PublishRequest): Answer<PublishResult> {
    try {
      return { ok: true, ...this.#publish(link, request) }
    } catch (error) {
      return refused(error)
    }
  }

  #publish(link: FakeLink, request: PublishRequest): PublishResult {
    const { id = `fake-${this.#head + 1}`, type, data, topics, timestamp } = request
    const known = this.#outcomes.get(id)
    if (known) return { ...known, duplicate: true }
    this.#fleet.judge(request)
    this.published.push(request)
    const source = link.agentId === undefined ? undefined : `/agents/${encodeURIComponent(link.agentId)}`
    this.emit(type, data, { id, topics, ...(typeof timestamp === 'number' && { timestamp }), source })
    const result = { id, type, offset: offsetOf(this.#cursor) }
    this.#outcomes.set(id, result)
    this.#fleet.heard(request)
    return result
  }

  #subscribe(link: FakeLink, request: SubscribeRequest): SubscribeResult {
    const topic = request.topics.find((pattern) => !isTopicPattern(pattern))
    if (topic !== undefined || request.topics.length === 0) throw new HubError('INVALID_TOPIC', undefined, { topic })
    const result: SubscribeResult = { topics: request.topics, activeSubscriptions: 0, cursor: this.#cursor, ...this.#history(request) }
    if (!result.more) result.subscriptionId = link.join(request)
    result.activeSubscriptions = link.interests.size
    return result
  }

  #history(request: SubscribeRequest): Partial<SubscribeResult> {
    if (request.since === undefined) return {}
    const since = parseSince(request.since)
    const matching = this.#journal.filter(({ event }) => matches(request, event))
    if (since.kind === 'last') return { events: matching.slice(-since.count) }
    if (since.kind === 'all') return page(matching)
    if (since.kind === 'duration') return page(matching.filter(({ event }) => event.metadata.recordedAt >= Date.now() - since.ms))
    const start = laterOf(since.offset, this.#floor)
    const found = page(matching.filter(({ cursor }) => compareOffsets(offsetOf(cursor), start) > 0))
    if (start === since.offset) return found
    return { ...found, gap: { from: formatCursor(since.epoch, since.offset), to: formatCursor(EPOCH, this.#floor), reason: 'trimmed' } }
  }
}

function page(events: PlacedEvent[]): Partial<SubscribeResult> {
  if (events.length <= PAGE) return { events }
  return { events: events.slice(0, PAGE), more: true, cursor: events[PAGE - 1]!.cursor }
}

function accepted(result: object): Answer<object> {
  return { ok: true, ...result }
}

function refused(error: unknown): { ok: false; error: Failure } {
  if (!(error instanceof HubError)) throw error
  return { ok: false, error: error.toJSON() }
}
