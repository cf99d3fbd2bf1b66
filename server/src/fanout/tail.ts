/**
 * A worker's reading of one partition's journal: one blocking reader, one window, bursts in journal order (I1).
 *
 *   idle --start--> reading --burst--> reading
 *                     |  store away, or an entry that does not follow the one before it
 *                     v
 *                  checking: is what was flushed still part of the journal? --> reading (perhaps after a jump)
 *
 * Continuity is checked entry by entry (`previous`), so that a trimmed or failed-over journal is noticed here,
 * not by a subscriber (I2).
 */
import { compareOffsets, isAfter, offsetMillis, parseCursor, type Cursor, type Offset } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Epoch, Journal, JournalEntry, JournalHead, JournalTail } from '../store/port.js'
import { TailEntry } from './entry.js'
import { cursorAt, resume } from './epochs.js'
import { Window } from './window.js'

export interface TailOptions {
  windowEvents: number
  windowBytes: number
  /** ms; 0 turns gathering off. */
  gatherMs: number
}

export interface TailListener {
  /** Writes the burst to whoever is live; called in one synchronous step with `flushed` moving on. */
  burst(entries: readonly TailEntry[]): void
  /** What was flushed is no longer in the journal, or was left behind: every live session must check its own cursor. */
  jumped(): void
}

const READ_COUNT = 1000
const BLOCK_MS = 2000
const RETRY_MS = 200

export class PartitionTail {
  /** Last entry whose burst was written to the sockets. */
  flushed: Offset
  window: Window
  private epochList: Epoch[]
  private flushedCursor: Cursor
  private reader?: JournalTail
  private closed = false
  private moved: (() => void)[] = []
  private running: Promise<void> = Promise.resolve()

  private constructor(
    readonly partition: number,
    private readonly journal: Journal,
    private readonly options: TailOptions,
    private readonly listener: TailListener,
    private readonly metrics: Metrics,
    private readonly log: Logger,
    head: JournalHead,
  ) {
    this.flushed = head.last
    this.epochList = head.epochs
    this.flushedCursor = cursorAt(head.last, head.epochs)
    this.window = new Window(head.last, options.windowEvents, options.windowBytes)
  }

  static async start(partition: number, journal: Journal, options: TailOptions, listener: TailListener, metrics: Metrics, log: Logger): Promise<PartitionTail> {
    const tail = new PartitionTail(partition, journal, options, listener, metrics, log, await journal.head(partition))
    tail.running = tail.run()
    return tail
  }

  /** Cursor of the flushed position. */
  get cursor(): Cursor {
    return this.flushedCursor
  }

  get epochs(): readonly Epoch[] {
    return this.epochList
  }

  /** Resolves when the flushed position moves, the tail jumps, or it closes. */
  nextMove(): Promise<void> {
    return this.closed ? Promise.resolve() : new Promise((resolve) => this.moved.push(resolve))
  }

  async close(): Promise<void> {
    this.closed = true
    this.notifyMoved()
    await this.reader?.close()
    await this.running
  }

  private async run(): Promise<void> {
    let last = 0
    while (!this.closed) {
      try {
        this.reader ??= this.journal.openTail(this.partition)
        const entries = await this.reader.read(this.flushed, READ_COUNT, BLOCK_MS)
        if (this.closed) return
        if (entries.length === 0) continue
        if (!this.follows(entries) || !(await this.knowsEpochs(entries))) await this.check()
        else this.flush(entries)
        last = await this.gather(last, entries.length)
      } catch (error) {
        if (this.closed) return
        this.metrics.storeErrors.inc({ operation: 'tail' })
        this.log.warn({ err: error, partition: this.partition }, 'journal tail lost; checking position')
        await this.recover()
      }
    }
  }

  private follows(entries: readonly JournalEntry[]): boolean {
    let before = this.flushed
    for (const entry of entries) {
      if (entry.previous !== before) return false
      before = entry.offset
    }
    return true
  }

  /** An entry of a new epoch is flushed only once the epoch's beginning is known: cursors are checked against it. */
  private async knowsEpochs(entries: readonly JournalEntry[]): Promise<boolean> {
    const known = new Set(this.epochList.map((epoch) => epoch.nonce))
    if (entries.every((entry) => known.has(entry.epoch))) return true
    const before = parseCursor(this.flushedCursor)
    const head = await this.journal.head(this.partition)
    this.epochList = head.epochs
    return before !== undefined && resume(before, { floor: '0-0', epochs: head.epochs }).gap === undefined
  }

  private flush(entries: readonly JournalEntry[]): void {
    const burst = entries.map((entry) => new TailEntry(entry))
    for (const entry of burst) this.window.push(entry)
    this.listener.burst(burst)
    const last = burst[burst.length - 1]!
    this.flushed = last.offset
    this.flushedCursor = last.cursor
    this.window.trim()
    this.metrics.tailLag.set({ partition: String(this.partition) }, Math.max(0, Date.now() - offsetMillis(burst[0]!.offset)) / 1000)
    this.notifyMoved()
  }

  /** Fast bursts are gathered, so that a socket gets one write for many; a slow stream waits for nothing. */
  private async gather(last: number, count: number): Promise<number> {
    const now = performance.now()
    if (this.options.gatherMs > 0 && count < READ_COUNT && now - last < this.options.gatherMs * 2) {
      await new Promise((resolve) => setTimeout(resolve, this.options.gatherMs))
      return performance.now()
    }
    return now
  }

  /** After an interruption: a new reader, and the position checked as a client's cursor would be. */
  private async recover(): Promise<void> {
    await this.reader?.close().catch(() => undefined)
    this.reader = undefined
    while (!this.closed) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      try {
        return await this.check()
      } catch {
        this.metrics.storeErrors.inc({ operation: 'tail' })
      }
    }
  }

  private async check(): Promise<void> {
    const head = await this.journal.head(this.partition)
    this.epochList = head.epochs
    const at = parseCursor(this.flushedCursor)
    const resumption = at ? resume(at, head) : { after: head.last }
    const ahead = isAfter(this.flushed, head.last)
    if (at && !resumption.gap && !ahead) return
    this.log.error({ partition: this.partition, flushed: this.flushed, last: head.last, gap: resumption }, 'journal no longer follows the flushed position')
    this.jump(compareOffsets(resumption.after, head.last) > 0 ? head.last : resumption.after, head)
  }

  /** The sessions keep their old cursors: each checks its own, and is told its own gap. */
  private jump(to: Offset, head: JournalHead): void {
    this.listener.jumped()
    this.flushed = to
    this.flushedCursor = cursorAt(to, head.epochs)
    this.window.clear(to)
    this.notifyMoved()
  }

  private notifyMoved(): void {
    const waiting = this.moved
    this.moved = []
    for (const resolve of waiting) resolve()
  }
}
