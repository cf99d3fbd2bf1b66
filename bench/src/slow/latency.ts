/** Latencies by bucket, each a hundredth wider than the one before: percentiles to 1 % of any number of deliveries. */
const STEP = Math.log(1.01)
/** Up to about 100 s. */
const BUCKETS = 1860

/** µs of the machine's monotonic clock, which all its processes share. */
const OFFSET = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000
export function micros(): number {
  return performance.now() * 1000 + OFFSET
}

export class Latencies {
  count = 0
  private readonly buckets = new Uint32Array(BUCKETS)

  /** @param latency µs */
  add(latency: number): void {
    this.count++
    const place = latency <= 1 ? 0 : Math.floor(Math.log(latency) / STEP)
    this.buckets[Math.min(BUCKETS - 1, place)]!++
  }

  /** ms. @param share 0.99 */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share)
    for (const [place, count] of this.buckets.entries()) {
      left -= count
      if (left <= 0) return Math.round(Math.exp((place + 0.5) * STEP)) / 1000
    }
    return Number.NaN
  }
}
