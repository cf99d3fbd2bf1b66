/**
 * What a batch's state writes come to, for both stores: grouped by key, and of several words about one place or one timer the last.
 * Checked as a whole before anything is sent, because Redis undoes nothing of a script that fails half-way (I3).
 */
import type { Kind } from '@hubbub/protocol'
import { ALL, type EntityWrite, type StateWrites } from './entities.js'

export interface NetState {
  /** By `stateKey`, in the order of the writes. */
  kinds: Map<string, EntityWrite[]>
  /** By `indexKey`: places, and whether they stand there from now on. */
  indexes: Map<string, Map<string, boolean>>
  timers: Map<string, number | null>
}

/** Key of a kind's entities, and of its indexes. The project is part of it (I6); neither project nor kind contains a slash. */
export function stateKey(project: string, kind: Kind): string {
  return `${project}/${kind}`
}

export function indexKey(project: string, kind: Kind, term: string): string {
  return `${project}/${kind}/${term}`
}

/** Throws RangeError for what would fail in the store. */
export function netState(state: StateWrites | undefined, appends: number): NetState {
  const net: NetState = { kinds: new Map(), indexes: new Map(), timers: new Map() }
  if (!state) return net
  for (const write of state.entities) {
    requireSound(write, appends)
    entered(net.kinds, stateKey(write.project, write.kind), () => []).push(write)
    for (const term of write.remove) note(net, write, term, false)
    for (const term of write.add) note(net, write, term, true)
  }
  for (const { name, due } of state.timers) net.timers.set(name, due === null ? null : wholeMs(name, due))
  return net
}

function note({ indexes }: NetState, { project, kind, place }: EntityWrite, term: string, stands: boolean): void {
  if (term !== ALL) entered(indexes, indexKey(project, kind, term), () => new Map()).set(place, stands)
}

function requireSound({ kind, id, place, json, append }: EntityWrite, appends: number): void {
  if (json === '') throw new RangeError(`${kind} ${id}: an empty text is no JSON`)
  if (!/^\d{15} /.test(place) || place.slice(16) !== id) throw new RangeError(`${kind} ${id}: '${place}' is not its place`)
  if (!Number.isInteger(append) || append < 0 || append >= appends) throw new RangeError(`${kind} ${id}: the batch has no append ${append}`)
}

/** Rounded up: a timer is never early. */
function wholeMs(name: string, due: number): number {
  const whole = Math.max(0, Math.ceil(due))
  if (!Number.isSafeInteger(whole)) throw new RangeError(`timer ${name}: ${due} is no time`)
  return whole
}

function entered<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
