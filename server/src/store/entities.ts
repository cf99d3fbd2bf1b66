/**
 * The port's part for state: entities, their indexes and timers. Written only by a batch's commit (`port.ts`), so that state and
 * journal never disagree; read by the partition's owner and by whoever asks for a snapshot.
 *
 * Every entity stands in the index of its kind, term `ALL`, and in those of its own terms (`status:failed`, `pipeline:p1`), each in
 * the order of creation. Indexes hold places, `placeOf`: a place never changes.
 */
import type { Kind, Offset } from '@hubbub/protocol'

/** Index term that every entity of a kind stands under. */
export const ALL = 'all'

export interface EntityWrite {
  project: string
  kind: Kind
  id: string
  /** Where it stands in the indexes, `placeOf`. It never changes: what is forgotten and made anew in one batch is written twice. */
  place: string
  /** Null: it is forgotten; the store takes it out of the terms that `remove` names. Writes count in their order. */
  json: string | null
  /** Index into the batch's appends: the last event that changed it. That event's offset is the entity's revision. */
  append: number
  /** Index terms to enter and to leave; `ALL` goes without saying. Leaving comes first where both name one. */
  add: readonly string[]
  remove: readonly string[]
}

/** One due time a name; setting it again replaces the one before. Names are `timerName`s, ids of what has a due time. */
export interface TimerWrite {
  name: string
  /** ms by the store's clock, rounded up; null: never. */
  due: number | null
}

export interface StateWrites {
  entities: readonly EntityWrite[]
  timers: readonly TimerWrite[]
}

export interface StoredEntity {
  kind: Kind
  id: string
  place: string
  /** Offset of the event that made it what it is. */
  revision: Offset
  json: string
}

/** What to read: entities by id, or those under a term of an index. Absent entities are left out. */
export type Selector =
  | { kind: Kind; ids: readonly string[] }
  | { kind: Kind; term: string; newestFirst?: boolean; /** Of the id, for wildcards such as `task:ab*`. */ prefix?: string }

export interface Selection {
  /** Offset of the journal's last entry at this very moment: the state holds as of it. */
  last: Offset
  /** Nonce of the current epoch. */
  epoch: string
  /** In the selectors' order, each index in its own. An entity that two selectors name comes twice. */
  entities: StoredEntity[]
  /** Present when a limit ended it: ask again with it and the same selectors. Opaque; names no entity that was not answered. */
  next?: string
}

export interface StateStore {
  /**
   * One atomic read. At most `count` entities and about `bytes` of JSON; at least one entity, unless a `prefix` was looked for among
   * thousands: then the page may be empty and have a `next`. Rejects with `HubError` INVALID_MESSAGE for an `after` that is no `next`.
   */
  select(partition: number, project: string, selectors: readonly Selector[], limits: { count: number; bytes: number; after?: string }): Promise<Selection>
  /** How many stand under each term of the kind's index. */
  counts(partition: number, project: string, kind: Kind, terms: readonly string[]): Promise<number[]>
  /** Timers due now by the store's clock, the earliest first, at most `count`; and when the next one behind them is due. */
  due(partition: number, count: number): Promise<{ now: number; timers: { name: string; due: number }[]; next?: number }>
}

/** Sorts by creation: milliseconds padded to 15 digits, then the id. */
export function placeOf(id: string, createdAt: string): string {
  return `${String(Date.parse(createdAt)).padStart(15, '0')} ${id}`
}
