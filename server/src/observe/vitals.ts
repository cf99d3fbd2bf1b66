/**
 * This process's vital signs, read now and then from the metrics that exist, so that no event costs more for them. Rates are of the last
 * ten seconds, latencies and slow sockets of the last minute, refusals of the last hour; a process that is younger says what it has.
 */
import type { ConnectionVitals, Rates } from '@hubbub/protocol'
import { LATENCY, type Metrics } from './metrics.js'
import { HourOfErrors } from './vitals-errors.js'
import { LoopDelay } from './vitals-loop.js'
import { noBuckets, type ProcessRecord } from './vitals-record.js'

const RATES_MS = 10_000
const MINUTE_MS = 60_000
/** A younger process's events are no rate yet. */
const LEAST_MS = 1000

export interface MeterDeps {
  metrics: Metrics
  process: Pick<ProcessRecord, 'node' | 'role' | 'version' | 'startedAt'>
  /** As they are now. */
  connections: () => Pick<ConnectionVitals, 'active' | 'subscriptions' | 'catchingUp'>
  partitions: () => number[]
}

/** Totals since the start. */
interface Sample extends Rates {
  /** Monotonic ms. */
  at: number
  cpuMicros: number
  slow: number
  commit: number[]
  delivery: number[]
}

export class Meter {
  private readonly samples: Sample[]
  private readonly errors = new HourOfErrors()
  private readonly delay = new LoopDelay()

  constructor(private readonly deps: MeterDeps) {
    this.samples = [{ at: performance.now(), accepted: 0, committed: 0, delivered: 0, refused: 0, slow: 0, cpuMicros: cpuMicros(), commit: noBuckets(), delivery: noBuckets() }]
  }

  async read(status: ProcessRecord['status']): Promise<ProcessRecord> {
    const { metrics, process: self, connections, partitions } = this.deps
    const now = await this.sample()
    const recent = this.before(now.at - RATES_MS)
    const minute = this.before(now.at - MINUTE_MS)
    const seconds = Math.max(LEAST_MS, now.at - recent.at) / 1000
    const rate = (name: keyof Rates) => rounded((now[name] - recent[name]) / seconds)
    const byTransport = countsOf(await metrics.connections.get(), 'transport')
    const sinks = countsOf(await metrics.sinks.get(), 'status')
    return {
      ...self, status, partitions: partitions(),
      connections: { open: sum(byTransport.values()), byTransport: Object.fromEntries(byTransport), ...connections(), slow: now.slow - minute.slow },
      rates: { accepted: rate('accepted'), committed: rate('committed'), delivered: rate('delivered'), refused: rate('refused') },
      commit: now.commit.map((count, place) => count - minute.commit[place]!),
      delivery: now.delivery.map((count, place) => count - minute.delivery[place]!),
      cpu: rounded((now.cpuMicros - recent.cpuMicros) / Math.max(1, now.at - recent.at) / 1000),
      memoryBytes: process.memoryUsage.rss(), loopDelayMs: this.delay.p99(), errors: this.errors.counts(),
      ...(sinks.size > 0 && { sinks: { active: sinks.get('active') ?? 0, paused: sinks.get('paused') ?? 0 } }),
    }
  }

  close(): void {
    this.delay.close()
  }

  private async sample(): Promise<Sample> {
    const { metrics } = this.deps
    const [accepted, committed, delivered, rejections, catchups, commit, delivery] = await Promise.all([
      metrics.eventsIn.get(), metrics.committed.get(), metrics.eventsOut.get(), metrics.rejections.get(), metrics.catchups.get(), metrics.commitLatency.get(), metrics.deliveryLatency.get(),
    ])
    const refused = countsOf(rejections, 'code')
    this.errors.take(refused, Date.now())
    const sample: Sample = {
      at: performance.now(), cpuMicros: cpuMicros(), accepted: totalOf(accepted), committed: totalOf(committed), delivered: totalOf(delivered), refused: sum(refused.values()),
      slow: countsOf(catchups, 'cause').get('slow') ?? 0, commit: bucketsOf(commit), delivery: bucketsOf(delivery),
    }
    this.samples.push(sample)
    // One that is a minute old or older stays: everything is counted from it.
    while (this.samples.length > 2 && this.samples[1]!.at <= sample.at - MINUTE_MS) this.samples.shift()
    return sample
  }

  /** The newest sample that is as old as that, or the oldest there is. */
  private before(at: number): Sample {
    return this.samples.findLast((sample) => sample.at <= at) ?? this.samples[0]!
  }
}

interface Found {
  values: readonly { value: number; labels: Partial<Record<string, string | number>>; metricName?: string }[]
}

function countsOf({ values }: Found, label: string): Map<string, number> {
  return new Map(values.flatMap(({ value, labels }) => (labels[label] === undefined ? [] : [[String(labels[label]), value] as const])))
}

function totalOf({ values }: Found): number {
  return sum(values.map(({ value }) => value))
}

/** prom-client's buckets hold all observations below their bound; here each holds its own. */
function bucketsOf({ values }: Found): number[] {
  const below = values.filter(({ metricName }) => metricName?.endsWith('_bucket')).map(({ value }) => value)
  return below.length === LATENCY.length + 1 ? below.map((count, place) => count - (below[place - 1] ?? 0)) : noBuckets()
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
