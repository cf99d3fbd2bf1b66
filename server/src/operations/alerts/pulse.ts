/**
 * This process's pulse: it says every HUBBUB_VITALS_MS how it is, in one command that also tells whether it keeps watch over the others.
 * One at a time: with the store away reports are left out, none waits.
 */
import type { Logger } from '../../observe/log.js'
import type { Meter } from '../../observe/vitals.js'
import { encodeRecord, type ProcessRecord } from '../../observe/vitals-record.js'
import type { Settings } from '../../settings/table.js'
import type { Vitals } from '../../store/port.js'

export interface PulseDeps {
  /** Of the process, unique for its life. */
  id: string
  vitals: Pick<Vitals, 'report' | 'retire'>
  meter: Pick<Meter, 'read' | 'close'>
  settings: Pick<Settings, 'vitalsMs' | 'workerMs'>
  log: Logger
  onBeat: (beat: Beat) => void
  /** The store is out of reach for longer than it may; told once, with the wall clock's ms of the last report. */
  onAway: (since: number) => void
}

export interface Beat {
  /** It keeps watch: one process does at a time. */
  watch: boolean
  /** ms by the store's clock: since when its reports follow each other without a pause in which others may have been taken for dead. */
  steadySince: number
  /** Other processes that are listed. */
  others: number
  /** The store was out of reach before: since and until when, ms by the wall clock. */
  returned?: { since: number; until: number }
}

export class Pulse {
  latest?: ProcessRecord
  others = 0
  private status: ProcessRecord['status'] = 'up'
  private steadySince = 0
  /** By the store's clock; 0: none yet. */
  private reportedAt = 0
  /** When the last report was answered: wall clock and monotonic, ms. */
  private answered = { at: Date.now(), since: performance.now() }
  private awaySince?: number
  private timer?: NodeJS.Timeout
  private beating?: Promise<void>
  private closed = false

  constructor(private readonly deps: PulseDeps) {}

  /** Between two reports, ms. */
  get everyMs(): number {
    const { vitalsMs, workerMs } = this.deps.settings
    return Math.min(vitalsMs, workerMs / 3)
  }

  start(): void {
    void this.beat()
  }

  /** From now on it says that it stops. */
  drain(): void {
    this.status = 'draining'
    clearTimeout(this.timer)
    void this.beat()
  }

  /** The last report is out, and the process listed no more. Best effort where the store is away. */
  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    await this.beating
    this.deps.meter.close()
    await this.deps.vitals.retire(this.deps.id).catch((error: unknown) => this.deps.log.debug({ err: error }, 'vitals not retired; this process will count as lost'))
  }

  private beat(): Promise<void> {
    return (this.beating ??= this.report().finally(() => {
      this.beating = undefined
      if (!this.closed) this.timer = setTimeout(() => void this.beat(), this.everyMs).unref()
    }))
  }

  private async report(): Promise<void> {
    const { id, vitals, meter, settings, log } = this.deps
    try {
      this.latest = await meter.read(this.status)
      if (this.closed) return
      this.hear(await vitals.report(id, encodeRecord(this.latest), settings.workerMs))
    } catch (error) {
      log.debug({ err: error }, 'no vitals reported; trying again')
      this.miss()
    }
  }

  private hear({ watch, now, others }: Awaited<ReturnType<Vitals['report']>>): void {
    // The store's clock runs on while this process, or its machine with the store on it, is frozen; another store may have another clock.
    if (Math.abs(now - this.reportedAt) > this.deps.settings.workerMs) this.steadySince = now
    this.reportedAt = now
    this.others = others
    const returned = this.awaySince === undefined ? undefined : { since: this.awaySince, until: Date.now() }
    this.awaySince = undefined
    this.answered = { at: Date.now(), since: performance.now() }
    this.deps.onBeat({ watch, steadySince: this.steadySince, others, ...(returned && { returned }) })
  }

  /** Only a report that failed says so: a process that wakes up finds that long ago it was answered last, and the store is well. */
  private miss(): void {
    if (this.awaySince !== undefined || this.closed || performance.now() - this.answered.since < this.deps.settings.workerMs / 2) return
    this.awaySince = this.answered.at
    this.deps.onAway(this.awaySince)
  }
}
