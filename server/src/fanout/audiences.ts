/**
 * Live delivery costs by audience, not by socket: a distinct set of interests in one encoding. For a burst the audiences
 * concerned are found by topic, each decides once which entries it gets, and all its sessions share the buffers.
 */
import { BARE_TOPICS, isWildcard, passes, topicFamily, topicMatches, type Interest } from '@hubbub/protocol'
import { chunksOf, type Chunk, type Encoding, type TailEntry } from './entry.js'
import type { Session } from './session.js'

export interface Audience {
  readonly key: string
  readonly project: string
  readonly encoding: Encoding
  readonly interests: readonly Interest[]
  readonly sessions: Set<Session>
}

export class Audiences {
  private readonly byKey = new Map<string, Audience>()
  private readonly of = new Map<Session, Audience>()
  private readonly projects = new Map<string, ProjectIndex>()

  get count(): number {
    return this.byKey.size
  }

  join(session: Session): void {
    const key = session.audienceKey
    let audience = this.byKey.get(key)
    if (!audience) {
      audience = { key, project: session.project, encoding: session.outlet.encoding, interests: [...session.subscriptions.values()], sessions: new Set() }
      this.byKey.set(key, audience)
      this.index(audience.project).add(audience)
    }
    audience.sessions.add(session)
    this.of.set(session, audience)
  }

  leave(session: Session): void {
    const audience = this.of.get(session)
    if (!audience) return
    this.of.delete(session)
    audience.sessions.delete(session)
    if (audience.sessions.size > 0) return
    this.byKey.delete(audience.key)
    const index = this.index(audience.project)
    index.remove(audience)
    if (index.isEmpty) this.projects.delete(audience.project)
  }

  sessions(): Iterable<Session> {
    return this.of.keys()
  }

  /** For each audience concerned its chunks, in journal order; an entry that matches twice goes once. */
  route(burst: readonly TailEntry[]): Map<Audience, Chunk[]> {
    const hits = new Map<Audience, TailEntry[]>()
    for (const entry of burst) {
      this.projects.get(entry.event.project)?.match(entry, (audience) => {
        const entries = hits.get(audience)
        if (!entries) hits.set(audience, [entry])
        else if (entries[entries.length - 1] !== entry) entries.push(entry)
      })
    }
    const routed = new Map<Audience, Chunk[]>()
    for (const [audience, entries] of hits) routed.set(audience, chunksOf(entries, audience.encoding))
    return routed
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
