/**
 * Who watches a topic now, on any worker: has a subscription that names exactly it, on however many connections. The answer is read from
 * the store's roster, so that no frozen worker holds it up. Changes are told to the connections that asked.
 */
import { HubError, isWildcard, partitionOf, topicFamily, type PresenceResult, type Watcher } from '@hubbub/protocol'
import { checkPresence } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import type { Roster } from '../store/port.js'
import { PresenceNews, roomOf, type Broadcast } from './presence-news.js'
import type { Roll } from './roll.js'
import { watchGroup, Watchers, type Watched } from './watchers.js'

/** What presence needs of a connection. */
export interface Watching {
  readonly identity: Identity
  readonly subscriptions: readonly { topics: readonly string[] }[]
}

/** Takes a connection into a room, or out of it. */
export type Door = (room: string, inside: boolean) => void

export interface PresenceDeps {
  roster: Roster
  roll: Roll
  partitions: number
  settings: Settings
  log: Logger
}

interface Place {
  subject: string
  watches: Map<string, Watched>
  /** Of whose changes it is told. */
  observes: Map<string, { watched: Watched; door: Door }>
}

/** Groups that are swept at a time. */
const WIDTH = 100

export class Presence {
  private readonly watchers: Watchers
  private readonly news: PresenceNews
  private readonly places = new Map<Watching, Place>()
  /** A change of subscriptions, or of the credential, may end after its connection did. */
  private readonly ended = new WeakSet<Watching>()
  /** Observed groups, each with the number of connections that observe it. */
  private readonly observed = new Map<string, { watched: Watched; connections: number }>()
  private tending?: Promise<void>
  private renewedAt = Number.NEGATIVE_INFINITY
  private sweptAt = Number.NEGATIVE_INFINITY
  private sweptFor?: readonly string[]
  private closed = false

  constructor(private readonly deps: PresenceDeps) {
    this.news = new PresenceNews(deps)
    this.watchers = new Watchers({ ...deps, onChange: (watched, subjects) => this.news.note(watched, subjects) })
    deps.roll.onBeat((lapsed) => {
      if (lapsed) this.renewedAt = Number.NEGATIVE_INFINITY
      this.tending ??= this.tend().finally(() => {
        this.tending = undefined
      })
    })
  }

  /** The gateway's way to rooms on every worker. */
  attach(broadcast: Broadcast): void {
    this.news.broadcast = broadcast
  }

  /** The connection's subscriptions, or what it may see, are others than before. */
  follow(connection: Watching): void {
    if (this.ended.has(connection)) return
    const { project, subject, role } = connection.identity
    const place = this.placeOf(connection)
    const wanted = new Set(connection.subscriptions.flatMap(({ topics }) => topics).filter((topic) => !isWildcard(topic) && topicFamily(topic) !== 'inbox'))
    for (const topic of wanted) {
      if (place.watches.has(topic)) continue
      const watched = this.watchedOf(project, topic)
      place.watches.set(topic, watched)
      this.watchers.join(watched, subject, role)
    }
    for (const [topic, watched] of place.watches) {
      if (wanted.has(topic)) continue
      place.watches.delete(topic)
      this.watchers.leave(watched, subject)
    }
    for (const topic of place.observes.keys()) if (!may(connection.identity, 'subscribe', topic)) this.ignore(place, topic)
  }

  gone(connection: Watching): void {
    this.ended.add(connection)
    const place = this.places.get(connection)
    if (!place) return
    this.places.delete(connection)
    for (const watched of place.watches.values()) this.watchers.leave(watched, place.subject)
    for (const topic of [...place.observes.keys()]) this.ignore(place, topic)
  }

  /** Rejects with `HubError`. */
  async ask(connection: Watching, input: unknown, door: Door): Promise<PresenceResult> {
    const { roster, roll, settings } = this.deps
    const { topic, watch } = checkPresence(input)
    if (!may(connection.identity, 'subscribe', topic)) {
      throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to subscribe to ${topic}.`, { topic, needed: needed('subscribe', topic) })
    }
    const watched = this.watchedOf(connection.identity.project, topic)
    // Before the roster is read: whatever changes from then on is told.
    if (watch) this.observe(this.placeOf(connection), watched, door)
    else {
      // No place is made for whoever wants none: nobody would clear it away.
      const place = this.places.get(connection)
      if (place) this.ignore(place, topic)
    }
    await Promise.all([this.watchers.settle(watched.group), roll.hear()])
    const entries = await roster.list(watched.partition, watched.group, roll.alive(settings.graceMs))
    const bySubject = new Map<string, Watcher>()
    for (const { member: subject, info } of entries) {
      const watcher: Watcher = { subject, ...(JSON.parse(info) as Omit<Watcher, 'subject'>) }
      const known = bySubject.get(subject)
      if (!known || watcher.since < known.since) bySubject.set(subject, watcher)
    }
    const watchers = [...bySubject.values()].sort((a, b) => (a.since === b.since ? 0 : a.since < b.since ? -1 : 1))
    const more = watchers.length - settings.presenceWatchers
    return { topic, watchers: watchers.slice(0, settings.presenceWatchers), ...(more > 0 && { more }) }
  }

  /** Leaves everybody in the roster: whoever comes back to another worker in time has not left. */
  async close(): Promise<void> {
    this.closed = true
    this.watchers.close()
    this.news.close()
    await this.tending
  }

  private observe(place: Place, watched: Watched, door: Door): void {
    if (place.observes.has(watched.topic)) return
    const limit = this.deps.settings.maxSubscriptions
    if (place.observes.size >= limit) {
      throw new HubError('SUBSCRIPTION_LIMIT', 'Too many topics whose watchers are told.', { limit, unit: 'subscriptions', setting: 'HUBBUB_MAX_SUBSCRIPTIONS' })
    }
    place.observes.set(watched.topic, { watched, door })
    const { connections } = this.observed.get(watched.group) ?? { connections: 0 }
    this.observed.set(watched.group, { watched, connections: connections + 1 })
    door(roomOf(watched), true)
  }

  private ignore(place: Place, topic: string): void {
    const observing = place.observes.get(topic)
    if (!observing) return
    const { watched, door } = observing
    place.observes.delete(topic)
    const { connections } = this.observed.get(watched.group)!
    if (connections > 1) this.observed.set(watched.group, { watched, connections: connections - 1 })
    else this.observed.delete(watched.group)
    door(roomOf(watched), false)
  }

  /**
   * On each beat. Groups in which somebody of here is are renewed now and then, and each time while others may take this worker for dead. Swept
   * are all when a worker died, and those that are observed now and then, for whoever died while nobody was here to notice.
   */
  private async tend(): Promise<void> {
    const { roll, settings, log } = this.deps
    const now = performance.now()
    try {
      if (!roll.settled || now - this.renewedAt >= settings.workerMs) {
        await this.watchers.renew()
        this.renewedAt = now
      }
      if (!roll.settled) return
      const alive = roll.alive(settings.graceMs)
      const died = !this.sweptFor || this.sweptFor.some((worker) => !alive.includes(worker))
      if (died || now - this.sweptAt >= settings.workerMs) {
        await this.sweep([...(died ? this.watchers.held : []), ...[...this.observed.values()].map(({ watched }) => watched)], alive)
        this.sweptAt = now
      }
      this.sweptFor = alive
    } catch (error) {
      log.debug({ err: error }, 'watchers not looked after; trying again')
    }
  }

  private async sweep(groups: readonly Watched[], alive: readonly string[]): Promise<void> {
    const each = [...new Map(groups.map((watched) => [watched.group, watched])).values()]
    for (let at = 0; at < each.length && !this.closed; at += WIDTH) {
      await Promise.all(each.slice(at, at + WIDTH).map(async (watched) => {
        this.news.note(watched, await this.deps.roster.sweep(watched.partition, watched.group, alive))
      }))
    }
  }

  private placeOf(connection: Watching): Place {
    let place = this.places.get(connection)
    if (!place) this.places.set(connection, (place = { subject: connection.identity.subject, watches: new Map(), observes: new Map() }))
    return place
  }

  private watchedOf(project: string, topic: string): Watched {
    return { partition: partitionOf(project, this.deps.partitions), group: watchGroup(project, topic), project, topic }
  }
}
