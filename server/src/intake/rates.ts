/** Events a client may publish, by type family: `agui=2000,system=100,*=1000` events a second, bursts of twice that. */
import { HubError } from '@hubbub/protocol'
import { CATALOGUE } from '@hubbub/protocol/catalogue'
import { createBuckets, type Buckets } from '../access/rate.js'
import { entryNamed } from './speaker.js'

export interface FamilyRates {
  /** Throws RATE_LIMITED with `details.scope` and `details.retryAfterMs`. Inputs of no known type share one bucket. */
  take(client: string, input: unknown): void
  forget(client: string): void
}

const REST = '*'

export function createFamilyRates(familyRates: string): FamilyRates {
  const rates = new Map(familyRates.split(',').map((part) => part.split('=') as [string, string]))
  const rateOf = (family: string) => rates.get(family) ?? rates.get(REST)
  const buckets = new Map<string, Buckets>()
  for (const family of [REST, ...CATALOGUE.map((entry) => entry.family)]) {
    const text = rateOf(family)
    if (text === undefined || buckets.has(family)) continue
    // 0 closes a family; a bucket of no size would divide by it.
    const rate = Number(text)
    buckets.set(family, rate > 0 ? createBuckets(rate, 2 * rate) : CLOSED)
  }
  return {
    take(client, input) {
      const family = entryNamed(input)?.family ?? REST
      const retryAfterMs = buckets.get(family)?.take(client) ?? 0
      if (retryAfterMs > 0) throw new HubError('RATE_LIMITED', `Too many events of the family ${family}.`, { scope: 'family', family, retryAfterMs, limit: Number(rateOf(family)), unit: 'events/s', setting: 'HUBBUB_FAMILY_RATES' })
    },
    forget(client) {
      for (const bucket of buckets.values()) bucket.forget(client)
    },
  }
}

const CLOSED: Buckets = { take: () => 3_600_000, charge: () => {}, forget: () => {}, size: 0 }
