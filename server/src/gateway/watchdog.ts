/**
 * Ends the connection of an agent from which nothing is heard any more. Socket.IO's pings are answered by its library, whatever the
 * agent does: only messages count.
 */
export class Watchdog {
  private heardAt = performance.now()
  private timer?: NodeJS.Timeout

  /** @param silenceMs nothing heard for so long, `bark` is called, once */
  constructor(private readonly silenceMs: number, private readonly bark: () => void) {}

  heard(): void {
    this.heardAt = performance.now()
  }

  /** From now on; messages do not set the timer anew, it looks when it is due. */
  watch(): void {
    clearTimeout(this.timer)
    const left = this.heardAt + this.silenceMs - performance.now()
    if (left <= 0) this.bark()
    else this.timer = setTimeout(() => this.watch(), Math.ceil(left))
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
