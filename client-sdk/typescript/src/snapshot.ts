/** The state of what topics name, page by page. */
import { HubError, StateView, type Cursor, type EntityView, type Kind, type SnapshotRequest, type SnapshotResult } from '@hubbub/protocol'

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
  const state = new StateView(topics)
  take(state, first.entities)
  for (let after = first.next; after !== undefined; ) {
    const page = await ask({ topics: [...topics], after })
    take(state, page.entities)
    after = page.next
  }
  return { cursor, entities: state.all(), get: (kind, id) => state.get(kind, id), list: (kind) => state.list(kind) }
}

/** What is inside of an entity is looked at only here: a field of another form is the hub's fault, not this program's. */
function take(state: StateView, entities: readonly EntityView[]): void {
  try {
    for (const entity of entities) state.put(entity)
  } catch (cause) {
    throw new HubError('INTERNAL_ERROR', 'The hub\'s snapshot cannot be read.', undefined, { cause })
  }
}
