import { useMemo, useSyncExternalStore } from 'react'
import type { Cursor, Gap, HubEvent, SubscribeOptions } from '@hubbub/client'
import { useEqual, useLatest } from './arguments.js'
import { EventStore, type EventsView } from './eventStore.js'
import { useSession } from './provider.js'

export interface EventsOptions<D = unknown> extends Omit<SubscribeOptions, 'topics'> {
  /** Events kept for `events`, default 100. */
  limit?: number
  /** Each event, at once and in order; rendering lags behind it by up to a frame. The function of the last rendering is called. */
  onEvent?: (event: HubEvent<D>, cursor: Cursor) => void
  onGap?: (gap: Gap) => void
}

const KEPT = 100

/**
 * Subscribes while the component is mounted. Topics and options are compared by value: equal ones written anew change nothing. No topics
 * (`undefined`, `[]`): no subscription. Refusals are in `error`, and never thrown.
 */
export function useEvents<D = unknown>(topics: string | readonly string[] | undefined, options: EventsOptions<D> = {}): EventsView<D> {
  const { lease } = useSession()
  const { onEvent, onGap, limit = KEPT, ...rest } = options
  const reader = useLatest({ onEvent: onEvent as EventsOptions['onEvent'], onGap, limit })
  const asked = useEqual({ ...rest, topics: typeof topics === 'string' ? [topics] : [...(topics ?? [])] })
  const store = useMemo(() => new EventStore(lease, asked, reader), [lease, asked, reader])
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot) as EventsView<D>
}
