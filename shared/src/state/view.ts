/**
 * The state of what some topics name, kept by whoever watches them: a snapshot, and the events behind it. A page of a snapshot may be
 * younger than the events that come next: an entity's revision tells which of them it holds already.
 */
import { isAfter, type Offset } from '../cursor.js'
import type { HubEvent } from '../envelope.js'
import type { EntityView } from '../messages.js'
import { topicMatches } from '../topics.js'
import { entityTopics, KINDS, type Entities, type Entity, type Kind } from './entities.js'
import { evolve } from './evolve.js'

/** An entity before and after; never both undefined. */
export interface ViewChange {
  readonly kind: Kind
  readonly id: string
  readonly before: EntityView | undefined
  /** Undefined: it is forgotten, or no longer belongs to what is watched. */
  readonly after: EntityView | undefined
}

export class StateView {
  private readonly held = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as Record<Kind, Map<string, EntityView>>

  /** @param topics topics and topic patterns: entities of others are not kept */
  constructor(private readonly topics: readonly string[], entities: Iterable<EntityView> = []) {
    for (const entity of entities) this.put(entity)
  }

  /** As a page of a snapshot shows it; what is held already in a later revision stays. */
  put(entity: EntityView): void {
    const held = this.get(entity.kind, entity.id)
    if (isWatched(this.topics, entity.kind, entity) && (!held || isAfter(entity.revision, held.revision))) this.held[entity.kind].set(entity.id, entity)
  }

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.held[kind].get(id) as EntityView<K> | undefined
  }

  /** In the order in which they became known. */
  list<K extends Kind>(kind: K): EntityView<K>[] {
    return [...this.held[kind].values()] as EntityView<K>[]
  }

  /** Kind by kind. */
  all(): EntityView[] {
    return KINDS.flatMap((kind) => this.list(kind))
  }

  /** Events are to come in journal order; one that an entity holds already changes nothing of it. */
  apply(event: HubEvent, offset: Offset): ViewChange[] {
    return evolve(event, (kind, id) => this.plain(kind, id)).flatMap(({ kind, id, entity }) => {
      const before = this.get(kind, id)
      if (before && !isAfter(offset, before.revision)) return []
      const view = entity && ({ ...entity, kind, revision: offset } as EntityView)
      const after = view && isWatched(this.topics, kind, view) ? view : undefined
      if (!before && !after) return []
      if (after) this.held[kind].set(id, after)
      else this.held[kind].delete(id)
      return [{ kind, id, before, after }]
    })
  }

  /** As the reducers know it: without what only views have. */
  private plain<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    const held = this.get(kind, id)
    if (!held) return undefined
    const { kind: _, revision: __, ...entity } = held
    return entity as unknown as Entities[K]
  }
}

/** Whether its state is seen by whoever watches the topics. */
export function isWatched(patterns: readonly string[], kind: Kind, entity: Entity): boolean {
  const topics = entityTopics(kind, entity as never)
  return patterns.some((pattern) => topics.some((topic) => topicMatches(pattern, topic)))
}
