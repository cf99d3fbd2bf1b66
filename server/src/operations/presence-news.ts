/**
 * Who joined or left a topic, told to the connections that asked: as one signal for all that comes within HUBBUB_PRESENCE_MS, so that a
 * thousand who join together cost each of them a few signals, not a thousand.
 */
import type { PresenceChange, Signal } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { topicKey, type Roster } from '../store/port.js'
import type { Roll } from './roll.js'
import type { Watched } from './watchers.js'

/** Reaches everybody in the rooms, on every worker. */
export type Broadcast = (rooms: string[], signal: Signal) => void

export interface PresenceNewsDeps {
  roster: Pick<Roster, 'present'>
  roll: Pick<Roll, 'alive'>
  settings: Pick<Settings, 'graceMs' | 'presenceMs' | 'presenceNames'>
  log: Logger
}

/** Of the connections that asked for the topic's watchers; those of its subscribers have no word before the project. */
export function roomOf({ project, topic }: Watched): string {
  return `presence ${topicKey(project, topic)}`
}

export class PresenceNews {
  broadcast?: Broadcast
  private readonly gathered = new Map<string, Set<string>>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private closed = false

  constructor(private readonly deps: PresenceNewsDeps) {}

  /** The first change of a topic waits for others. */
  note(watched: Watched, subjects: Iterable<string>): void {
    for (const subject of subjects) {
      const known = this.gathered.get(watched.group)
      if (known) known.add(subject)
      else this.begin(watched, subject)
    }
  }

  close(): void {
    this.closed = true
    for (const timer of this.timers) clearTimeout(timer)
  }

  private begin(watched: Watched, subject: string): void {
    if (this.closed) return
    const { settings, log } = this.deps
    const subjects = new Set([subject])
    this.gathered.set(watched.group, subjects)
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      this.gathered.delete(watched.group)
      this.tell(watched, [...subjects]).catch((error: unknown) => {
        log.debug({ err: error, ...watched }, 'watchers not told; trying again')
        this.note(watched, subjects)
      })
    }, settings.presenceMs).unref()
    this.timers.add(timer)
  }

  /**
   * How each stands at this moment, not how it stood when the change was noted: somebody who left here and joined on another worker meanwhile
   * would be told by both, in any order.
   */
  private async tell(watched: Watched, subjects: readonly string[]): Promise<void> {
    const { roster, roll, settings } = this.deps
    const present = new Set(await roster.present(watched.partition, watched.group, subjects, roll.alive(settings.graceMs)))
    const joined = subjects.filter((subject) => present.has(subject))
    const left = subjects.filter((subject) => !present.has(subject))
    const most = settings.presenceNames
    const more = Math.max(0, joined.length - most) + Math.max(0, left.length - most)
    const data: PresenceChange = { joined: joined.slice(0, most), left: left.slice(0, most), ...(more > 0 && { more }) }
    this.broadcast?.([roomOf(watched)], { topic: watched.topic, name: 'presence.changed', data, source: '/hub', timestamp: Date.now() })
  }
}
