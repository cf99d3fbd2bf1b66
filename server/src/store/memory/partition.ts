/** One partition in memory: what `hubbub:{pN}:*` is in Redis. All of its changes are made in one synchronous step. */
import { ORIGIN, type Offset } from '@hubbub/protocol'
import { nonce } from '../nonce.js'
import { SOURCES, type DeadLetter, type Epoch, type JournalEntry, type Origin, type Positions, type SessionRecord, type SourceEntry, type SourceName } from '../port.js'
import { Bell } from './bell.js'
import { MemoryState } from './entities.js'
import { Log, OffsetClock } from './log.js'

export interface MemoryEntry extends JournalEntry {
  topics: readonly string[]
  /** Bytes of event JSON up to and including this entry. */
  bytes: number
  origin: Origin
}

export interface Lease {
  owner: string
  /** ms since the epoch */
  until: number
}

export type EventLog = Log<MemoryEntry>

export const journalLog = (): EventLog => new Log((entry) => entry.offset)

export class Source {
  readonly entries = new Log<SourceEntry>((entry) => entry.id)
  readonly clock = new OffsetClock()

  constructor(readonly name: SourceName) {}

  append(fields: Record<string, string>): Offset {
    const id = this.clock.next()
    this.entries.push({ stream: this.name, id, fields })
    return id
  }
}

export class MemoryPartition {
  readonly sources: Record<SourceName, Source> = perSource((name) => new Source(name))
  /** Rings when a source stream, or when the journal, has grown. */
  readonly sourceBell = new Bell()
  readonly journalBell = new Bell()
  /** Key to ms until which it counts as used. */
  readonly once = new Map<string, number>()

  readonly journal = journalLog()
  readonly clock = new OffsetClock()
  readonly topics = new Map<string, EventLog>()
  /** Memory forgets at each start: so does every cursor of an earlier one (I2). */
  readonly epochs: Epoch[] = [{ nonce: nonce(), start: ORIGIN }]
  /** Nonce of an epoch to the processor that began it. */
  readonly owners = new Map<string, string>()
  last: Offset = ORIGIN
  floor: Offset = ORIGIN
  bytes = 0

  lease: Lease | undefined
  fence = ''
  batch = 0
  result: Offset[] = []
  positions: Positions = perSource(() => ORIGIN)
  /** Current generation first. */
  seen: [Map<string, string>, Map<string, string>] = [new Map(), new Map()]
  seenSince = Date.now()

  readonly state = new MemoryState()

  readonly dead = new Log<DeadLetter>((letter) => letter.id)
  readonly deadClock = new OffsetClock()
  /** Letters that ever lay in it. */
  deadEver = 0
  readonly sessions = new Map<string, { generation: number; record: SessionRecord; until: number }>()

  constructor(readonly number: number) {}

  outcomeOf(key: string): string | null {
    return this.seen[0].get(key) ?? this.seen[1].get(key) ?? null
  }
}

export function perSource<T>(make: (name: SourceName) => T): Record<SourceName, T> {
  return Object.fromEntries(SOURCES.map((name) => [name, make(name)])) as Record<SourceName, T>
}
