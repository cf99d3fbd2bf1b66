/** Connections that only stand there, listen, or publish, in a process of their own. Does what a line on stdin says, and answers with one. Ends with its parent. */
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { signToken } from '../../../server/dist/access/tokens.js'
import { costEvent } from './events.js'
import { openAll, SocketioSocket } from '../wire/socketio.js'

export interface CrowdOptions {
  url: string
  secret: string
  /** Of a service, for whoever publishes. */
  token: string
}

/** More connections, each of a subject of its own. `#` in a topic is the connection's number. */
export interface Grow {
  count: number
  topics: string[]
}

export interface PublishOrder {
  publishers: number
  /** Events in one message; the next follows when it was answered. */
  batch: number
  seconds: number
}

export interface PublishFigures {
  events: number
  seconds: number
  /** ms */
  p50: number
  p99: number
}

export interface CrowdLook {
  received: number
  /** s */
  cpu: number
}

const input = JSON.parse(process.argv[2] ?? '{}') as CrowdOptions
const sockets: SocketioSocket[] = []
let received = 0
let lost = 0
/** `42["task.progress"`: the eighth character tells an event from a bookmark. */
const EVENT = 0x74

createInterface({ input: process.stdin })
  .on('line', (line) => void obey(JSON.parse(line) as { order: string } & Grow & PublishOrder).then(say))
  .on('close', () => process.exit(0))
say({ ready: true })

async function obey(asked: { order: string } & Grow & PublishOrder): Promise<object> {
  if (asked.order === 'grow') return await grow(asked)
  if (asked.order === 'publish') return await publish(asked)
  if (lost > 0) throw new Error(`${lost} connections were lost`)
  const { user, system } = process.cpuUsage()
  return { received, cpu: (user + system) / 1e6 } satisfies CrowdLook
}

async function grow({ count, topics }: Grow): Promise<object> {
  const options = Array.from({ length: count }, (_, at) => {
    const number = String(sockets.length + at)
    return {
      url: input.url, token: signToken(input.secret, { sub: `watcher-${number}`, role: 'viewer' }, '2h'), subscribe: topics.map((topic) => ({ topics: [topic.replace('#', number)] })),
      onEvent: (bytes: Buffer, from: number) => void (bytes[from + 4] === EVENT && received++),
      onLost: () => lost++,
    }
  })
  sockets.push(...(await openAll(options, (each) => SocketioSocket.open(each))))
  return { open: sockets.length }
}

/** With the stock client, as producers do it; each waits for its answer (I4). */
async function publish({ publishers, batch, seconds }: PublishOrder): Promise<PublishFigures> {
  const all: Socket[] = []
  for (let at = 0; at < publishers; at++) all.push(io(input.url, { transports: ['websocket'], auth: { token: input.token }, forceNew: true }))
  await Promise.all(all.map((socket) => new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))))
  const took: number[] = []
  let number = 0
  const began = performance.now()
  await Promise.all(
    all.map(async (socket) => {
      while (performance.now() - began < seconds * 1000) {
        const events = Array.from({ length: batch }, () => costEvent('publish', number++))
        const at = performance.now()
        const answer = (await socket.timeout(60_000).emitWithAck('publish', batch === 1 ? events[0] : events)) as { ok: boolean }
        if (!answer.ok) throw new Error(`a publish was refused: ${JSON.stringify(answer).slice(0, 300)}`)
        took.push(performance.now() - at)
      }
    }),
  )
  const elapsed = (performance.now() - began) / 1000
  for (const socket of all) socket.disconnect()
  took.sort((a, b) => a - b)
  return { events: number, seconds: elapsed, p50: took[Math.floor(took.length / 2)] ?? Number.NaN, p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
