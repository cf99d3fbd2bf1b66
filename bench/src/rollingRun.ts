/** A rolling restart: while events flow, each worker behind the balancer is stopped in order and started again, and every client's account is looked through. */
import type { CrowdReport } from './rollingCrowd.js'
import { TASK } from './rollingRecord.js'

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

const BATCHES_A_SECOND = 10
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
    let dueAt = performance.now()
    while (!this.isOver) {
      const batch = Array.from({ length: Math.round(rate / BATCHES_A_SECOND) }, () => {
        const topic = this.next++ % topics
        const seq = Math.floor((this.next - 1) / topics) + 1
        return { id: `rolling-${topic}-${seq}`, type: 'task.progress', data: { taskId: `${TASK}${topic}`, progress: 50, seq } }
      })
      const from = performance.now()
      while (!(await this.send(batch))) {
        this.repeats++
        await pause(200)
      }
      this.slowestAckMs = Math.max(this.slowestAckMs, performance.now() - from)
      for (const { data } of batch) this.published[Number(data.taskId.slice(TASK.length))]!++
      dueAt += 1000 / BATCHES_A_SECOND
      await pause(Math.max(0, dueAt - performance.now()))
    }
  }

  private async send(batch: object[]): Promise<boolean> {
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
  private readonly before = new Map<Place, { at: number; connections: number; refused: number }>()
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
      const text = await fetch(`${place.url}/metrics`, { signal: AbortSignal.timeout(5000) }).then((response) => response.text(), () => undefined)
      // It is being replaced: the new one counts from nothing.
      if (text === undefined) return void this.before.set(place, { at: performance.now(), connections: 0, refused: 0 })
      const now = { at: performance.now(), connections: figureOf(text, 'hubbub_connections_total'), refused: figureOf(text, 'hubbub_rejections_total{code="CONNECT_RATE"}') }
      const before = this.before.get(place)
      this.before.set(place, now)
      if (!before) return
      const isNew = now.connections < before.connections
      const fresh = now.connections - (isNew ? 0 : before.connections)
      this.busiest = Math.max(this.busiest, (fresh * 1000) / Math.max(LOOK_MS, now.at - before.at))
      this.refused += now.refused - (isNew ? 0 : before.refused)
    }))
  }
}

function figureOf(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
