/**
 * How late the event loop runs: the 99th percentile of the last half to whole minute. Two monitors begin anew in turn, half a minute apart;
 * the one that measured longer is read. (What they measured cannot be added up in Node.)
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Between two looks of a monitor, ms. */
const LOOK_MS = 40
const HALF_MS = 30_000
const NANOSECONDS = 1e6

export class LoopDelay {
  private longer = monitorEventLoopDelay({ resolution: LOOK_MS })
  private shorter = monitorEventLoopDelay({ resolution: LOOK_MS })
  private turnedAt = performance.now()

  constructor() {
    this.longer.enable()
    this.shorter.enable()
  }

  /** ms */
  p99(): number {
    if (performance.now() - this.turnedAt >= HALF_MS) this.turn()
    // A monitor measures from look to look. Of none at all a percentile is 0.
    return Math.max(0, Math.round((this.longer.percentile(99) / NANOSECONDS - LOOK_MS) * 10) / 10)
  }

  close(): void {
    this.longer.disable()
    this.shorter.disable()
  }

  private turn(): void {
    const anew = this.longer
    anew.reset()
    this.longer = this.shorter
    this.shorter = anew
    this.turnedAt = performance.now()
  }
}
