/** Subscribers of whatever speaks one of our wires, in a process of its own. Does what a line on stdin says, and answers with one. Ends with its parent. */
import { createInterface } from 'node:readline'
import { NatsSocket } from '../wire/nats.js'
import { PlainSocket } from '../wire/plain.js'
import { openAll, SocketioSocket } from '../wire/socketio.js'
import { micros } from './events.js'
import { Ledger, Tally } from './ledger.js'

/** One subscriber; what it subscribes to stands in the words of its wire. */
export type Seat =
  | { wire: 'socketio'; url: string; token?: string; subscribe: object[]; headers?: string[] }
  | { wire: 'plain'; url: string; subscribe: string[]; settle: 'answer' | number; headers?: string[] }
  | { wire: 'nats'; url: string; subjects: string[] }

export type CrowdOrder =
  | { order: 'open'; seats: Seat[]; together?: number }
  /** Notes delays from now on, or no more. */
  | { order: 'time'; on: boolean }
  | { order: 'look' }
  /** Answers when so many events came since the start. */
  | { order: 'await'; received: number; deadlineMs: number }

export interface CrowdLook {
  received: number
  faults: string[]
  /** ms, since `time`. */
  delays: { count: number; p50: number; p99: number }
  /** Bytes read from sockets, of all frames. */
  bytes: number
}

/** `42["task.progress"`: the fifth byte tells an event from a bookmark. */
const EVENT_AT = 4
const EVENT = 0x74
const GAP = 0x67

const tally = new Tally()
let bytesRead = 0
let count = 0
let wait: { received: number; settle: (reached: boolean) => void } | undefined

createInterface({ input: process.stdin })
  .on('line', (line) => void obey(JSON.parse(line) as CrowdOrder).then(say))
  .on('close', () => process.exit(0))
say({ ready: true })

async function obey(asked: CrowdOrder): Promise<object> {
  if (asked.order === 'open') {
    await openAll(asked.seats, open, asked.together)
    return { open: count }
  }
  if (asked.order === 'time') {
    tally.delays.clear()
    tally.now = asked.on ? micros : undefined
    return {}
  }
  if (asked.order === 'await') return await until(asked.received, asked.deadlineMs)
  return look()
}

function open(seat: Seat): Promise<unknown> {
  const name = `subscriber ${count++}`
  const ledger = new Ledger(tally, name)
  const onLost = (reason: string) => tally.fault(`${name} was lost: ${reason}`)
  const note = (bytes: Buffer, from: number, to: number) => {
    bytesRead += to - from
    ledger.note(bytes, from, to)
    if (wait && tally.received >= wait.received) wait.settle(true)
  }
  if (seat.wire === 'nats') return NatsSocket.open({ ...seat, onEvent: note, onLost })
  if (seat.wire === 'plain') return PlainSocket.open({ ...seat, onEvent: note, onLost })
  return SocketioSocket.open({
    ...seat, onLost,
    onEvent: (bytes, from, to) => {
      const kind = bytes[from + EVENT_AT]
      if (kind === EVENT) note(bytes, from, to)
      else if (kind === GAP) tally.fault(`${name} was told of a gap: ${bytes.toString('utf8', from, Math.min(to, from + 200))}`)
    },
  })
}

async function until(received: number, deadlineMs: number): Promise<object> {
  if (tally.received < received) {
    const reached = await new Promise<boolean>((settle) => {
      const timer = setTimeout(() => settle(false), deadlineMs)
      wait = { received, settle: (answer) => (clearTimeout(timer), settle(answer)) }
    })
    wait = undefined
    if (!reached) tally.fault(`${tally.received} of ${received} events came within ${deadlineMs} ms`)
  }
  return look()
}

function look(): CrowdLook {
  const { received, faults, delays } = tally
  return { received, faults, delays: { count: delays.count, p50: delays.percentile(0.5), p99: delays.percentile(0.99) }, bytes: bytesRead }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
