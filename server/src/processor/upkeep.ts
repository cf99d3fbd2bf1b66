/** What an owner does for its partition besides commits, about once a second: trims, looks for surplus entities, and measures. */
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Settings } from '../settings/table.js'
import type { Store } from '../store/port.js'
import type { Fold } from './state/fold.js'
import { findSurplus } from './state/surplus.js'

export interface UpkeepContext {
  store: Store
  settings: Settings
  metrics: Metrics
  log: Logger
}

const UPKEEP_MS = 1000

export class Upkeep {
  /** Names of entities that are to be forgotten; the next batch takes them. */
  surplus: string[] = []
  /** Where something finished since the last look for surplus. */
  private readonly ended = new Map<string, ReturnType<Fold['finished']>[number]>()
  private keptAt = 0

  constructor(private readonly context: UpkeepContext, private readonly partition: number) {}

  get isDue(): boolean {
    return Date.now() - this.keptAt >= UPKEEP_MS
  }

  finished(places: ReturnType<Fold['finished']>): void {
    for (const place of places) this.ended.set(`${place.project} ${place.kind}`, place)
  }

  async keep(fence: string): Promise<void> {
    const { store, metrics, settings, log } = this.context
    const partition = String(this.partition)
    this.keptAt = Date.now()
    try {
      await store.housekeep(this.partition, fence)
      this.surplus = await findSurplus(store.state, this.partition, [...this.ended.values()], settings.finishedCount)
      if (this.surplus.length === 0) this.ended.clear()
      const [lag, dead] = await Promise.all([store.lag(this.partition), store.dead.count(this.partition)])
      metrics.processorLag.set({ partition }, lag)
      metrics.deadLettersKept.set({ partition }, dead)
    } catch (error) {
      log.warn({ err: error }, 'housekeeping failed')
    }
  }

  /** While the store is full not put off until the batch in hand is committed: nothing else makes room for that. */
  async makeRoom(fence: string): Promise<void> {
    if (!this.isDue) return
    this.keptAt = Date.now()
    await this.context.store.housekeep(this.partition, fence).catch((error: unknown) => this.context.log.warn({ err: error }, 'trimming failed'))
  }
}
