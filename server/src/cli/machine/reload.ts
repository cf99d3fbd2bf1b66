/** SIGHUP: every process is replaced by a new one, one by one, workers first, without a moment in which one of them is missing. */
import type { Logger } from '../../observe/log.js'
import type { Seat } from './seat.js'

export class Reload {
  private state: 'idle' | 'running' | 'again' = 'idle'
  private isClosed = false

  constructor(private readonly seats: readonly Pick<Seat, 'name' | 'replace'>[], private readonly log: Logger) {}

  /** Begins one. While one runs: another one after it, however often it is asked for. */
  request(): void {
    if (this.isClosed) return
    if (this.state !== 'idle') {
      this.state = 'again'
      return
    }
    void this.run()
  }

  /** No process is replaced any more. */
  close(): void {
    this.isClosed = true
  }

  private async run(): Promise<void> {
    do {
      this.state = 'running'
      await this.round()
    } while (this.wantsAnother())
    this.state = 'idle'
  }

  private wantsAnother(): boolean {
    return this.state === 'again' && !this.isClosed
  }

  private async round(): Promise<void> {
    this.log.info('reload: begins')
    for (const [place, seat] of this.seats.entries()) {
      if (this.isClosed) return
      const trouble = await seat.replace()
      if (trouble === undefined) continue
      // What keeps one from starting would keep the next: better old processes than none.
      if (!this.isClosed) this.log.error(`reload: stopped, ${place} of ${this.seats.length} processes are new, the others stay: ${trouble}`)
      return
    }
    this.log.info('reload: done')
  }
}
