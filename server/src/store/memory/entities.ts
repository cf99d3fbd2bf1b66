/** A partition's state in memory: what `state:*`, `index:*` and `timers` are in Redis. */
import type { Kind, Offset } from '@hubbub/protocol'
import { ALL, type EntityWrite } from '../entities.js'
import { indexKey, stateKey, type NetState } from '../net.js'
import { Ordered } from './ordered.js'

export interface MemoryEntity {
  place: string
  revision: Offset
  json: string
}

export class MemoryState {
  /** By `stateKey`, then id. */
  private readonly kinds = new Map<string, Map<string, MemoryEntity>>()
  /** Places, by `indexKey`. */
  private readonly indexes = new Map<string, Ordered>()
  /** ms by name. */
  private readonly timers = new Map<string, number>()
  /** `ms name`, in order. */
  private readonly times = new Ordered()

  /** Part of the commit's one synchronous step; nothing in it can fail. */
  apply({ kinds, indexes, timers }: NetState, offsets: readonly Offset[]): void {
    for (const writes of kinds.values()) for (const write of writes) this.write(write, offsets[write.append]!)
    for (const [key, places] of indexes) for (const [place, stands] of places) this.stand(key, place, stands)
    for (const [name, due] of timers) this.set(name, due)
  }

  entity(project: string, kind: Kind, id: string): MemoryEntity | undefined {
    return this.kinds.get(stateKey(project, kind))?.get(id)
  }

  index(project: string, kind: Kind, term: string): Ordered | undefined {
    return this.indexes.get(indexKey(project, kind, term))
  }

  /** The earliest first. */
  *due(): Generator<{ name: string; due: number }> {
    for (const time of this.times.behind('')) yield { name: time.slice(17), due: Number(time.slice(0, 16)) }
  }

  private write({ project, kind, id, place, json }: EntityWrite, revision: Offset): void {
    const key = stateKey(project, kind)
    let entities = this.kinds.get(key)
    if (!entities) this.kinds.set(key, (entities = new Map()))
    if (json === null) entities.delete(id)
    else entities.set(id, { place, revision, json })
    if (entities.size === 0) this.kinds.delete(key)
    this.stand(indexKey(project, kind, ALL), place, json !== null)
  }

  private stand(key: string, place: string, stands: boolean): void {
    let index = this.indexes.get(key)
    if (!index) this.indexes.set(key, (index = new Ordered()))
    if (stands) index.add(place)
    else index.delete(place)
    if (index.size === 0) this.indexes.delete(key)
  }

  private set(name: string, due: number | null): void {
    const before = this.timers.get(name)
    if (before !== undefined) this.times.delete(timeOf(name, before))
    if (due === null) {
      this.timers.delete(name)
      return
    }
    this.timers.set(name, due)
    this.times.add(timeOf(name, due))
  }
}

function timeOf(name: string, due: number): string {
  return `${String(due).padStart(16, '0')} ${name}`
}
