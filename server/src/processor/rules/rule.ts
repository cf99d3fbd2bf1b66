/**
 * What a rule is: what the hub decides by what it knows. `evolve` (in the protocol) only reads what happened; rules say what may
 * happen, and what follows. A rule is a pure function of the event, the world and its clock: it changes nothing itself.
 *
 *   judge     may this event happen?                        throws HubError, which answers its producer (I5)
 *   fill      what the hub adds to the event's data         before it is folded, of derived events, too
 *   moot      is a derived event still worth saying?         when its turn comes
 *   onEvent   what follows from an event                    derived events, timers
 *   onChange  what follows from an entity's change          whichever event it came from, a derived one included
 *   onTimer   what follows from a due time                  look at the world first: it may have moved on since it was set
 *
 * A derived event is filled, folded and looked at by the rules when its turn comes: depth first, so that all that follows from one
 * stands before what its cause emitted next.
 */
import type { Entities, HubEvent, Kind, Task } from '@hubbub/protocol'
import type { Settings } from '../../settings/table.js'
import type { Bench } from './bench.js'

export interface World {
  readonly project: string
  /** ms, the store's clock */
  readonly now: number
  readonly settings: Settings
  /** As of now, everything folded so far included. Throws `Unloaded` for what is not in memory: the fold loads it and begins the event anew. */
  get<K extends Kind>(kind: K, id: string): Entities[K] | undefined
  /** Unfinished tasks that wait for `taskId` or `stream:ID`. */
  dependents(dependency: string): readonly Task[]
  /** Ids of tasks that know the ref (`Task.refs`). Throws `Unloaded`. */
  tasksOf(ref: string): readonly string[]
  /** Much followed from the cause already: what can be left for the next commit should be. */
  isCrowded(): boolean
  /** Agents, and the tasks that wait for one. */
  readonly bench: Bench
}

/** Entity before and after an event. Never both undefined. */
export interface Changed<K extends Kind = Kind> {
  readonly kind: K
  readonly id: string
  readonly before: Entities[K] | undefined
  readonly after: Entities[K] | undefined
}

export interface Effects {
  /** A derived event; its topics are those of its type and data, of the entities that it changes, and these. */
  emit(type: string, data: Record<string, unknown>, topics?: readonly string[]): void
  /** At most one due time (ms, the store's clock) for each pair of what and id; null takes it away. */
  timer(what: TimerKind, id: string, due: number | null): void
}

/**
 * What has a due time. `dependents` and `release` are due at once: what one cause leaves for the next commit, because it is too much
 * for its own. `forget.KIND` removes a finished entity; `surplus.KIND` is never set, but found: one too many
 * is kept.
 */
export type TimerKind =
  | 'accept' | 'lease' | 'retry' | 'deadline' | 'cancel' | 'agent' | 'stalled' | 'checkpoint' | 'dependents' | 'release'
  | `forget.${Kind}` | `surplus.${Kind}`

export interface Rules {
  judge?: Record<string, (event: HubEvent, world: World) => void>
  /** Whether a derived event has nothing to say any more when its turn comes: the same may have followed from something else meanwhile. */
  moot?: Record<string, (event: HubEvent, world: World) => boolean>
  fill?: Record<string, (event: HubEvent, world: World) => Record<string, unknown> | undefined>
  onEvent?: Record<string, (event: HubEvent, world: World, effects: Effects) => void>
  onChange?: { [K in Kind]?: (changed: Changed<K>, event: HubEvent, world: World, effects: Effects) => void }
  onTimer?: { [T in TimerKind]?: (id: string, world: World, effects: Effects) => void }
  /** Topics that an event gets besides its own, and those of the entities it changes. By type family (`github`). */
  topics?: Record<string, (event: HubEvent, world: World) => readonly string[]>
}
