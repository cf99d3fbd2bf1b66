/**
 * Token buckets by key (a subject, a connection, a subject's type family). Time comes from a monotonic clock, so that a
 * clock set back neither starves nor floods anybody.
 */

export interface Buckets {
  /**
   * Takes `n` tokens of the key's bucket: 0 when they were there, else the milliseconds after which the same call would
   * succeed (nothing was taken then). More than the burst passes a full bucket only, and leaves a debt that the rate pays
   * off: a large batch is possible, and costs what its events cost one by one.
   */
  take(key: string, n?: number): number
  /** Takes `n` whether or not they are there: for what cannot be refused. The debt is a burst at most, or a key would be shut for long. */
  charge(key: string, n?: number): void
  forget(key: string): void
  /** Keys that are remembered; a bucket that is full again is not. */
  readonly size: number
}

interface Bucket {
  tokens: number
  /** Of the monotonic clock, ms. */
  at: number
}

/** `now` is for tests: milliseconds that only grow. */
export function createBuckets(ratePerSecond: number, burst: number, now: () => number = () => performance.now()): Buckets {
  const buckets = new Map<string, Bucket>()
  const perMs = ratePerSecond / 1000
  // No timer: a sweep at most each time span in which an empty bucket fills, paid by whoever takes then.
  const sweepMs = Math.max(1000, burst / perMs)
  let sweptAt = now()

  const filled = (bucket: Bucket, at: number) => Math.min(burst, bucket.tokens + (at - bucket.at) * perMs)

  const sweep = (at: number) => {
    sweptAt = at
    for (const [key, bucket] of buckets) if (filled(bucket, at) >= burst) buckets.delete(key)
  }

  const bucketOf = (key: string): Bucket => {
    const at = now()
    if (at - sweptAt >= sweepMs) sweep(at)
    let bucket = buckets.get(key)
    if (!bucket) buckets.set(key, (bucket = { tokens: burst, at }))
    bucket.tokens = filled(bucket, at)
    bucket.at = at
    return bucket
  }

  return {
    take(key, n = 1) {
      const bucket = bucketOf(key)
      const missing = Math.min(n, burst) - bucket.tokens
      // Rounding of the clock may leave a billionth of a token missing after exactly the promised wait.
      if (missing > 1e-6) return Math.max(1, Math.ceil(missing / perMs))
      bucket.tokens -= n
      return 0
    },
    charge(key, n = 1) {
      const bucket = bucketOf(key)
      bucket.tokens = Math.min(bucket.tokens, Math.max(-burst, bucket.tokens - n))
    },
    forget(key) {
      buckets.delete(key)
    },
    get size() {
      return buckets.size
    },
  }
}
