/** What the fake hub knows: its events, folded as a hub folds its journal. */
import {
  entityTopics, evolve, HubError, isTopicPattern,
  type Cursor, type Entities, type EntityView, type HubEvent, type Kind, type Offset, type SnapshotRequest, type SnapshotResult,
} from '@hubbub/protocol'
import { isWatched, Shelf } from './snapshot.js'
import { viewOf } from './watch.js'

export class FakeState {
  readonly #shelf = new Shelf()

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.#shelf.get(kind, id)
  }

  /** Answers the topics of all that the event changed: it is theirs, too. */
  fold(event: HubEvent, offset: Offset): string[] {
    const topics = new Set<string>()
    for (const { kind, id, entity } of evolve(event, (known, key) => this.#lookUp(known, key))) {
      const before = this.#shelf.get(kind, id)
      const after = entity && viewOf(kind, entity, offset)
      for (const view of [before, after]) if (view) for (const topic of entityTopics(view.kind, view)) topics.add(topic)
      if (after) this.#shelf.put(after)
      else this.#shelf.drop(kind, id)
    }
    return [...topics]
  }

  snapshot({ topics, after = '0', limit = 1000 }: SnapshotRequest, cursor: Cursor): SnapshotResult {
    const strange = topics.find((pattern) => !isTopicPattern(pattern))
    if (strange !== undefined || topics.length === 0) throw new HubError('INVALID_TOPIC', undefined, { topic: strange })
    const found = this.#shelf.all().filter((view) => isWatched(topics, view))
    const from = Number(after)
    const next = from + limit < found.length ? { next: String(from + limit) } : {}
    return { cursor, entities: found.slice(from, from + limit), ...next }
  }

  #lookUp<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    return this.#shelf.get(kind, id) as Entities[K] | undefined
  }
}
