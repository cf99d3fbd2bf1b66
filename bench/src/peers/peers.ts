/**
 * The hub and what people would pick instead, each as they would run it: one worker process whose CPU time counts, fed through Redis (nats-server
 * by its own port) by an emitter that counts for nobody.
 */
import type { Settings } from '../../../server/dist/settings/table.js'
import type { Seat } from '../crowd/crowd.js'
import { topicOf } from '../ground/events.js'
import type { Stage } from '../ground/stage.js'
import { SECRET, serviceToken } from '../ground/token.js'
import type { EmitterOptions } from './emitter.js'
import type { LoopOptions } from './groupLoop.js'
import { startNats } from './natsServer.js'
import type { StockAdapter } from './stockAdapter.js'
import type { StockOptions } from './stockServer.js'
import type { WsOptions } from './wsServer.js'

export interface Peer {
  readonly name: string
  readonly title: string
  /** Of the processes that clients hang on. */
  readonly workers: readonly { pid: number; url: string }[]
  /** What makes its events come: for figures of the whole path. */
  readonly others: Readonly<Record<string, number>>
  readonly emitter: EmitterOptions
  /** A subscriber of these topics, by number; `all` is every topic. */
  seat(topics: readonly number[] | 'all', worker?: number): Seat
}

/** A subscriber over Socket.IO, of the hub or of a stock server. */
export type SocketioSeat = Extract<Seat, { wire: 'socketio' }>

export interface SocketioPeer extends Peer {
  seat(topics: readonly number[] | 'all', worker?: number): SocketioSeat
}

/** A peer from outside; see bench/README.md. */
export interface OutsidePeer {
  name: string
  title?: string
  /** `ws://host:port/path` */
  url: string
  /** Frames that subscribe; `{topic}` stands for a topic. */
  subscribe: string[]
  headers?: string[]
  /** ms after which its subscriptions count. */
  settleMs?: number
  publish: { url: string; method?: string; headers?: Record<string, string>; body: string }
  /** Whose CPU time counts. */
  pid: number
}

const CHANNEL = 'bench'
const SOURCE = 'bench:source'
/** None of the limits is what is measured. */
export const UNLIMITED: Partial<Settings> = {
  jwtSecret: SECRET, connectRate: 0, messageRate: 1_000_000, messageBurst: 1_000_000, familyRates: '*=1000000', subjectConnections: 0, maxConnections: 1_000_000, pingTimeoutMs: 300_000, maxTopics: 1000,
}

export async function startHubbub(stage: Stage, { settings = {}, name = 'hubbub', title = 'Hubbub', workers = 1 }: { settings?: Partial<Settings>; name?: string; title?: string; workers?: number } = {}): Promise<SocketioPeer> {
  const redis = await stage.redis()
  const shared = { ...UNLIMITED, redisUrl: redis.url, ...settings }
  const processor = await stage.start('ground/hubProcess.js', { ...shared, role: 'processor' })
  const all = await Promise.all(Array.from({ length: workers }, () => stage.start('ground/hubProcess.js', { ...shared, role: 'worker' })))
  const token = serviceToken()
  return {
    name, title, workers: all.map(({ pid, ready }) => ({ pid, url: String(ready['url']) })), others: { processor: processor.pid, redis: redis.pid },
    emitter: { peer: 'hubbub', redisUrl: redis.url },
    seat: (topics, worker = 0) => ({ wire: 'socketio', url: String(all[worker % workers]!.ready['url']), token, subscribe: [{ topics: topics === 'all' ? ['task:*'] : topics.map(topicOf) }] }),
  }
}

/** A room for all stands for a wildcard, which rooms do not have. */
export async function startStock(stage: Stage, adapter: StockAdapter, { workers = 1, rooms, ...options }: { workers?: number; rooms?: string[] } & Partial<StockOptions> = {}): Promise<SocketioPeer> {
  const redis = await stage.redis()
  const all = await Promise.all(Array.from({ length: workers }, () => stage.start('peers/stockServer.js', { redisUrl: redis.url, adapter, ...options } satisfies StockOptions)))
  const titles: Record<StockAdapter, string> = { pubsub: 'Socket.IO, redis-adapter', sharded: 'Socket.IO, sharded redis-adapter', streams: 'Socket.IO, redis-streams-adapter' }
  return {
    name: adapter, title: titles[adapter], workers: all.map(({ pid, ready }) => ({ pid, url: String(ready['url']) })), others: { redis: redis.pid },
    emitter: { peer: 'stock', redisUrl: redis.url, adapter, rooms },
    seat: (topics, worker = 0) => ({ wire: 'socketio', url: String(all[worker % workers]!.ready['url']), subscribe: [{ topics: topics === 'all' ? ['task:*'] : topics.map(topicOf) }] }),
  }
}

/** Stock workers whose events come from a stream by a loop over a consumer group: what a hub's processor is compared with. */
export async function startLoop(stage: Stage, workers: number): Promise<SocketioPeer> {
  const stock = await startStock(stage, 'streams', { workers })
  const { redisUrl } = stock.emitter as { redisUrl: string }
  const loop = await stage.start('peers/groupLoop.js', { redisUrl, mode: 'emit', source: SOURCE, journal: '', count: 500 } satisfies LoopOptions)
  return { ...stock, name: 'loop', title: 'XREADGROUP loop, `io.to().emit()`, redis-streams-adapter', others: { ...stock.others, processor: loop.pid }, emitter: { peer: 'stream', redisUrl, key: SOURCE } }
}

export async function startWs(stage: Stage, corked: boolean): Promise<Peer> {
  const redis = await stage.redis()
  const worker = await stage.start('peers/wsServer.js', { redisUrl: redis.url, channel: CHANNEL, corked } satisfies WsOptions)
  const url = String(worker.ready['url'])
  return {
    name: corked ? 'ws-corked' : 'ws', title: corked ? '`ws` loop, corked' : '`ws` loop', workers: [{ pid: worker.pid, url }], others: { redis: redis.pid },
    emitter: { peer: 'redis', redisUrl: redis.url, channel: CHANNEL },
    seat: () => ({ wire: 'plain', url, subscribe: ['hello'], settle: 'answer' }),
  }
}

export async function startNatsPeer(stage: Stage): Promise<Peer> {
  const server = await startNats()
  stage.onClose(() => server.stop())
  const url = `http://127.0.0.1:${server.wsPort}`
  return {
    name: 'nats', title: 'nats-server, WebSocket', workers: [{ pid: server.pid, url }], others: {},
    emitter: { peer: 'nats', port: server.port },
    seat: (topics) => ({ wire: 'nats', url, subjects: topics === 'all' ? ['task.>'] : topics.map((topic) => topicOf(topic).replace(':', '.')) }),
  }
}

export function outsidePeer({ name, title = name, url, subscribe, headers, settleMs = 500, publish, pid }: OutsidePeer): Peer {
  return {
    name, title, workers: [{ pid, url }], others: {},
    emitter: { peer: 'http', url: publish.url, method: publish.method ?? 'POST', headers: publish.headers ?? {}, body: publish.body },
    seat: (topics) => ({ wire: 'plain', url, headers, settle: settleMs, subscribe: topics === 'all' ? subscribe.map((frame) => frame.replaceAll('{topic}', '*')) : topics.flatMap((topic) => subscribe.map((frame) => frame.replaceAll('{topic}', topicOf(topic)))) }),
  }
}
