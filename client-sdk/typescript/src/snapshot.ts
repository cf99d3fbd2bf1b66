/** The state of what topics name, page by page; and the shelf on which entities stand, one of each kind and id. */
import { entityTopics, topicMatches, type Cursor, type EntityView, type Kind, type SnapshotRequest, type SnapshotResult } from '@hubbub/protocol'

/** Entities as of one moment. */
export interface Snapshot {
  /** The events behind it are not in it; a subscription `since` it brings them. */
  readonly cursor: Cursor
  /** In the order of creation, kind by kind. */
  readonly entities: readonly EntityView[]
  readonly get: <K extends Kind>(kind: K, id: string) => EntityView<K> | undefined
  readonly list: <K extends Kind>(kind: K) => EntityView<K>[]
}

/** Entities by kind and id. */
export class Shelf {
  readonly #byKey = new Map<string, EntityView>()

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.#byKey.get(keyOf(kind, id)) as EntityView<K> | undefined
  }

  list<K extends Kind>(kind: K): EntityView<K>[] {
    return this.all().filter((view) => view.kind === kind) as EntityView<K>[]
  }

  all(): EntityView[] {
    return [...this.#byKey.values()]
  }

  put(view: EntityView): void {
    this.#byKey.set(keyOf(view.kind, view.id), view)
  }

  drop(kind: Kind, id: string): void {
    this.#byKey.delete(keyOf(kind, id))
  }
}

/** Asks until there is no more. Of an entity that two pages show, the later one is the younger. */
export async function readSnapshot(topics: readonly string[], ask: (request: SnapshotRequest) => Promise<SnapshotResult>): Promise<Snapshot> {
  const shelf = new Shelf()
  const { cursor, ...first } = await ask({ topics: [...topics] })
  for (const view of first.entities) shelf.put(view)
  for (let after = first.next; after !== undefined; ) {
    const page = await ask({ topics: [...topics], after })
    for (const view of page.entities) shelf.put(view)
    after = page.next
  }
  return { cursor, entities: shelf.all(), get: (kind, id) => shelf.get(kind, id), list: (kind) => shelf.list(kind) }
}

/** Whether its state is seen by whoever watches the topics. */
export function isWatched(patterns: readonly string[], view: EntityView): boolean {
  const topics = entityTopics(view.kind, view)
  return patterns.some((pattern) => topics.some((topic) => topicMatches(pattern, topic)))
}

function keyOf(kind: Kind, id: string): string {
  return `${kind} ${id}`
}
