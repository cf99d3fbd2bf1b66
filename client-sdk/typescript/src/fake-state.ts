/** What the fake hub knows: its events, folded as a hub folds its journal. */
import { entityTopics, HubError, isTopicPattern, isWatched, StateView, type Cursor, type EntityView, type HubEvent, type Kind, type Offset, type SnapshotRequest, type SnapshotResult } from '@hubbub/protocol'

export class FakeState {
  readonly #state = new StateView(['*', 'project'])

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.#state.get(kind, id)
  }

  /** Answers the topics of all that the event changed: it is theirs, too. */
  fold(event: HubEvent, offset: Offset): string[] {
    const topics = new Set<string>()
    for (const { before, after } of this.#state.apply(event, offset)) {
      for (const view of [before, after]) if (view) for (const topic of entityTopics(view.kind, view)) topics.add(topic)
    }
    return [...topics]
  }

  snapshot({ topics, after = '0', limit = 1000 }: SnapshotRequest, cursor: Cursor): SnapshotResult {
    const strange = topics.find((pattern) => !isTopicPattern(pattern))
    if (strange !== undefined || topics.length === 0) throw new HubError('INVALID_TOPIC', undefined, { topic: strange })
    const found = this.#state.all().filter((view) => isWatched(topics, view.kind, view))
    const from = Number(after)
    const next = from + limit < found.length ? { next: String(from + limit) } : {}
    return { cursor, entities: found.slice(from, from + limit), ...next }
  }
}
