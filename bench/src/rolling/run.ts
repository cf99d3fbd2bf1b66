/** A rolling restart: while events flow, each worker behind the balancer is stopped in order and started again, and every client's account is looked through. */
import type { CrowdReport } from './crowd.js'
import { TASK } from './record.js'

/** Where a worker stands; the balancer knows the address, not the process. */
export interface Place {
  /** Of the worker itself. */
  url: string
  /** SIGTERM, its end, and a new one at the same address that is ready. Answers the exit code. */
  replace(): Promise<number | null>
}

export interface Stage {
  /** Of the balancer. */
  url: string
  places: readonly Place[]
  /** Of an agent, for publishing. */
  token: string
}

/** Clients, in this process or in others. */
export interface Clients {
  report(published: readonly number[]): Promise<CrowdReport>
}

export interface Load {
  topics: number
  /** Events/s. */
  rate: number
  /** Between a worker that is ready and the end of the next one, ms: the balancer learns of it meanwhile. */
  settleMs: number
}

export interface Outcome {
  report: CrowdReport
  published: number
  /** Codes with which the workers ended. */
  exits: (number | null)[]
  /** ms of each replacement, and of the whole. */
  replacements: number[]
  totalMs: number
  /** The most that one worker took in a second. */
  busiest: number
  /** By CONNECT_RATE. */
  refused: number
  /** The longest that a batch waited for its acknowledgement, ms, and how many had to be sent again. */
  slowestAckMs: number
  repeats: number
}

/** Between two batches of events, ms. */
const BATCH_MS = 100
const MOST_A_BATCH = 500
const RETRY_MS = 200
const LOOK_MS = 1000
const REQUEST_MS = 10_000
/** For what is still under way at the end, ms. */
const LAST_MS = 60_000

export async function roll(stage: Stage, clients: Clients, load: Load, say: (line: string) => void): Promise<Outcome> {
  const writer = new Writer(stage, load)
  const gauge = new Gauge(stage.places)
  await gauge.start()
  writer.start()
  const begunAt = performance.now()
  const [exits, replacements]: [(number | null)[], number[]] = [[], []]
  for (const [at, place] of stage.places.entries()) {
    await pause(load.settleMs)
    const from = performance.now()
    exits.push(await place.replace())
    replacements.push(performance.now() - from)
    const { away } = await clients.report(writer.published)
    say(`  worker ${at + 1} of ${stage.places.length}: exit ${exits.at(-1)}, replaced in ${(replacements.at(-1)! / 1000).toFixed(1)} s, ${away} clients on their way`)
  }
  await pause(load.settleMs)
  await writer.stop()
  const totalMs = performance.now() - begunAt
  const until = performance.now() + LAST_MS
  let report = await clients.report(writer.published)
  while ((report.missing > 0 || report.away > 0) && performance.now() < until) {
    await pause(500)
    report = await clients.report(writer.published)
  }
  await gauge.stop()
  const { slowestAckMs, repeats } = writer
  return { report, published: writer.published.reduce((sum, count) => sum + count, 0), exits, replacements, totalMs, busiest: gauge.busiest, refused: gauge.refused, slowestAckMs, repeats }
}

interface Numbered {
  id: string
  type: 'task.progress'
  data: { taskId: string; progress: number; seq: number }
}

/** Publishes, each topic's events numbered in order: the next batch when the last one is acknowledged, the same one again where that failed. */
class Writer {
  /** Acknowledged events of each topic. */
  readonly published: number[]
  slowestAckMs = 0
  repeats = 0
  private next = 0
  private isOver = false
  private running?: Promise<void>

  constructor(private readonly stage: Stage, private readonly load: Load) {
    this.published = Array.from({ length: load.topics }, () => 0)
  }

  start(): void {
    this.running = this.write()
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.running
  }

  private async write(): Promise<void> {
    const { rate, topics } = this.load
    const begunAt = performance.now()
    while (!this.isOver) {
      // As many as are due: a slow acknowledgement makes the next batch larger, and not the traffic thinner.
      const due = Math.floor(((performance.now() - begunAt) * rate) / 1000) - this.next
      if (due > 0) await this.insist(this.batch(Math.min(due, MOST_A_BATCH), topics))
      await pause(Math.max(0, BATCH_MS - ((performance.now() - begunAt) % BATCH_MS)))
    }
  }

  private batch(count: number, topics: number): Numbered[] {
    return Array.from({ length: count }, () => {
      const topic = this.next++ % topics
      const seq = Math.floor((this.next - 1) / topics) + 1
      return { id: `rolling-${topic}-${seq}`, type: 'task.progress', data: { taskId: `${TASK}${topic}`, progress: 50, seq } }
    })
  }

  private async insist(batch: Numbered[]): Promise<void> {
    const from = performance.now()
    while (!(await this.send(batch))) {
      this.repeats++
      await pause(RETRY_MS)
    }
    this.slowestAckMs = Math.max(this.slowestAckMs, performance.now() - from)
    for (const { data } of batch) this.published[Number(data.taskId.slice(TASK.length))]!++
  }

  private async send(batch: Numbered[]): Promise<boolean> {
    try {
      const headers = { authorization: `Bearer ${this.stage.token}`, 'content-type': 'application/json' }
      const response = await fetch(`${this.stage.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(batch), signal: AbortSignal.timeout(REQUEST_MS) })
      const { results } = (await response.json()) as { results?: { ok: boolean }[] }
      return results?.every(({ ok }) => ok) === true
    } catch {
      return false
    }
  }
}

/** New connections of each worker, second by second, as it counts them itself. */
class Gauge {
  busiest = 0
  refused = 0
  private readonly before = new Map<Place, { at: number; startedAt: number; connections: number; refused: number }>()
  private timer?: NodeJS.Timeout
  private looking = Promise.resolve()

  constructor(private readonly places: readonly Place[]) {}

  async start(): Promise<void> {
    await this.look()
    this.timer = setInterval(() => void (this.looking = this.looking.then(() => this.look())), LOOK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.looking
  }

  private async look(): Promise<void> {
    await Promise.all(this.places.map(async (place) => {
      const text = await metricsOf(place)
      if (text === undefined) return
      const now = { at: performance.now(), startedAt: figureOf(text, 'process_start_time_seconds'), connections: figureOf(text, 'hubbub_connections_total'), refused: figureOf(text, 'hubbub_rejections_total{code="CONNECT_RATE"}') }
      const before = this.before.get(place)
      this.before.set(place, now)
      if (!before) return
      // One that has been replaced counts from nothing.
      const isSame = now.startedAt === before.startedAt
      const fresh = now.connections - (isSame ? before.connections : 0)
      this.busiest = Math.max(this.busiest, (fresh * 1000) / Math.max(LOOK_MS, now.at - before.at))
      this.refused += now.refused - (isSame ? before.refused : 0)
    }))
  }
}

/** Undefined while it is being replaced, or has no time. */
async function metricsOf({ url }: Place): Promise<string | undefined> {
  try {
    return await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(REQUEST_MS) })).text()
  } catch {
    return undefined
  }
}

function figureOf(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
