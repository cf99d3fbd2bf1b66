/**
 * Whoever has events to tell: for each peer in its own way, all events the same. No clients hang on it, and its CPU time counts for nobody.
 * Does what a line on stdin says, and answers with one. Ends with its parent.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import type { SourceAppend } from '../../../server/dist/store/port.js'
import { benchStore } from '../ground/store.js'
import { committed, published, topicOf, TYPE, type Place } from '../ground/events.js'
import { adapterOf, type StockAdapter } from './stockAdapter.js'

export type EmitterOptions =
  /** To the source stream, as a gateway would. */
  | { peer: 'hubbub'; redisUrl: string }
  /** `rooms`: besides that of the topic, so that those who listen to more than one topic hear it. */
  | { peer: 'stock'; redisUrl: string; adapter: StockAdapter; rooms?: string[] }
  | { peer: 'redis'; redisUrl: string; channel: string }
  /** To a stream, for a loop to read. */
  | { peer: 'stream'; redisUrl: string; key: string }
  | { peer: 'nats'; port: number }
  /** A request for each event; `{event}` and `{topic}` stand in the body for what they say. */
  | { peer: 'http'; url: string; method: string; headers: Record<string, string>; body: string }

export type EmitterOrder = {
  /** They take turns, from where it stood. */
  topics: { from: number; count: number }
  /** Fields of each event's data besides the usual. */
  more?: object
} & ({ order: 'burst'; events: number } | { order: 'steady'; rate: number; seconds: number })

type Emit = (places: readonly Place[], more?: object) => Promise<unknown>

const IDENTITY = { source: '/services/bench', project: 'default' }
/** Of one atomic step to a source stream. */
const MOST = 500

const emit = await open(JSON.parse(process.argv[2] ?? '{}') as EmitterOptions)
const seqs = new Map<number, number>()
let turn = 0

createInterface({ input: process.stdin })
  .on('line', (line) => void obey(JSON.parse(line) as EmitterOrder).then(say))
  .on('close', () => process.exit(0))
say({ ready: true })

async function obey(asked: EmitterOrder): Promise<object> {
  if (asked.order === 'burst') {
    await emit(placesOf(asked, asked.events), asked.more)
    return { sent: asked.events }
  }
  const began = performance.now()
  const all = asked.rate * asked.seconds
  for (let sent = 0; sent < all; await pause(1)) {
    // As late as the timer is: each goes on its own, as its producer's would.
    for (const due = Math.min(all, Math.floor(((performance.now() - began) * asked.rate) / 1000)); sent < due; sent++) void emit(placesOf(asked, 1), asked.more)
  }
  return { sent: all, seconds: (performance.now() - began) / 1000 }
}

function placesOf({ topics }: EmitterOrder, count: number): Place[] {
  return Array.from({ length: count }, () => {
    const topic = topics.from + (turn++ % topics.count)
    const seq = seqs.get(topic) ?? 0
    seqs.set(topic, seq + 1)
    return { topic, seq }
  })
}

async function open(options: EmitterOptions): Promise<Emit> {
  switch (options.peer) {
    case 'hubbub': {
      const store = await benchStore(options.redisUrl)
      return async (places, more) => {
        for (let at = 0; at < places.length; at += MOST) {
          await store.append(0, places.slice(at, at + MOST).map((place): SourceAppend => ({ stream: 'system', event: JSON.stringify(published(place, more)), identity: IDENTITY })))
        }
      }
    }
    case 'stock': {
      const io = new Server({ adapter: await adapterOf(options.redisUrl, options.adapter) })
      return async (places, more) => {
        for (const place of places) io.to([topicOf(place.topic), ...(options.rooms ?? [])]).emit(TYPE, committed(place, more))
      }
    }
    case 'redis': {
      const client = await createClient({ url: options.redisUrl }).connect()
      return (places, more) => Promise.all(places.map((place) => client.publish(options.channel, JSON.stringify(committed(place, more)))))
    }
    case 'stream': {
      const client = await createClient({ url: options.redisUrl }).connect()
      return (places, more) => Promise.all(places.map((place) => client.xAdd(options.key, '*', { event: JSON.stringify(committed(place, more)) })))
    }
    case 'nats': {
      const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true })
      socket.on('data', (data) => void (data.toString().includes('PING') && socket.write('PONG\r\n')))
      socket.write('CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1"}\r\n')
      return async (places, more) => {
        const lines = places.map((place) => {
          const text = JSON.stringify(committed(place, more))
          return `PUB ${topicOf(place.topic).replace(':', '.')} ${Buffer.byteLength(text)}\r\n${text}\r\n`
        })
        socket.write(lines.join(''))
      }
    }
    case 'http':
      return (places, more) => Promise.all(places.map((place) => {
        const body = options.body.replace('{topic}', topicOf(place.topic)).replace('{event}', JSON.stringify(committed(place, more)))
        return fetch(options.url, { method: options.method, headers: options.headers, body }).then((answer) => answer.arrayBuffer())
      }))
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
