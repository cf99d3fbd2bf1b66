/**
 * This worker's life sign, and who else lives. Whoever keeps something of workers in the store's roster asks here whose counts, and
 * looks after it on each beat.
 */
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import type { Roster } from '../store/port.js'

/** The longest HUBBUB_GRACE_MS, and a little. */
const FORGET_MS = 660_000

export interface RollDeps {
  roster: Pick<Roster, 'beat' | 'retire'>
  settings: Pick<Settings, 'workerMs'>
  log: Logger
}

/** `lapsed`: this worker was silent for so long (frozen, without its store, just started) that others may have taken it for dead. */
export type BeatListener = (lapsed: boolean) => void

export class Roll {
  /** Worker to the `performance.now()` at which it was last known to live. */
  private readonly seen = new Map<string, number>()
  private readonly listeners = new Set<BeatListener>()
  private beatAt = Number.NEGATIVE_INFINITY
  private steadySince = Number.POSITIVE_INFINITY
  private timer?: NodeJS.Timeout
  private hearing?: Promise<void>
  private closed = false

  constructor(readonly worker: string, private readonly deps: RollDeps) {}

  /**
   * This worker, and all others that lived at its last beat, or within `lingerMs` before: who ended in order and whose clients are
   * on their way to another worker counts as long as they may take.
   */
  alive(lingerMs = 0): readonly string[] {
    const living = [...this.seen].filter(([worker, at]) => worker !== this.worker && at >= this.beatAt - lingerMs)
    return [this.worker, ...living.map(([worker]) => worker)].sort()
  }

  /**
   * False until everybody who lives must have been heard. While it was frozen, or the store was away, this worker heard nobody beat;
   * whoever it does not know to live then is not therefore dead.
   */
  get settled(): boolean {
    return this.beatAt - this.steadySince >= this.deps.settings.workerMs
  }

  onBeat(listener: BeatListener): void {
    this.listeners.add(listener)
  }

  /** Resolves after the first beat, whatever came of it: before anybody connects here, others can know of this worker. */
  async start(): Promise<void> {
    await this.hear()
    this.schedule()
  }

  /** A beat out of turn: who asks for `alive` after it also knows the workers that started since. Never rejects. */
  hear(): Promise<void> {
    return (this.hearing ??= this.beat().finally(() => {
      this.hearing = undefined
    }))
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    clearTimeout(this.timer)
    await this.hearing
    await this.deps.roster.retire(this.worker).catch((error: unknown) => this.deps.log.debug({ err: error }, 'worker not retired; it will count as dead'))
  }

  /** Not at fixed times: beats that waited for the store would come at once. */
  private schedule(): void {
    if (this.closed) return
    this.timer = setTimeout(() => void this.hear().then(() => this.schedule()), this.deps.settings.workerMs / 3).unref()
  }

  private async beat(): Promise<void> {
    const { roster, settings, log } = this.deps
    if (this.closed) return
    const now = performance.now()
    try {
      this.heard(await roster.beat(this.worker, settings.workerMs), now)
    } catch (error) {
      log.debug({ err: error }, 'no life sign given; trying again')
    }
  }

  private heard(living: readonly string[], now: number): void {
    const { workerMs } = this.deps.settings
    const lapsed = now - this.beatAt > workerMs
    if (lapsed) {
      this.steadySince = now
      for (const worker of this.seen.keys()) this.seen.set(worker, now + workerMs)
    }
    for (const worker of living) this.seen.set(worker, Math.max(now, this.seen.get(worker) ?? now))
    // Nobody lingers for longer than that.
    for (const [worker, at] of this.seen) if (at < now - FORGET_MS) this.seen.delete(worker)
    this.beatAt = now
    for (const listener of this.listeners) listener(lapsed)
  }
}
