/** Percentiles of latencies that were counted by bucket. */
import type { Percentiles } from '@hubbub/protocol'
import { LATENCY } from './metrics.js'
import { noBuckets } from './vitals-record.js'

export function addBuckets(all: readonly (readonly number[])[]): number[] {
  return noBuckets().map((_, place) => all.reduce((sum, buckets) => sum + (buckets[place] ?? 0), 0))
}

/** ms. Within a bucket all are taken to lie evenly; beyond the last bound the bound is all that is known. Null where nothing was counted. */
export function percentilesOf(buckets: readonly number[]): Percentiles {
  return { p50: percentile(buckets, 0.5), p95: percentile(buckets, 0.95), p99: percentile(buckets, 0.99) }
}

function percentile(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let left = share * total
  for (const [place, count] of buckets.entries()) {
    const from = LATENCY[place - 1] ?? 0
    const to = LATENCY[place] ?? from
    if (count > 0 && left <= count) return rounded((from + (to - from) * (left / count)) * 1000)
    left -= count
  }
  return rounded((LATENCY.at(-1) ?? 0) * 1000)
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
