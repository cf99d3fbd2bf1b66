/// <reference lib="dom" />
/** Frame times of a page: kept in the page in as little as can be, so that the measure is none of what it measures. */

/** ms between one animation frame and the next, each. */
export type Frames = number[]

interface Kept {
  /** So many of a minute at 60 a second fit a few times. */
  times: Float32Array
  count: number
}

declare global {
  // oxlint-disable-next-line no-var
  var frameTimes: Kept | undefined
}

/** Runs in the page. */
export function keepFrames(): void {
  const kept: Kept = (globalThis.frameTimes = { times: new Float32Array(60 * 60 * 5), count: 0 })
  let before = performance.now()
  const note = (now: number): void => {
    if (kept.count < kept.times.length) kept.times[kept.count++] = now - before
    before = now
    requestAnimationFrame(note)
  }
  requestAnimationFrame(note)
}

/** Runs in the page: those since it was last asked, and forgets them. */
export function framesSoFar(): Frames {
  const kept = globalThis.frameTimes!
  const frames = [...kept.times.subarray(0, kept.count)]
  kept.count = 0
  return frames
}

/** ms, to a tenth. @param share 0.95 */
export function percentile(frames: Frames, share: number): number {
  const sorted = frames.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN) * 10) / 10
}
