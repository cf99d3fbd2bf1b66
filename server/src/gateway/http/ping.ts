import type { Store } from '../../store/port.js'

/** A store that answers later than this is as good as away; ms. A frozen one would never answer. */
const PING_MS = 2000

/** Round trip in ms; null when the store is out of reach. */
export async function pingWithin(store: Pick<Store, 'ping'>): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, PING_MS, null)))
  const answer = store.ping().catch(() => null)
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
