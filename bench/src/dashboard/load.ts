/**
 * A fleet's load on a hub that runs: 300 agents and 1,000 events a second, evenly, over a few connections of a service, for so many
 * seconds, and at the end a state that is known. For whoever measures what watches it.
 *
 *   node bench/dist/fleetLoad.js URL TOKEN [SECONDS=300] [EVENTS_PER_SECOND=1000] [AGENTS=300] [PREFIX=load]
 *
 * TOKEN is a service's or an admin's. Prints a line of JSON each ten seconds and one at the end; exit code 1 when anything was refused.
 */
import { io, type Socket } from 'socket.io-client'
import { pathToFileURL } from 'node:url'
import { FleetState, type FinalState, type FleetEvent } from './state.js'

export interface LoadOptions {
  url: string
  token: string
  /** Between the fleet's first and last event; default 300. */
  seconds?: number
  /** What is handed in; what the hub derives comes besides. Default 1,000. */
  eventsPerSecond?: number
  agents?: number
  prefix?: string
  /** Default 4: a hub takes 1,000 events a second of one family of a connection. */
  connections?: number
  /** Called each ten seconds. */
  onReport?: (report: LoadReport) => void
  /** Ends the load early, in the same known state. */
  signal?: AbortSignal
}

export interface LoadReport {
  /** Since the load began. */
  seconds: number
  /** Answered as committed so far. */
  committed: number
  /** Over the last ten seconds; of the last report over all of it, opening and end left out. */
  eventsPerSecond: number
  refused: number
  /** Handed in and not answered yet. */
  waiting: number
  /** From handing in to the answer, ms: the slowest of the time. */
  slowestMs: number
}

export interface LoadResult extends LoadReport {
  final: FinalState
  /** Codes of what was refused. */
  codes: Record<string, number>
}

const TICK_MS = 50
const REPORT_MS = 10_000
const CONNECTIONS = 4
/** Events of one message. */
const MOST_AT_ONCE = 200
/** What may be handed in without an answer, as time: behind that the load is not what it says it is. */
const BEHIND_MS = 5000

/** Of the batch as a whole there is an error in place of results. */
interface Answer {
  results?: { ok: boolean; error?: { code: string } }[]
  error?: { code: string }
}

/** Resolves when the last event is committed. Rejects when the hub cannot be reached, or is `BEHIND_MS` behind. */
export async function loadFleet({ url, token, seconds = 300, eventsPerSecond = 1000, agents = 300, prefix, connections = CONNECTIONS, onReport, signal }: LoadOptions): Promise<LoadResult> {
  const fleet = new FleetState(agents, prefix)
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(url, token)))
  const tally = new Tally()
  try {
    await handIn(lanes, fleet.opening(), tally)
    tally.begin()
    await pace(seconds, eventsPerSecond, signal, (count) => {
      if (tally.waiting > (eventsPerSecond * BEHIND_MS) / 1000) throw new Error(`the hub is ${tally.waiting} events behind: it does not keep up with ${eventsPerSecond} a second`)
      handIn(lanes, fleet.next(count), tally).catch((error: unknown) => tally.fail(error))
      const report = tally.report(REPORT_MS)
      if (report) onReport?.(report)
    })
    await tally.settled()
    const whole = tally.total()
    await handIn(lanes, fleet.closing(), tally)
    return { ...whole, committed: tally.committed, refused: tally.refused, codes: tally.codes, final: fleet.final() }
  } finally {
    for (const lane of lanes) lane.disconnect()
  }
}

function openLane(url: string, token: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false })
    socket.once('connect', () => resolve(socket))
    socket.once('connect_error', reject)
  })
}

/** An agent's events keep their order: they all go by the same lane. */
async function handIn(lanes: readonly Socket[], events: readonly FleetEvent[], tally: Tally): Promise<void> {
  const batches = lanes.map((): FleetEvent[] => [])
  for (const event of events) batches[laneOf(event) % lanes.length]!.push(event)
  await Promise.all(batches.map(async (batch, place) => {
    for (let from = 0; from < batch.length; from += MOST_AT_ONCE) await tally.count(batch.slice(from, from + MOST_AT_ONCE), lanes[place]!)
  }))
}

/** The number at the end of an agent's id is that of its task, too. */
function laneOf({ data }: FleetEvent): number {
  return Number(/\d+$/.exec(String(data['agentId'] ?? data['taskId']))?.[0] ?? 0)
}

/** Calls `give` with what is due by now, so that a late timer is made good; resolves when the time is over. */
function pace(seconds: number, eventsPerSecond: number, signal: AbortSignal | undefined, give: (count: number) => void): Promise<void> {
  const began = performance.now()
  let given = 0
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearInterval(timer)
      settle()
    }
    const timer = setInterval(() => {
      const elapsed = Math.min(seconds, (performance.now() - began) / 1000)
      const due = Math.floor(elapsed * eventsPerSecond) - given
      given += due
      try {
        if (due > 0) give(due)
        if (elapsed >= seconds || signal?.aborted) end(resolve)
      } catch (error) {
        end(() => reject(error))
      }
    }, TICK_MS)
  })
}

class Tally {
  committed = 0
  refused = 0
  waiting = 0
  readonly codes: Record<string, number> = {}
  private began = performance.now()
  private before = 0
  private last = { at: this.began, committed: 0 }
  private slowestMs = 0
  private slowestEver = 0
  private failure: unknown
  private readonly open = new Set<Promise<void>>()

  /** What was answered before is the opening's. */
  begin(): void {
    this.began = performance.now()
    this.before = this.committed
    this.last = { at: this.began, committed: this.committed }
    this.slowestMs = this.slowestEver = 0
  }

  async count(batch: readonly FleetEvent[], lane: Socket): Promise<void> {
    const asked = this.ask(batch, lane)
    this.open.add(asked)
    await asked.finally(() => this.open.delete(asked))
  }

  fail(error: unknown): void {
    this.failure ??= error
  }

  /** Undefined while the last one is younger than `everyMs`. @throws what a lane failed with */
  report(everyMs: number): LoadReport | undefined {
    if (this.failure !== undefined) throw this.failure
    const now = performance.now()
    if (now - this.last.at < everyMs) return undefined
    const report = this.over(this.last.at, this.last.committed, this.slowestMs)
    this.last = { at: now, committed: this.committed }
    this.slowestMs = 0
    return report
  }

  total(): LoadReport {
    return this.over(this.began, this.before, this.slowestEver)
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.open)
    if (this.failure !== undefined) throw this.failure
  }

  private over(from: number, committed: number, slowestMs: number): LoadReport {
    const now = performance.now()
    const eventsPerSecond = Math.round(((this.committed - committed) * 10_000) / (now - from)) / 10
    return { seconds: Math.round((now - this.began) / 100) / 10, committed: this.committed, eventsPerSecond, refused: this.refused, waiting: this.waiting, slowestMs: Math.round(slowestMs) }
  }

  private async ask(batch: readonly FleetEvent[], lane: Socket): Promise<void> {
    const asked = performance.now()
    this.waiting += batch.length
    const answer: Answer = await lane.timeout(60_000).emitWithAck('publish', batch)
    this.waiting -= batch.length
    this.slowestMs = Math.max(this.slowestMs, performance.now() - asked)
    this.slowestEver = Math.max(this.slowestEver, this.slowestMs)
    const { results = batch.map(() => ({ ok: false, error: answer.error })) } = answer
    for (const { ok, error } of results) {
      if (ok) this.committed++
      else {
        this.refused++
        const code = error?.code ?? 'unknown'
        this.codes[code] = (this.codes[code] ?? 0) + 1
      }
    }
  }
}

/** Numbers of a command line; nothing stands for the default. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!(number > 0)) throw new RangeError(`'${text}' is not allowed; allowed: a number above 0`)
  return number
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [url, token, seconds, eventsPerSecond, agents, prefix] = process.argv.slice(2)
  if (url === undefined || token === undefined) {
    process.stderr.write('fleetLoad URL TOKEN [SECONDS=300] [EVENTS_PER_SECOND=1000] [AGENTS=300] [PREFIX=load]\n')
    process.exit(2)
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  const { final, ...result } = await loadFleet({
    url, token, seconds: numberOf(seconds), eventsPerSecond: numberOf(eventsPerSecond), agents: numberOf(agents), prefix, onReport: print, signal: stop.signal,
  })
  print({ ...result, final: { agents: Object.keys(final.agents).length, tasks: Object.keys(final.tasks).length } })
  process.exitCode = result.refused === 0 ? 0 : 1
}
