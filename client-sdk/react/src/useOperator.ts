import { useMemo, useSyncExternalStore } from 'react'
import type { Client, DeadLetters, Overview } from '@hubbub/client'
import { AskStore, type Asked } from './askStore.js'
import { useSession } from './provider.js'

const EVERY_MS = 2000
const LETTERS_EVERY_MS = 5000

const overview = (client: Client): Promise<Overview> => client.operator.overview()

/** How the whole hub is, asked every two seconds while the page is seen. For admins of every project; others have INSUFFICIENT_PERMISSIONS in `error`. */
export function useOverview(everyMs = EVERY_MS): Asked<Overview> {
  return useAsked(overview, everyMs)
}

/** What could not be committed, newest first. For admins. @param limit at most 1,000 */
export function useDeadLetters(limit = 100, everyMs = LETTERS_EVERY_MS): Asked<DeadLetters> {
  const ask = useMemo(() => (client: Client) => client.operator.deadLetters(limit), [limit])
  return useAsked(ask, everyMs)
}

function useAsked<T>(ask: (client: Client) => Promise<T>, everyMs: number): Asked<T> {
  const { lease } = useSession()
  const store = useMemo(() => new AskStore<T>(lease, ask, everyMs), [lease, ask, everyMs])
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot)
}
