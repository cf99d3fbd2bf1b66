/**
 * Producers over Socket.IO, at a steady rate: each event is published on its own and its answer is timed. Does what a line on stdin says, and
 * answers with one. Ends with its parent.
 */
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { committed, micros, published, topicOf } from '../ground/events.js'
import { Delays } from '../crowd/ledger.js'
import { openAll, SocketioSocket } from '../wire/socketio.js'

export interface PublisherOptions {
  url: string
  token?: string
  /** A stock server is told the topic. */
  isStock: boolean
  sockets: number
}

export interface PublishOrder {
  rate: number
  seconds: number
  topic: number
}

/** ms, from publishing to its answer. */
export interface Published {
  sent: number
  p50: number
  p99: number
}

const { url, token, isStock, sockets: count } = JSON.parse(process.argv[2] ?? '{}') as PublisherOptions
const sockets = await openAll(Array.from({ length: count }, () => ({ url, token, subscribe: [], onLost: (reason: string) => fail(reason) })), (options) => SocketioSocket.open(options))
let seq = 0

createInterface({ input: process.stdin })
  .on('line', (line) => void publish(JSON.parse(line) as PublishOrder).then(say))
  .on('close', () => process.exit(0))
say({ ready: true })

/** By one socket in turn: what one producer publishes keeps its order, so the topic has one producer. */
async function publish({ rate, seconds, topic }: PublishOrder): Promise<Published> {
  const delays = new Delays()
  const all = rate * seconds
  const pending: Promise<void>[] = []
  const began = performance.now()
  for (let sent = 0; sent < all; await pause(1)) {
    for (const due = Math.min(all, Math.floor(((performance.now() - began) * rate) / 1000)); sent < due; sent++) pending.push(one(topic, delays))
  }
  await Promise.all(pending)
  return { sent: all, p50: delays.percentile(0.5), p99: delays.percentile(0.99) }
}

async function one(topic: number, delays: Delays): Promise<void> {
  const place = { topic, seq: seq++ }
  const asked = isStock ? { topic: topicOf(topic), event: committed(place) } : published(place)
  const at = micros()
  const answer = await sockets[0]!.ask('publish', asked)
  delays.add(micros() - at)
  if (!answer.includes('"ok":true')) fail(answer)
}

function fail(why: string): never {
  throw new Error(`a publish failed: ${why.slice(0, 300)}`)
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
