import { useSyncExternalStore } from 'react'
import { useSession } from './provider.js'
import type { PresenceView } from './presenceStore.js'

/**
 * Who watches a topic: whoever has a subscription that names exactly it, `useEvents('task:42')` or `useEntity('task', '42')` for example.
 * Asking makes nobody a watcher. Changes show within a moment, and after a reconnect the hub is asked again.
 */
export function usePresence(topic: string): PresenceView {
  const store = useSession().presence(topic)
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot)
}
