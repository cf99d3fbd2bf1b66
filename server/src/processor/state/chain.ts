/**
 * One cause and all that follows from it: an event of a producer, or a due time. Each event is folded into memory and shown to the
 * rules; what they derive is folded and shown in turn. Synchronous: `Unloaded` ends it, and the fold begins it anew.
 */
import { entityTopics, evolve, HubError, type Entities, type HubEvent, type Kind } from '@hubbub/protocol'
import { MAX_TOPICS_OF_EVENT, routeTopics } from '@hubbub/protocol/catalogue'
import type { Settings } from '../../settings/table.js'
import { delegate } from '../rules/delegation.js'
import { AT_ONCE } from '../rules/lease.js'
import { ON_CHANGE, onTimer, rulesOf } from '../rules/all.js'
import type { Changed, Effects, TimerKind, World } from '../rules/rule.js'
import type { Memory } from './memory.js'

export interface Touch {
  kind: Kind
  id: string
  before: Entities[Kind] | undefined
  /** Index into the chain's events. */
  event: number
}

export interface Chain {
  /** The cause first, if it is an event. */
  events: HubEvent[]
  touched: Touch[]
  timers: Map<string, number | null>
}

export interface ChainContext {
  memory: Memory
  settings: Settings
  now: number
  /** A new id for a derived event. */
  nextId: () => string
}

export const HUB_SOURCE = '/hub'
/** One cause may free ten thousand tasks; more than one commit can take is refused as a whole. */
const MOST_EVENTS = 10_000
const CROWDED = MOST_EVENTS / 4

/** @throws HubError when a rule refuses the event, Unloaded when something has to be read first; memory is then to be rolled back */
export function follow(context: ChainContext, cause: { event: HubEvent } | { timer: TimerKind; id: string }): Chain {
  return new Follower(context).run(cause)
}

class Follower {
  private readonly chain: Chain = { events: [], touched: [], timers: new Map() }
  private readonly world: World
  private readonly effects: Effects
  /** What is still to be folded, the next one last. */
  private readonly stack: { event: HubEvent; derived: boolean }[] = []
  /** What the rules emitted since the last event was folded. */
  private emitted: HubEvent[] = []
  /** What is being looked at: the cause of whatever a rule emits now. */
  private current: Pick<HubEvent, 'id' | 'metadata'> | undefined

  constructor(private readonly context: ChainContext) {
    const { memory, settings, now } = context
    this.world = {
      project: memory.project,
      now,
      settings,
      isCrowded: () => this.chain.events.length > CROWDED,
      bench: memory.bench,
      get: (kind, id) => memory.get(kind, id),
      dependents: (dependency) => memory.dependents(dependency),
      tasksOf: (ref) => memory.tasksOf(ref),
    }
    this.effects = {
      emit: (type, data, topics) => this.emitted.push(this.derive(type, data, topics)),
      // A date that is none (31 February passes the pattern) is never due.
      timer: (what, id, due) => this.chain.timers.set(timerName(memory.project, what, id), due !== null && Number.isFinite(due) ? due : null),
    }
  }

  run(cause: { event: HubEvent } | { timer: TimerKind; id: string }): Chain {
    if ('event' in cause) {
      this.admit(cause.event)
    } else {
      const { timer, id } = cause
      this.current = { id: `timer:${timer}:${id}`.slice(0, 128), metadata: { version: '1.0', source: HUB_SOURCE, recordedAt: this.context.now } }
      this.chain.timers.set(timerName(this.context.memory.project, timer, id), null)
      onTimer(timer, id, this.world, this.effects)
    }
    for (let given = 0; ; given++) {
      this.stackUp()
      for (let next = this.stack.pop(); next; next = this.stack.pop()) {
        if (next.derived) this.follow(next.event)
        else this.take(next.event)
        this.stackUp()
      }
      // What is left to give is given right after, in a commit of its own.
      if (given === AT_ONCE) this.effects.timer('retry', 'next', this.context.now)
      if (given === AT_ONCE || !delegate(this.world, this.effects)) return this.chain
    }
  }

  /** What follows from an event comes before what else its cause gave rise to: a status is told before the next one is taken. */
  private stackUp(): void {
    if (this.emitted.length === 0) return
    for (const event of this.emitted.reverse()) this.stack.push({ event, derived: true })
    this.emitted = []
  }

  /** When its turn comes: it may have nothing to say any more. */
  private follow(event: HubEvent): void {
    if (rulesOf(event.type).moots.some((isMoot) => isMoot(event, this.world))) return
    this.take(this.filled(event))
  }

  /** A producer's event: judged, completed, and given the topics that the rules know. */
  private admit(event: HubEvent): void {
    const rules = rulesOf(event.type)
    for (const judge of rules.judges) judge(event, this.world)
    const filled = this.filled(event)
    if (rules.topics.length === 0) return void this.stack.push({ event: filled, derived: false })
    const topics = [...event.topics]
    for (const topicsOf of rules.topics) addTopics(topics, topicsOf(event, this.world))
    this.stack.push({ event: { ...filled, topics }, derived: false })
  }

  /** A derived event when its turn comes: by then others may have changed what its figures were taken from. */
  private filled(event: HubEvent): HubEvent {
    const { fills } = rulesOf(event.type)
    if (fills.length === 0) return event
    const data: Record<string, unknown> = {}
    for (const fill of fills) Object.assign(data, fill(event, this.world))
    return Object.keys(data).length === 0 ? event : { ...event, data: { ...(event.data as object), ...data } }
  }

  private take(taken: HubEvent): void {
    const { memory } = this.context
    const changes = evolve(taken, (kind, id) => memory.get(kind, id))
    const looked = changes.map((change): Changed => ({ kind: change.kind, id: change.id, before: memory.get(change.kind, change.id), after: change.entity }))
    const event = { ...taken, topics: topicsWith(taken.topics, looked) }
    if (this.chain.events.push(event) > MOST_EVENTS) throw new HubError('BUSINESS_LOGIC_ERROR', `More than ${MOST_EVENTS} events would follow from this one.`)
    looked.forEach(({ kind, id, before, after }) => {
      this.chain.touched.push({ kind, id, before, event: this.chain.events.length - 1 })
      memory.set(kind, id, after)
    })
    this.current = event
    for (const react of rulesOf(event.type).followers) react(event, this.world, this.effects)
    for (const changed of looked) for (const react of ON_CHANGE[changed.kind]) react(changed as never, event, this.world, this.effects)
  }

  private derive(type: string, data: Record<string, unknown>, topics: readonly string[] = []): HubEvent {
    const { id: causationId, metadata: cause } = this.current!
    const { correlationId, traceparent, tracestate, recordedAt } = cause
    const metadata = { version: '1.0', source: HUB_SOURCE, recordedAt, causationId, ...(correlationId === undefined ? {} : { correlationId }), ...(traceparent === undefined ? {} : { traceparent }), ...(tracestate === undefined ? {} : { tracestate }) }
    return { id: this.context.nextId(), type, timestamp: this.context.now, project: this.context.memory.project, topics: routeTopics({ type, data, topics: [...topics] }), data, metadata }
  }
}

/**
 * Mail stays mail; everything else carries the topics of what it changes, so that whoever watches there sees it: all of them, beyond
 * the number that a producer may name.
 */
function topicsWith(own: readonly string[], looked: readonly Changed[]): string[] {
  const topics = [...own]
  for (const { kind, before, after } of looked) {
    for (const entity of [after, before]) if (entity) for (const topic of entityTopics(kind, entity)) if (!topics.includes(topic)) topics.push(topic)
  }
  return topics
}

function addTopics(topics: string[], more: readonly string[]): void {
  for (const topic of more) if (topics.length < MAX_TOPICS_OF_EVENT && !topics.includes(topic)) topics.push(topic)
}

export function timerName(project: string, what: TimerKind, id: string): string {
  return `${project} ${what} ${id}`
}

export function parseTimer(name: string): { project: string; what: TimerKind; id: string } {
  const [project = '', what = '', id = ''] = name.split(' ')
  return { project, what: what as TimerKind, id }
}
