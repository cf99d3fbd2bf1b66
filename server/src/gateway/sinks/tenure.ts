/**
 * One sink in this worker's hands: its lease, and the progress that is written under the lease's fence. Nothing is delivered while the
 * store has not confirmed the lease a moment ago: a worker that was frozen delivers nothing out of order beside its heir, a pause takes
 * effect at once, and what may be delivered twice after a kill is what was delivered within the last moment.
 */
import type { Logger } from '../../observe/log.js'
import type { SinkClaim, SinkOrder, SinkProgress, Sinks } from '../../store/port.js'

/** Progress is gathered for so long, and so old may a confirmation be; ms. */
const FRESH_MS = 200
const RETRY_MS = 100

export interface TenureDeps {
  sinks: Pick<Sinks, 'report' | 'release'>
  partition: number
  leaseMs: number
  log: Logger
}

export class Tenure {
  /** By this process's clock: the lease lasts at least until then. */
  private until: number
  private confirmedAt: number
  private order: SinkOrder = 'active'
  private progress: SinkProgress
  /** The store does not have it yet. */
  private isNews = false
  private gathering?: NodeJS.Timeout
  private turn: Promise<unknown> = Promise.resolve()
  private ending?: (order: Exclude<SinkOrder, 'active'>) => void
  private timer?: NodeJS.Timeout
  private lapse?: NodeJS.Timeout

  /** @param claimedAt `performance.now()` before the claim was sent */
  constructor(readonly claim: SinkClaim, claimedAt: number, private readonly deps: TenureDeps) {
    this.until = claimedAt + deps.leaseMs
    this.confirmedAt = claimedAt
    this.progress = claim.progress
  }

  /** Renews the lease from now on; `onEnd` is told once when it is over: paused, lost, or run out. */
  start(onEnd: (order: Exclude<SinkOrder, 'active'>) => void): void {
    this.ending = onEnd
    this.timer = setInterval(() => void this.renew(), this.deps.leaseMs / 3)
    this.timer.unref()
    this.expect()
  }

  get isOver(): boolean {
    return this.order !== 'active'
  }

  /** True: deliver. False: it is over. Waits for the store as long as the lease lasts. */
  async confirm(): Promise<boolean> {
    while (!this.isOver) {
      if (performance.now() - this.confirmedAt < FRESH_MS) return true
      await this.renew()
      if (!this.isOver && performance.now() - this.confirmedAt >= FRESH_MS) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    return false
  }

  /** To be written soon. */
  note(progress: SinkProgress): void {
    this.know(progress)
    this.gathering ??= setTimeout(() => void this.renew(), FRESH_MS)
  }

  /** Pauses the sink, with what was noted last. False: somebody else has it. */
  async pause(reason: string, progress: SinkProgress): Promise<boolean> {
    this.know(progress)
    // A reply that was lost, or a store that is away: the lease is the time for it.
    while (this.order === 'active' && performance.now() < this.until) {
      await this.renew(reason)
      if (this.order === 'active') await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    return this.order === 'paused'
  }

  /** A pause by hand, or a removal, is heard at the latest with the next of these. Never rejects. */
  renew(pause?: string): Promise<void> {
    const turn = this.turn.then(() => this.report(pause))
    this.turn = turn
    return turn
  }

  /** Writes what is still to be written, and gives the lease back. Best effort: a lease ends by itself, and a cursor behind means a repetition. */
  async end(): Promise<void> {
    clearInterval(this.timer)
    clearTimeout(this.lapse)
    this.ending = undefined
    if (this.isNews && this.order !== 'lost') await this.renew()
    clearTimeout(this.gathering)
    if (this.order === 'lost') return
    const { sinks, partition, log } = this.deps
    const { record, fence } = this.claim
    await sinks.release(partition, record.project, record.id, fence).catch((error: unknown) => log.debug({ err: error, sink: record.id }, 'a sink\'s lease was not given back'))
  }

  private know(progress: SinkProgress): void {
    this.progress = progress
    this.isNews = true
  }

  private async report(pause?: string): Promise<void> {
    clearTimeout(this.gathering)
    this.gathering = undefined
    const { sinks, partition, leaseMs, log } = this.deps
    const { record, fence } = this.claim
    const at = performance.now()
    const { progress, isNews } = this
    try {
      const order = await sinks.report(partition, record.project, record.id, fence, leaseMs, isNews || pause !== undefined ? { progress, ...(pause !== undefined && { pause }) } : undefined)
      if (this.progress === progress) this.isNews = false
      this.confirmedAt = at
      this.until = at + leaseMs
      if (this.ending) this.expect()
      if (order !== 'active') this.over(order)
    } catch (error) {
      log.debug({ err: error, sink: record.id }, 'a sink\'s lease was not renewed; trying again')
      if (isNews && !this.isOver) this.gathering ??= setTimeout(() => void this.renew(), FRESH_MS)
    }
  }

  /** Does not wait for the answer of a store that hangs: whoever takes over next must not find a request under way here. */
  private expect(): void {
    clearTimeout(this.lapse)
    this.lapse = setTimeout(() => this.over('lost'), Math.max(0, this.until - performance.now()))
    this.lapse.unref()
  }

  private over(order: Exclude<SinkOrder, 'active'>): void {
    if (this.isOver) return
    this.order = order
    this.ending?.(order)
  }
}
