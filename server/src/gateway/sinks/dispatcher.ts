/**
 * Which sinks this worker delivers: of all active ones its fair share, each under a lease in the store. Every worker computes the shares
 * from the same list of living workers; a dead worker's sinks are taken once its lease and its life sign have run out.
 */
import { partitionOf } from '@hubbub/protocol'
import type { Identity } from '../../access/identity.js'
import type { Logger } from '../../observe/log.js'
import type { Metrics } from '../../observe/metrics.js'
import type { Announcer } from '../../operations/agents.js'
import type { Operations } from '../../operations/operations.js'
import type { Roll } from '../../operations/roll.js'
import type { Destinations } from '../../operations/sinks-destination.js'
import { identityOfSink } from '../../operations/sinks.js'
import { fairShare } from '../../processor/share.js'
import type { Settings } from '../../settings/table.js'
import { hubErrorOf } from '../../store/failure.js'
import type { SinkClaim, Sinks, SinkStanding } from '../../store/port.js'
import { Delivery } from './delivery.js'
import { Poster } from './post.js'
import { Tenure } from './tenure.js'

export interface DispatcherDeps {
  sinks: Sinks
  operations: Pick<Operations, 'follow' | 'disconnect'>
  roll: Pick<Roll, 'worker' | 'alive' | 'hear'>
  destinations: Destinations
  announcer: Announcer
  isRevoked: (identity: Identity) => boolean
  partitions: number
  settings: Settings
  metrics: Metrics
  log: Logger
}

interface Holding {
  standing: SinkStanding
  delivery: Delivery
  tenure: Tenure
  /** Its end, with the lease given back. */
  done: Promise<void>
}

/** Between two looks, ms; `each`: at least so much for each partition, of which every look asks. */
const LOOK_MS = { least: 50, most: 500, each: 5 }
const REVOKED = 'The credential as which it reads was revoked.'

export class Dispatcher {
  private readonly holdings = new Map<string, Holding>()
  private readonly lookMs: number
  private looking?: Promise<void>
  private again = false
  private timer?: NodeJS.Timeout
  private closed = false

  constructor(private readonly deps: DispatcherDeps) {
    this.lookMs = Math.max(LOOK_MS.each * deps.partitions, Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, deps.settings.workerMs / 20)))
  }

  /** Sinks that it holds, for tests and metrics. */
  get held(): number {
    return this.holdings.size
  }

  start(): void {
    this.schedule()
  }

  /** Something was added, paused, resumed or removed here: not at the next look, now. */
  nudge(): void {
    for (const { tenure } of this.holdings.values()) void tenure.renew()
    void this.look()
  }

  /** Requests under way have so long to end; cursors are written, leases given back. */
  async close(graceMs: number): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    await this.looking
    const all = [...this.holdings.values()]
    for (const { delivery } of all) delivery.finish()
    const late = setTimeout(() => all.forEach(({ delivery }) => delivery.stop()), graceMs)
    await Promise.all(all.map(({ done }) => done))
    clearTimeout(late)
  }

  private schedule(): void {
    if (this.closed) return
    this.timer = setTimeout(() => void this.look().then(() => this.schedule()), this.lookMs)
    this.timer.unref()
  }

  /** One at a time; asked for meanwhile, once more. Never rejects. */
  private look(): Promise<void> {
    if (this.looking) {
      this.again = true
      return this.looking
    }
    this.looking = this.settle()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'sinks: the store failed'))
      .finally(() => {
        this.looking = undefined
        if (this.again && !this.closed) {
          this.again = false
          void this.look()
        }
      })
    return this.looking
  }

  private async settle(): Promise<void> {
    const { sinks, partitions, roll } = this.deps
    const all = (await Promise.all(Array.from({ length: partitions }, (_, partition) => sinks.look(partition)))).flat()
    this.measure(all)
    this.dropRevoked()
    const active = all.filter(({ status }) => status === 'active')
    const free = active.filter((sink) => sink.owner === undefined && !this.holdings.has(keyOf(sink)))
    if (this.closed || (free.length === 0 && this.holdings.size === 0)) return
    // One without an owner may be a dead worker's: who lives is asked now.
    if (free.length > 0) await roll.hear()
    const share = fairShare(active.length, roll.alive(), roll.worker)
    const held = [...this.holdings.keys()].sort()
    for (const key of held.slice(share)) this.holdings.get(key)?.delivery.finish()
    for (const sink of free) if (this.holdings.size < share && !this.closed) await this.take(sink)
  }

  private async take(sink: SinkStanding): Promise<void> {
    const { sinks, partitions, roll, destinations, settings, metrics, log } = this.deps
    const partition = partitionOf(sink.project, partitions)
    const at = performance.now()
    const claim = await sinks.claim(partition, sink.project, sink.id, roll.worker, settings.workerMs)
    if (!claim) return
    log.debug({ sink: sink.id, project: sink.project }, 'took a sink over')
    const tenure = new Tenure(claim, at, { sinks, partition, leaseMs: settings.workerMs, log })
    const poster = new Poster(claim.record.url, destinations, settings.sinkTimeoutMs)
    const delivery = new Delivery({ tenure, settings, metrics, poster, onPaused: (reason) => this.tellPaused(claim, reason) })
    const holding: Holding = { standing: sink, tenure, delivery, done: Promise.resolve() }
    this.holdings.set(keyOf(sink), holding)
    holding.done = this.hold(holding).finally(() => this.holdings.delete(keyOf(sink)))
  }

  /** Resolves when it is over, and the lease given back. Never rejects. */
  private async hold({ tenure, delivery }: Holding): Promise<void> {
    const { operations, isRevoked, log } = this.deps
    const { record, progress } = tenure.claim
    tenure.start((order) => (order === 'paused' ? delivery.finish() : delivery.stop()))
    try {
      if (isRevoked(identityOfSink(record))) return await delivery.giveUp(REVOKED)
      const { topics, types, filter } = record
      const interest = { topics, ...(types && { types }), ...(filter && { filter }) }
      const follow = await operations.follow(identityOfSink(record), { subscriptions: [interest], since: progress.cursor })
      const connection = follow(delivery, { session: record.id, wire: 'sink' })
      await delivery.run().finally(() => operations.disconnect(connection))
    } catch (error) {
      const failure = hubErrorOf(error)
      if (failure.retryable) log.warn({ err: error, sink: record.id, project: record.project }, 'a sink could not be read; trying again')
      else await delivery.giveUp(`It cannot read its topics. ${failure.code}: ${failure.message}`)
    } finally {
      delivery.stop()
      await tenure.end()
    }
  }

  /** Whoever lost his credential gets nothing more through a sink, either (I6). */
  private dropRevoked(): void {
    for (const { tenure, delivery } of this.holdings.values()) {
      if (!tenure.isOver && this.deps.isRevoked(identityOfSink(tenure.claim.record))) void delivery.giveUp(REVOKED)
    }
  }

  /** To the project, once: under an id of its own for each ownership. */
  private tellPaused({ record, fence }: SinkClaim, reason: string): void {
    const { announcer, log } = this.deps
    const { id, project } = record
    log.warn({ sink: id, project, reason }, 'a sink was paused')
    const data = { severity: 'warning', component: `sink:${id}`, message: `The sink ${id} was paused. ${reason}` }
    const input = { id: `sink.paused:${id}:${fence}`.slice(0, 128), type: 'system.alert', data }
    announcer.announce(identityOfSink(record), input).catch((error: unknown) => log.warn({ err: error, sink: id, project }, 'that a sink was paused could not be told'))
  }

  private measure(all: readonly SinkStanding[]): void {
    const { sinks, sinkLag } = this.deps.metrics
    const mine = [...this.holdings.values()].map(({ delivery }) => delivery)
    sinks.set({ status: 'active' }, all.filter(({ status }) => status === 'active').length)
    sinks.set({ status: 'paused' }, all.filter(({ status }) => status === 'paused').length)
    sinks.set({ status: 'failing' }, mine.filter(({ isFailing }) => isFailing).length)
    sinkLag.set(Math.max(0, ...mine.map((delivery) => delivery.lagMs())) / 1000)
  }
}

function keyOf({ project, id }: SinkStanding): string {
  return `${project}/${id}`
}
