/**
 * The state of what some topics name, kept by whoever watches them: a snapshot, and the events behind it. A page of a snapshot may be
 * younger than the events that come next: an entity's revision tells which of them it holds already.
 */
import { isAfter, type Offset } from '../cursor.js'
import type { HubEvent } from '../envelope.js'
import type { EntityView } from '../messages.js'
import { topicMatches } from '../topics.js'
import { entityTopics, KINDS, type Entities, type Entity, type Kind } from './entities.js'
import { evolve, type Change } from './evolve.js'

export class StateView {
  private readonly held = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as Record<Kind, Map<string, EntityView>>

  /** @param topics topics and topic patterns: entities of others are not kept */
  constructor(private readonly topics: readonly string[], entities: Iterable<EntityView> = []) {
    for (const entity of entities) this.put(entity)
  }

  /** A page of the snapshot; what is held already in a later revision stays. */
  put(entity: EntityView): void {
    const held = this.held[entity.kind].get(entity.id)
    if (!held || isAfter(entity.revision, held.revision)) this.held[entity.kind].set(entity.id, entity)
  }

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.held[kind].get(id) as EntityView<K> | undefined
  }

  /** In the order in which they became known. */
  list<K extends Kind>(kind: K): EntityView<K>[] {
    return [...this.held[kind].values()] as EntityView<K>[]
  }

  /** Answers what changed. Events are to come in journal order; one that an entity holds already changes nothing of it. */
  apply(event: HubEvent, offset: Offset): Change[] {
    const changes = evolve(event, (kind, id) => this.plain(kind, id))
    return changes.filter(({ kind, id, entity }) => {
      const held = this.held[kind].get(id)
      if (held && !isAfter(offset, held.revision)) return false
      if (!entity) return this.held[kind].delete(id)
      if (!this.isWatched(kind, entity)) return this.held[kind].delete(id)
      this.held[kind].set(id, { ...entity, kind, revision: offset } as EntityView)
      return true
    })
  }

  /** As the reducers know it: without what only views have. */
  private plain<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    const held = this.held[kind].get(id)
    if (!held) return undefined
    const { kind: _, revision: __, ...entity } = held
    return entity as Entities[K]
  }

  private isWatched(kind: Kind, entity: Entity): boolean {
    return entityTopics(kind, entity as never).some((topic) => this.topics.some((pattern) => topicMatches(pattern, topic)))
  }
}
