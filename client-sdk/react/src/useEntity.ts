import { useCallback, useSyncExternalStore } from 'react'
import type { EntityView, HubError, Kind } from '@hubbub/client'
import { useSession } from './provider.js'
import { LOADING, NONE, type Phase, type WatchStore } from './watchStore.js'

export interface EntityState<K extends Kind = Kind> {
  /** Undefined while it is loading, and when there is none (any more). */
  readonly entity: EntityView<K> | undefined
  /** Until the first snapshot. */
  readonly isLoading: boolean
  /** Why there is no state to show: the hub's refusal. */
  readonly error: HubError | undefined
}

export interface EntitiesView<K extends Kind = Kind> {
  /** In the order in which they became known. The same array as long as none of them changes. */
  readonly entities: readonly EntityView<K>[]
  readonly isLoading: boolean
  readonly error: HubError | undefined
}

const IDLE: Phase = { isLoading: false, error: undefined }
const never = (): (() => void) => () => undefined

/**
 * One task, agent, pipeline, ...: its present state, then every change. Components that ask for the same share a subscription. Without
 * an id nothing is asked for.
 */
export function useEntity<K extends Kind>(kind: K, id: string | undefined): EntityState<K> {
  const store = useWatch(id === undefined ? undefined : topicOf(kind, id))
  const entity = useShown(store, () => (id === undefined ? undefined : store?.snapshot().shelves.get(kind)?.byId.get(id)), undefined)
  return { entity: entity as EntityView<K> | undefined, ...usePhase(store) }
}

/** All entities of a kind that a topic or topic pattern names: `useEntities('pipeline:release-7', 'task')`. Without a topic nothing is asked for. */
export function useEntities<K extends Kind>(topic: string | undefined, kind: K): EntitiesView<K> {
  const store = useWatch(topic)
  const entities = useShown(store, () => store?.snapshot().shelves.get(kind)?.list ?? NONE, NONE)
  return { entities: entities as readonly EntityView<K>[], ...usePhase(store) }
}

function useWatch(topic: string | undefined): WatchStore | undefined {
  const session = useSession()
  return topic === undefined ? undefined : session.watch(topic)
}

function usePhase(store: WatchStore | undefined): Phase {
  return useShown(store, () => store?.snapshot().phase ?? IDLE, store ? LOADING : IDLE)
}

/** A part of the snapshot: components render again when theirs changes, not with every event of the topic. */
function useShown<T>(store: WatchStore | undefined, part: () => T, first: T): T {
  return useSyncExternalStore(store?.subscribe ?? never, part, useCallback(() => first, [first]))
}

function topicOf(kind: Kind, id: string): string {
  return kind === 'task_type' ? 'project' : `${kind}:${id}`
}
