/**
 * The sockets of `bench:slow`, in a process of their own: how late each event came to those that read, and whether each socket got every
 * event of its topics once and in order. Does what a line on stdin says, and answers each with one line. Ends with its parent.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { openAll, SocketioSocket, type SocketioOptions } from '../wire/socketio.js'
import { ID_AT, readPlace } from './events.js'
import { Latencies, micros } from './latency.js'

export interface CrowdOptions {
  /** Of the workers; sockets are spread over them. */
  urls: string[]
  token: string
  count: number
  /** So many of them, evenly spread, have `heavyTopic`, too, and stop when they are told to. */
  stoppable: number
  topic: string
  heavyTopic: string
}

export interface CrowdLook {
  /** Least place that each of the ones that read, and of the others, has reached. */
  quick: number
  stoppable: number
  faults: string[]
}

export interface WindowFigures {
  deliveries: number
  /** ms */
  p50: number
  p99: number
  most: number
  /** Of one core, of this process, over the window. */
  cpu: number
  /** ms: how late this process' own event loop was at most. */
  loop: number
}

interface Seat {
  isStoppable: boolean
  /** Last event of its topics that it got: of all, and of those that everybody gets. */
  all: number
  shared: number
}

const input = JSON.parse(process.argv[2] ?? '{}') as CrowdOptions
const delay = monitorEventLoopDelay({ resolution: 5 })
const faults: string[] = []
let latencies = new Latencies()
let began = { at: performance.now(), cpu: process.cpuUsage() }
const every = Math.floor(input.count / Math.max(1, input.stoppable))
const seats: Seat[] = Array.from({ length: input.count }, (_, at) => ({ isStoppable: at % every === every - 1 && at < every * input.stoppable, all: 0, shared: 0 }))
const sockets = await openAll(seats.map((seat, at) => optionsOf(seat, at)), (options) => SocketioSocket.open(options))
delay.enable()

const ORDERS: Record<string, () => object> = {
  stop: () => move((socket) => socket.pause()),
  resume: () => move((socket) => socket.resume()),
  begin,
  end,
  look,
}
createInterface({ input: process.stdin })
  .on('line', (line) => say(ORDERS[(JSON.parse(line) as { order: string }).order]!()))
  .on('close', () => process.exit(0))
say({ ready: true })

function optionsOf(seat: Seat, at: number): SocketioOptions {
  const topics = seat.isStoppable ? [input.topic, input.heavyTopic] : [input.topic]
  return {
    url: input.urls[at % input.urls.length]!, token: input.token, subscribe: topics.map((topic) => ({ topics: [topic] })),
    onEvent: (bytes, from) => heard(seat, bytes, from),
    onLost: (reason) => fault(`socket ${at} ended: ${reason}`),
  }
}

/** Other events of the hub's own have other ids; a gap is none of ours to explain. */
function heard(seat: Seat, bytes: Buffer, from: number): void {
  const at = from + ID_AT
  if (bytes[at] !== 0x62 || bytes[at + 1] !== 0x2d) {
    if (bytes.toString('latin1', from, from + 7) === '42["gap') fault(`a gap: ${bytes.toString('utf8', from, from + 200)}`)
    return
  }
  const place = readPlace(bytes, at)
  const [expected, got] = seat.isStoppable ? [seat.all + 1, place.all] : [seat.shared + 1, place.shared]
  if (got !== expected) fault(`socket with ${seat.isStoppable ? 'both topics' : 'one topic'} got ${got}, expected ${expected}`)
  seat.all = place.all
  seat.shared = place.shared
  if (!seat.isStoppable) latencies.add(micros() - place.sentAt)
}

function move(how: (socket: SocketioSocket) => void): object {
  for (const [at, seat] of seats.entries()) if (seat.isStoppable) how(sockets[at]!)
  return {}
}

function begin(): object {
  latencies = new Latencies()
  delay.reset()
  began = { at: performance.now(), cpu: process.cpuUsage() }
  return {}
}

function end(): WindowFigures {
  const { user, system } = process.cpuUsage(began.cpu)
  return {
    deliveries: latencies.count, p50: latencies.percentile(0.5), p99: latencies.percentile(0.99), most: latencies.percentile(1),
    cpu: (user + system) / 1000 / (performance.now() - began.at), loop: delay.max / 1e6,
  }
}

function look(): CrowdLook {
  const least = (some: readonly number[]) => some.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER)
  return {
    quick: least(seats.filter(({ isStoppable }) => !isStoppable).map(({ shared }) => shared)),
    stoppable: least(seats.filter(({ isStoppable }) => isStoppable).map(({ all }) => all)),
    faults,
  }
}

function fault(text: string): void {
  if (faults.length < 20) faults.push(text)
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
