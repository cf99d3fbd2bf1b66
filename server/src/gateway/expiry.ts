/** Tells when a credential ends. */

/** setTimeout's own bound; a credential that lasts longer is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Expiry {
  private timer?: NodeJS.Timeout

  constructor(private readonly onEnd: () => void) {}

  /** In place of what was watched before. @param expiresAt ms since the epoch; undefined: never */
  watch(expiresAt: number | undefined): void {
    this.stop()
    if (expiresAt === undefined) return
    const ms = expiresAt - Date.now()
    this.timer = setTimeout(() => (ms > LONGEST_TIMER_MS ? this.watch(expiresAt) : this.onEnd()), Math.max(0, Math.min(ms, LONGEST_TIMER_MS)))
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
