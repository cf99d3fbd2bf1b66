/** A debug tap's lines: at most so many a second, so that a tap of everything does not drown the log or the disk; what was left out is counted in a line. */
import type { Logger } from './log.js'
import type { Metrics } from './metrics.js'

const WINDOW_MS = 1000

export class TapLines {
  private readonly log: Logger
  private written = 0
  private leftOut = 0
  private timer?: NodeJS.Timeout

  /** The lines are written whatever HUBBUB_LOG_LEVEL is, for somebody asked for them; a logger that is silent stays so. */
  constructor(private readonly perSecond: number, private readonly metrics: Pick<Metrics, 'tapLines'>, log: Logger) {
    this.log = log.level === 'silent' ? log : log.child({ part: 'tap' }, { level: 'info' })
  }

  /** @param make called for what is written only */
  write(make: () => object): void {
    this.timer ??= setTimeout(() => this.next(), WINDOW_MS).unref()
    if (this.written >= this.perSecond) {
      this.leftOut++
      this.metrics.tapLines.inc({ outcome: 'left_out' })
      return
    }
    this.written++
    this.metrics.tapLines.inc({ outcome: 'written' })
    this.log.info(make(), 'tap')
  }

  close(): void {
    this.next()
  }

  private next(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.leftOut > 0) this.log.info({ leftOut: this.leftOut, limit: this.perSecond, setting: 'HUBBUB_TAP_LINES' }, 'tap: lines were left out')
    this.written = 0
    this.leftOut = 0
  }
}
