/** What a process cannot count by itself: whether the store answers, which partitions nobody holds, who else lives. Looked at from time to time, for metrics. */
import type { Metrics } from './metrics.js'

export interface CensusDeps {
  store: { ping(): Promise<number>; owners(): Promise<readonly (string | null)[]> }
  /** Workers that live; undefined in a process that does not know. */
  workers: () => number | undefined
  metrics: Pick<Metrics, 'storeUp' | 'storePing' | 'unowned' | 'workersAlive'>
  /** ms between two looks */
  everyMs?: number
}

/** Two store calls a look; a partition may be without an owner for a lease (10 s) before anybody can take it. */
const EVERY_MS = 5000

/** What is not known has no value, rather than an old one or 0. */
export class Census {
  private timer?: NodeJS.Timeout
  private looking: Promise<void> = Promise.resolve()
  private closed = false

  constructor(private readonly deps: CensusDeps) {
    const { metrics } = deps
    for (const gauge of [metrics.storeUp, metrics.storePing, metrics.unowned, metrics.workersAlive]) gauge.remove()
  }

  start(): void {
    if (this.closed) return
    // Never two at once: a store that is away answers late.
    this.looking = this.look()
    void this.looking.then(() => {
      if (!this.closed) this.timer = setTimeout(() => this.start(), this.deps.everyMs ?? EVERY_MS).unref()
    })
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  private async look(): Promise<void> {
    const { store, workers, metrics } = this.deps
    try {
      const pingMs = await store.ping()
      const owners = await store.owners()
      if (this.closed) return
      metrics.storeUp.set(1)
      metrics.storePing.set(pingMs / 1000)
      metrics.unowned.set(owners.filter((owner) => owner === null).length)
      const alive = workers()
      if (alive !== undefined) metrics.workersAlive.set(alive)
    } catch {
      // The store's own errors are counted and logged where they occur.
      metrics.storeUp.set(0)
      for (const gauge of [metrics.storePing, metrics.unowned, metrics.workersAlive]) gauge.remove()
    }
  }
}
