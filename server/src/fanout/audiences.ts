/**
 * Live delivery costs by audience, not by socket: a distinct set of interests in one encoding. For a burst the audiences
 * concerned are found by topic, each decides once which entries it gets, and all its sessions share the buffers.
 * Mail is no interest of an audience, or each agent would be one of its own: whose mail is in a burst gets buffers of its own for
 * that burst, mail and audience's entries in journal order (I1).
 */
import { BARE_TOPICS, compareOffsets, isWildcard, passes, topicFamily, topicMatches, type Interest } from '@hubbub/protocol'
import { topicKey } from '../store/port.js'
import { chunksOf, type Chunk, type Encoding, type TailEntry } from './entry.js'
import type { Holding } from './holding.js'
import { pacedChunks } from './pace.js'
import type { Session } from './session.js'
import type { Subscription } from './subscription.js'

export interface Audience {
  readonly key: string
  readonly project: string
  readonly encoding: Encoding
  readonly interests: readonly Subscription[]
  readonly sessions: Set<Session>
  /** Some of its subscriptions gather events. */
  readonly isPaced: boolean
  /** What they wait for. */
  holding?: Holding
}

/** A burst's chunks, each in journal order. Who is in `mailed` gets those, and not its audience's. */
export interface Routed {
  shared: Map<Audience, Chunk[]>
  /** Audiences that gather, with what there is to gather. */
  paced: Map<Audience, TailEntry[]>
  mailed: Map<Session, Chunk[]>
}

/** Of each entry, how many sessions a burst was given to, after it was: who could not take it has left its audience. */
export function receiversOf({ shared, mailed }: Pick<Routed, 'shared' | 'mailed'>): Map<TailEntry, number> {
  const receivers = new Map<TailEntry, number>()
  const add = (chunks: readonly Chunk[], sessions: number) => {
    if (sessions === 0) return
    for (const { entries } of chunks) for (const entry of entries) receivers.set(entry, (receivers.get(entry) ?? 0) + sessions)
  }
  for (const [{ sessions }, chunks] of shared) add(chunks, [...sessions].filter((session) => !mailed.has(session)).length)
  for (const [session, chunks] of mailed) if (session.state === 'live') add(chunks, 1)
  return receivers
}

export class Audiences {
  private readonly byKey = new Map<string, Audience>()
  /** By `topicKey` of the inbox. */
  private readonly readers = new Map<string, Set<Session>>()
  private readonly of = new Map<Session, Audience>()
  private readonly projects = new Map<string, ProjectIndex>()

  get count(): number {
    return this.byKey.size
  }

  join(session: Session): Audience {
    const key = session.audienceKey
    let audience = this.byKey.get(key)
    if (!audience) {
      const interests = session.chosen
      audience = { key, project: session.project, encoding: session.outlet.encoding, interests, sessions: new Set(), isPaced: interests.some(({ pace }) => pace !== undefined) }
      this.byKey.set(key, audience)
      this.index(audience.project).add(audience)
    }
    audience.sessions.add(session)
    this.of.set(session, audience)
    for (const inbox of inboxKeys(session)) {
      const readers = this.readers.get(inbox)
      if (readers) readers.add(session)
      else this.readers.set(inbox, new Set([session]))
    }
    return audience
  }

  leave(session: Session): void {
    const audience = this.of.get(session)
    if (!audience) return
    this.of.delete(session)
    audience.sessions.delete(session)
    for (const inbox of inboxKeys(session)) {
      const readers = this.readers.get(inbox)
      readers?.delete(session)
      if (readers?.size === 0) this.readers.delete(inbox)
    }
    if (audience.sessions.size > 0) return
    this.byKey.delete(audience.key)
    const index = this.index(audience.project)
    index.remove(audience)
    if (index.isEmpty) this.projects.delete(audience.project)
  }

  audienceOf(session: Session): Audience | undefined {
    return this.of.get(session)
  }

  /** The audience that the session would join, where there is one already. */
  audienceFor(session: Session): Audience | undefined {
    return this.byKey.get(session.audienceKey)
  }

  sessions(): Iterable<Session> {
    return this.of.keys()
  }

  /** An entry that matches twice goes once. */
  route(burst: readonly TailEntry[]): Routed {
    const hits = new Map<Audience, TailEntry[]>()
    for (const entry of burst) {
      this.projects.get(entry.event.project)?.match(entry, (audience) => {
        const entries = hits.get(audience)
        if (!entries) hits.set(audience, [entry])
        else if (entries[entries.length - 1] !== entry) entries.push(entry)
      })
    }
    const routed: Routed = { shared: new Map(), paced: new Map(), mailed: new Map() }
    for (const [session, mail] of this.mailIn(burst)) {
      const others = hits.get(this.of.get(session)!) ?? []
      const entries = [...new Set([...others, ...mail])].sort((a, b) => compareOffsets(a.offset, b.offset))
      routed.mailed.set(session, pacedChunks(entries, [...session.subscriptions.values()], session.outlet.encoding))
    }
    for (const [audience, entries] of hits) {
      if (audience.isPaced) routed.paced.set(audience, entries)
      else routed.shared.set(audience, chunksOf(entries, audience.encoding, audience.interests))
    }
    return routed
  }

  private mailIn(burst: readonly TailEntry[]): Map<Session, TailEntry[]> {
    const found = new Map<Session, TailEntry[]>()
    if (this.readers.size === 0) return found
    for (const entry of burst) {
      for (const topic of entry.event.topics) {
        if (!topic.startsWith('inbox:')) continue
        for (const session of this.readers.get(topicKey(entry.event.project, topic)) ?? []) {
          const mail = found.get(session)
          if (mail) mail.push(entry)
          else found.set(session, [entry])
        }
      }
    }
    return found
  }

  private index(project: string): ProjectIndex {
    let index = this.projects.get(project)
    if (!index) {
      index = new ProjectIndex()
      this.projects.set(project, index)
    }
    return index
  }
}

function inboxKeys(session: Session): string[] {
  return (session.inbox?.topics ?? []).map((topic) => topicKey(session.project, topic))
}

interface Place {
  pattern: string
  interest: Interest
  audience: Audience
}

/** Where an interest is looked for: under its exact topic, under a wildcard's family, or among those of everything. */
class ProjectIndex {
  private readonly exact = new Map<string, Set<Place>>()
  private readonly families = new Map<string, Set<Place>>()
  private readonly places = new Map<Audience, Place[]>()

  get isEmpty(): boolean {
    return this.places.size === 0
  }

  add(audience: Audience): void {
    const places = audience.interests.flatMap((interest) => interest.topics.map((pattern) => ({ pattern, interest, audience })))
    this.places.set(audience, places)
    for (const place of places) {
      const [map, key] = this.shelf(place.pattern)
      const shelf = map.get(key)
      if (shelf) shelf.add(place)
      else map.set(key, new Set([place]))
    }
  }

  remove(audience: Audience): void {
    for (const place of this.places.get(audience) ?? []) {
      const [map, key] = this.shelf(place.pattern)
      const shelf = map.get(key)
      shelf?.delete(place)
      if (shelf?.size === 0) map.delete(key)
    }
    this.places.delete(audience)
  }

  match(entry: TailEntry, hit: (audience: Audience) => void): void {
    const { event } = entry
    for (const topic of event.topics) {
      for (const place of this.exact.get(topic) ?? []) if (passes(place.interest, event)) hit(place.audience)
      for (const key of [topicFamily(topic), '*']) {
        for (const place of this.families.get(key) ?? []) {
          if (topicMatches(place.pattern, topic) && passes(place.interest, event)) hit(place.audience)
        }
      }
    }
  }

  private shelf(pattern: string): [Map<string, Set<Place>>, string] {
    return isWildcard(pattern) ? [this.families, topicFamily(pattern)] : [this.exact, pattern]
  }
}

/** Label for metrics: bounded by the grammar. */
export function familyLabel(pattern: string): string {
  return pattern === '*' || (BARE_TOPICS as readonly string[]).includes(pattern) ? pattern : topicFamily(pattern)
}
