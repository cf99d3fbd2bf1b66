/**
 * Who watches what on this worker, kept in the store's roster. Changes are gathered, so that a client with 50 topics and 1,000 clients of
 * one topic cost a command a topic; whoever leaves goes only after the grace, if by then nobody on any worker is there for him.
 */
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { topicKey, type Roster, type RosterChange } from '../store/port.js'
import type { Roll } from './roll.js'

/** A watched topic, and the roster's group for it. */
export interface Watched {
  partition: number
  group: string
  project: string
  topic: string
}

export interface WatchersDeps {
  roster: Roster
  roll: Pick<Roll, 'worker' | 'alive' | 'hear'>
  settings: Pick<Settings, 'graceMs'>
  log: Logger
  /** Who came to watch the topic or left it, as far as this worker's changes go. */
  onChange: (watched: Watched, subjects: readonly string[]) => void
}

/** A subject here. */
interface Place {
  connections: number
  /** JSON of role and since. */
  info: string
  /** `performance.now()` at which the grace is over; of somebody without connections. */
  leavesAt: number
  /** The roster may hold it: it was sent, whatever came back. */
  sent: boolean
}

interface Group {
  watched: Watched
  places: Map<string, Place>
  /** Subjects of whom the roster is to be told. */
  changed: Set<string>
  writing?: Promise<void>
}

const GATHER_MS = 200
const RETRY_MS = 1000
/** Groups that are written at a time. */
const WIDTH = 100

export function watchGroup(project: string, topic: string): string {
  return `watch ${topicKey(project, topic)}`
}

export class Watchers {
  private readonly groups = new Map<string, Group>()
  private readonly unwritten = new Set<Group>()
  /** In the order of their time, the grace being the same for all. */
  private readonly departures: { group: Group; subject: string; at: number }[] = []
  private gathering?: NodeJS.Timeout
  private departing?: NodeJS.Timeout
  private closed = false

  constructor(private readonly deps: WatchersDeps) {}

  join(watched: Watched, subject: string, role: string): void {
    const group = this.groups.get(watched.group) ?? { watched, places: new Map<string, Place>(), changed: new Set<string>() }
    this.groups.set(watched.group, group)
    const place = group.places.get(subject)
    if (place) place.connections++
    else group.places.set(subject, { connections: 1, info: JSON.stringify({ role, since: new Date().toISOString() }), leavesAt: 0, sent: false })
    if (!place?.sent) this.change(group, subject)
  }

  leave(watched: Watched, subject: string): void {
    const group = this.groups.get(watched.group)
    const place = group?.places.get(subject)
    if (!group || !place || --place.connections > 0) return
    place.leavesAt = performance.now() + this.deps.settings.graceMs
    this.departures.push({ group, subject, at: place.leavesAt })
    this.departing ??= setTimeout(() => this.depart(), this.deps.settings.graceMs).unref()
  }

  /** Resolves when the roster has what is gathered of the group; rejects when the store is away. */
  async settle(group: string): Promise<void> {
    const held = this.groups.get(group)
    if (held) await this.write(held)
  }

  get held(): readonly Watched[] {
    return [...this.groups.values()].map(({ watched }) => watched)
  }

  /** Keeps the groups from ending, and writes again what the store lost, or what was swept while this worker passed for dead. */
  async renew(): Promise<void> {
    const byPartition = new Map<number, Group[]>()
    for (const group of this.groups.values()) {
      const known = byPartition.get(group.watched.partition)
      if (known) known.push(group)
      else byPartition.set(group.watched.partition, [group])
    }
    for (const [partition, groups] of byPartition) {
      const counts = await this.deps.roster.renew(partition, groups.map(({ watched }) => watched.group), this.deps.roll.worker)
      for (const [at, group] of groups.entries()) {
        const sent = [...group.places].filter(([, place]) => place.sent)
        if (counts[at]! < sent.length) for (const [subject] of sent) this.change(group, subject)
      }
    }
  }

  close(): void {
    this.closed = true
    clearTimeout(this.gathering)
    clearTimeout(this.departing)
  }

  private change(group: Group, subject: string): void {
    group.changed.add(subject)
    this.unwritten.add(group)
    if (!this.closed) this.gathering ??= setTimeout(() => void this.flush(), GATHER_MS).unref()
  }

  private depart(): void {
    const now = performance.now()
    let due = 0
    for (; due < this.departures.length && this.departures[due]!.at <= now; due++) {
      const { group, subject, at } = this.departures[due]!
      const place = group.places.get(subject)
      // Whoever came back and left again departs at a later time.
      if (place?.connections === 0 && place.leavesAt === at) this.change(group, subject)
    }
    this.departures.splice(0, due)
    const [next] = this.departures
    this.departing = next && !this.closed ? setTimeout(() => this.depart(), Math.max(1, next.at - now)).unref() : undefined
  }

  private async flush(): Promise<void> {
    // Nobody's last place may go because this worker has not heard yet of the one that he went to.
    await this.deps.roll.hear()
    const groups = [...this.unwritten]
    let failed = false
    for (let at = 0; at < groups.length && !this.closed; at += WIDTH) {
      await Promise.all(groups.slice(at, at + WIDTH).map((group) => this.write(group).catch((error: unknown) => {
        failed = true
        this.deps.log.debug({ err: error, ...group.watched }, 'watchers not written; trying again')
      })))
    }
    this.gathering = undefined
    if (this.unwritten.size > 0 && !this.closed) this.gathering = setTimeout(() => void this.flush(), failed ? RETRY_MS : GATHER_MS).unref()
  }

  /** One at a time a group: two updates under way could overtake each other. */
  private async write(group: Group): Promise<void> {
    while (group.writing) await group.writing.catch(() => undefined)
    if (group.changed.size === 0) return
    group.writing = this.send(group)
    try {
      await group.writing
    } finally {
      group.writing = undefined
    }
  }

  private async send(group: Group): Promise<void> {
    const { roster, roll, settings, onChange } = this.deps
    const { watched, places, changed } = group
    const changes: RosterChange[] = []
    for (const member of changed) {
      const place = places.get(member)
      if (!place) continue
      const leaves = place.connections === 0 && place.leavesAt <= performance.now()
      // Who came and went before anybody was told was never there.
      if (place.connections === 0 && !place.sent) places.delete(member)
      else changes.push({ member, info: leaves ? null : place.info })
      place.sent = true
    }
    changed.clear()
    this.unwritten.delete(group)
    try {
      if (changes.length > 0) {
        const { joined, left } = await roster.update(watched.partition, watched.group, roll.worker, changes, roll.alive(settings.graceMs))
        onChange(watched, [...joined, ...left])
      }
    } catch (error) {
      // It may have happened all the same: sent once more, which then changes nothing.
      for (const { member } of changes) this.change(group, member)
      throw error
    }
    for (const { member, info } of changes) if (info === null) this.gone(group, member)
    if (places.size === 0) this.groups.delete(watched.group)
  }

  /** The roster does not hold it any more; meanwhile it may have come back. */
  private gone(group: Group, member: string): void {
    const place = group.places.get(member)
    if (!place) return
    place.sent = false
    if (place.connections > 0) this.change(group, member)
    else group.places.delete(member)
  }
}
