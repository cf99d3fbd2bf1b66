/** A store as a hub opens it, for whoever writes to source streams as a gateway would. */
import { openStore } from '../../../server/dist/store/open.js'
import type { Store } from '../../../server/dist/store/port.js'

export async function benchStore(redisUrl: string): Promise<Store> {
  return await openStore({
    redisUrl,
    partitions: 1,
    retention: { ageMs: 900_000, count: 100_000, bytes: 2 ** 29 },
    seen: { ms: 600_000, count: 1_000_000 },
    deadLetters: 1000,
  })
}
