/** Subscribers of whatever speaks one of our wires, in a process of its own. Does what a line on stdin says, and answers with one. Ends with its parent. */
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { NatsSocket } from '../wire/nats.js'
import { PlainSocket } from '../wire/plain.js'
import { openAll, SocketioSocket, type Place, type SocketioOptions } from '../wire/socketio.js'
import { micros } from '../ground/events.js'
import { Ledger, Tally } from './ledger.js'

/** One subscriber; what it subscribes to stands in the words of its wire. */
export type Seat =
  | { wire: 'socketio'; url: string; token?: string; subscribe: object[]; headers?: string[]; auth?: object; keepsPlace?: boolean; counts?: boolean }
  | { wire: 'plain'; url: string; subscribe: string[]; settle: 'answer' | number; headers?: string[] }
  | { wire: 'nats'; url: string; subjects: string[] }

export type CrowdOrder =
  | { order: 'open'; seats: Seat[]; together?: number }
  /** Notes delays from now on, or no more. */
  | { order: 'time'; on: boolean }
  | { order: 'look' }
  /** A stock socket.io-client, which checks what it is given. */
  | { order: 'witness'; url: string; token?: string; topics: string[] }
  /** Ends it; answers what came. */
  | { order: 'dismiss'; received: number }
  /** Hangs up, all of them. */
  | { order: 'leave' }
  /** They come back to where they stood, at once. Answers when all are connected. */
  | { order: 'return'; url: string; together: number }
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

interface Witness {
  socket: Socket
  received: number
}

interface Member {
  options: SocketioOptions
  socket?: SocketioSocket
  from?: Place
}

const tally = new Tally()
const members: Member[] = []
let witness: Witness | undefined
const WITNESS_MS = 20_000
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
  if (asked.order === 'witness') return await attest(asked)
  if (asked.order === 'dismiss') return await dismiss(asked.received)
  if (asked.order === 'leave') return leave()
  if (asked.order === 'return') return await comeBack(asked.url, asked.together)
  if (asked.order === 'await') return await until(asked.received, asked.deadlineMs)
  return look()
}

async function open(seat: Seat): Promise<unknown> {
  const name = `subscriber ${count++}`
  const ledger = new Ledger(tally, name)
  const onLost = (reason: string) => tally.fault(`${name} was lost: ${reason}`)
  const isCounted = seat.wire === 'socketio' && seat.counts
  const note = (bytes: Buffer, from: number, to: number) => {
    bytesRead += to - from
    if (isCounted) tally.received++
    else ledger.note(bytes, from, to)
    if (wait && tally.received >= wait.received) wait.settle(true)
  }
  if (seat.wire === 'nats') return NatsSocket.open({ ...seat, onEvent: note, onLost })
  if (seat.wire === 'plain') return PlainSocket.open({ ...seat, onEvent: note, onLost })
  const options: SocketioOptions = {
    ...seat, onLost,
    onEvent: (bytes, from, to) => {
      const kind = bytes[from + EVENT_AT]
      if (kind === EVENT || isCounted) note(bytes, from, to)
      else if (kind === GAP) tally.fault(`${name} was told of a gap: ${bytes.toString('utf8', from, Math.min(to, from + 200))}`)
    },
  }
  const socket = await SocketioSocket.open(options)
  if (seat.keepsPlace) members.push({ options, socket })
  return socket
}

async function attest({ url, token, topics }: Extract<CrowdOrder, { order: 'witness' }>): Promise<object> {
  const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true })
  const seen = { socket, received: 0 }
  const next = new Map<string, number>()
  witness = seen
  socket.on('task.progress', ({ data: { taskId, seq } }: { data: { taskId: string; seq: number } }) => {
    const expected = next.get(taskId) ?? 0
    if (seq !== expected) tally.fault(`the stock client: ${taskId} gave ${seq}, expected ${expected}`)
    next.set(taskId, seq + 1)
    seen.received++
  })
  socket.on('gap', (gap: object) => tally.fault(`the stock client was told of a gap: ${JSON.stringify(gap)}`))
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  await socket.emitWithAck('subscribe', { topics })
  return {}
}

async function dismiss(received: number): Promise<object> {
  const { socket } = witness!
  for (const deadline = Date.now() + WITNESS_MS; witness!.received < received && Date.now() < deadline; ) await new Promise((resolve) => setTimeout(resolve, 20))
  if (witness!.received !== received) tally.fault(`the stock client got ${witness!.received} of ${received} events`)
  socket.disconnect()
  witness = undefined
  return look()
}

/** Of one wire only: who can be resumed. */
function leave(): object {
  for (const member of members) {
    member.from = member.socket?.place
    member.socket?.close()
  }
  return { left: members.length }
}

async function comeBack(url: string, together: number): Promise<object> {
  const unplaced = members.filter(({ from }) => from === undefined).length
  if (unplaced > 0) throw new Error(`${unplaced} clients do not know where they stood`)
  await openAll(members, async (member) => {
    member.socket = await SocketioSocket.open({ ...member.options, url, from: member.from })
  }, together)
  return { back: members.length }
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
