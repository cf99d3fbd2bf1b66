import { useSyncExternalStore } from 'react'

/** As in the style sheets. */
const NARROW = '(max-width: 720px)'

/** A phone's width: for what is not merely laid out in another way there. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(follow, () => window.matchMedia(NARROW).matches, () => false)
}

function follow(listener: () => void): () => void {
  const query = window.matchMedia(NARROW)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}
