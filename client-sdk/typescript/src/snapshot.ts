/** The state of what topics name, page by page. */
import { StateView, type Cursor, type EntityView, type Kind, type SnapshotRequest, type SnapshotResult } from '@hubbub/protocol'

/** Entities as of one moment. */
export interface Snapshot {
  /** The events behind it are not in it; a subscription `since` it brings them. */
  readonly cursor: Cursor
  /** In the order of creation, kind by kind. */
  readonly entities: readonly EntityView[]
  readonly get: <K extends Kind>(kind: K, id: string) => EntityView<K> | undefined
  readonly list: <K extends Kind>(kind: K) => EntityView<K>[]
}

/** Asks until there is no more. Of an entity that two pages show, the later one is the younger. */
export async function readSnapshot(topics: readonly string[], ask: (request: SnapshotRequest) => Promise<SnapshotResult>): Promise<Snapshot> {
  const { cursor, ...first } = await ask({ topics: [...topics] })
  const state = new StateView(topics, first.entities)
  for (let after = first.next; after !== undefined; ) {
    const page = await ask({ topics: [...topics], after })
    for (const entity of page.entities) state.put(entity)
    after = page.next
  }
  return { cursor, entities: state.all(), get: (kind, id) => state.get(kind, id), list: (kind) => state.list(kind) }
}
