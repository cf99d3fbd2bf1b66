/**
 * A project's state in this process: events go in and are folded by `evolve`, the given rules see them, and what they derive follows.
 * Derived events are checked against the catalogue, and filled when their turn comes.
 */
import { evolve, HubError, isFinished, type Entities, type Entity, type HubEvent, type Kind, type Task } from '@hubbub/protocol'
import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { Bench } from '../../server/src/processor/rules/bench.js'
import type { Changed, Effects, Rules, TimerKind, World } from '../../server/src/processor/rules/rule.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { LIMITS } from '../shared/limits.js'

export const START = Date.parse('2026-03-01T10:00:00.000Z')

/** Which derived event is next: what follows from the last one (`depth`), or what was derived first (`breadth`). */
export type Order = 'depth' | 'breadth'

export class Scene {
  now = START
  readonly journal: HubEvent[] = []
  readonly timers = new Map<string, number>()
  private readonly entities = new Map<string, Entity>()
  private readonly settings = settingsWith({ finishedMs: 1000, idleMs: 5000 })
  private waiting: HubEvent[] = []
  private count = 0

  constructor(private readonly rules: readonly Rules[], private readonly order: Order = 'breadth') {}

  get<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    return this.entities.get(`${kind} ${id}`) as Entities[K] | undefined
  }

  /** A producer's event; answers what follows from it, `type` and `data` of each. Throws what a rule refuses it with. */
  publish(type: string, data: Record<string, unknown>, topics: string[] = []): { type: string; data: Record<string, unknown> }[] {
    return this.follow(this.event(type, data, topics, 'anyone'))
  }

  /** The same of what only the hub may say. */
  announce(type: string, data: Record<string, unknown>): { type: string; data: Record<string, unknown> }[] {
    return this.follow(this.event(type, data, [], 'hub'))
  }

  /** Goes on to the due time of a timer, and answers what follows from it. */
  fire(what: TimerKind, id: string): { type: string; data: Record<string, unknown> }[] {
    const due = this.timers.get(`${what} ${id}`)
    if (due === undefined) throw new Error(`no due time of ${what} ${id}`)
    this.now = Math.max(this.now, due)
    this.timers.delete(`${what} ${id}`)
    const from = this.journal.length
    for (const rules of this.rules) rules.onTimer?.[what]?.(id, this.world(), this.effects())
    this.drain()
    return this.since(from)
  }

  /** Time goes by. */
  wait(ms: number): void {
    this.now += ms
  }

  /** The state as a client has it that folded the journal from its beginning. */
  folded<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    const entities = new Map<string, Entity>()
    for (const event of this.journal) {
      for (const change of evolve(event, (of, known) => entities.get(`${of} ${known}`) as never)) {
        if (change.entity) entities.set(`${change.kind} ${change.id}`, change.entity)
        else entities.delete(`${change.kind} ${change.id}`)
      }
    }
    return entities.get(`${kind} ${id}`) as Entities[K] | undefined
  }

  private follow(event: HubEvent): { type: string; data: Record<string, unknown> }[] {
    for (const rules of this.rules) rules.judge?.[event.type]?.(event, this.world())
    const family = event.type.slice(0, event.type.indexOf('.'))
    const topics = this.rules.flatMap((rules) => rules.topics?.[family]?.(event, this.world()) ?? [])
    const from = this.journal.length
    this.waiting.push({ ...event, topics: [...new Set([...event.topics, ...topics])] })
    this.drain()
    return this.since(from + 1)
  }

  private drain(): void {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const later = this.waiting
      this.waiting = []
      this.take(next)
      this.waiting = this.order === 'depth' ? [...this.waiting, ...later] : [...later, ...this.waiting]
    }
  }

  private take(taken: HubEvent): void {
    const event = taken
    for (const rules of this.rules) {
      const more = rules.fill?.[event.type]?.(event, this.world())
      if (more) event.data = { ...(event.data as object), ...more }
    }
    this.journal.push(event)
    const changes = evolve(event, (kind, id) => this.get(kind, id)).map((change): Changed => ({ ...change, before: this.get(change.kind, change.id), after: change.entity }))
    for (const { kind, id, after } of changes) {
      if (after) this.entities.set(`${kind} ${id}`, after)
      else this.entities.delete(`${kind} ${id}`)
    }
    for (const rules of this.rules) rules.onEvent?.[event.type]?.(event, this.world(), this.effects())
    for (const changed of changes) for (const rules of this.rules) rules.onChange?.[changed.kind]?.(changed as never, event, this.world(), this.effects())
  }

  private event(type: string, data: Record<string, unknown>, topics: string[], author: 'anyone' | 'hub'): HubEvent {
    const normal = normalise({ type, data, topics }, LIMITS, author)
    return {
      id: `e${++this.count}`, type: normal.type, timestamp: this.now, project: 'default', topics: routeTopics(normal), data: normal.data,
      metadata: { version: '1.0', source: '/test', recordedAt: this.now },
    }
  }

  private since(from: number): { type: string; data: Record<string, unknown> }[] {
    return this.journal.slice(from).map(({ type, data }) => ({ type, data: data as Record<string, unknown> }))
  }

  private world(): World {
    const tasks = () => [...this.entities].flatMap(([key, entity]) => (key.startsWith('task ') ? [entity as Task] : []))
    return {
      project: 'default',
      now: this.now,
      settings: this.settings,
      bench: new Bench(),
      get: (kind, id) => this.get(kind, id),
      dependents: (dependency) => tasks().filter((task) => !isFinished(task) && task.dependsOn?.includes(dependency)),
      isCrowded: () => false,
      tasksOf: (ref) => tasks().flatMap((task) => (task.refs?.includes(ref) ? [task.id] : [])),
    }
  }

  private effects(): Effects {
    return {
      emit: (type, data) => this.waiting.push(this.event(type, data, [], 'hub')),
      timer: (what, id, due) => (due === null ? this.timers.delete(`${what} ${id}`) : this.timers.set(`${what} ${id}`, due)),
    }
  }
}

/** What a refusal says; fails when there is none. */
export function refused(attempt: () => unknown): { code: string; message: string; details?: Record<string, unknown> } {
  try {
    attempt()
  } catch (error) {
    if (error instanceof HubError) return error.toJSON()
    throw error
  }
  throw new Error('nothing was refused')
}
