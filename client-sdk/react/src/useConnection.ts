import { useMemo, useSyncExternalStore } from 'react'
import { ConnectionStore, type ConnectionView } from './connectionStore.js'
import { useSession } from './provider.js'

/** How the provider's connection is. A refused credential is here as `error`, with `state` `closed`. */
export function useConnection(): ConnectionView {
  const { lease } = useSession()
  const store = useMemo(() => new ConnectionStore(lease), [lease])
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot)
}
