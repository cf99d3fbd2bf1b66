/**
 * The Redis adapter under Socket.IO's rooms, for signals only (events go through the journal), wrapped so that nothing that
 * happens to its Redis connection ends the process, and so that it leaves offsets and session recovery to the hub.
 */
import { createAdapter as createPubSubAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import type { Namespace } from 'socket.io'
import { Adapter, type Session } from 'socket.io-adapter'
import type { Logger } from '../../observe/log.js'
import type { Settings } from '../../settings/table.js'

type Client = ReturnType<typeof createClient>
type AdapterFactory = (namespace: Namespace) => Adapter
type AdapterConstructor = typeof Adapter

/** What `restoreSession` may answer; the hub restores subscriptions itself, after authentication. */
export type Restore = (pid: string, cursor: string) => Promise<Session | undefined>

export interface HubAdapter {
  constructor: AdapterConstructor
  close(): void
}

/** Fields of the adapters that their types keep private. */
interface AdapterInternals {
  addOffsetIfNecessary?: () => void
  restoreSession: (pid: string, offset: string) => Promise<Session>
  persistSession: () => void
  broadcast: Adapter['broadcast']
  serverCount: () => Promise<number>
}

/** Acks are counted against it: with an unknown number of workers they run into their timeout instead of a false success. */
const UNKNOWN_SERVER_COUNT = 1_000_000
const KEY_PREFIX = 'hubbub:adapter'

export async function createHubAdapter(settings: Settings, log: Logger, restore: Restore): Promise<HubAdapter> {
  if (settings.redisUrl === '') return { constructor: wrap((namespace) => new LonelyAdapter(namespace), restore), close: () => undefined }
  const clients: Client[] = []
  const connect = async (name: string) => {
    const client = createClient({ url: settings.redisUrl, disableOfflineQueue: name === 'publish', socket: { reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 5), 1000) } })
    client.on('error', (error: Error) => log.debug({ err: error, client: name }, 'adapter connection'))
    clients.push(client as Client)
    await client.connect()
    return client as Client
  }
  const guard = (client: Client) => guarded(client, log)
  const publish = guard(await connect('publish'))
  let factory: AdapterFactory
  if (settings.adapter === 'streams') {
    factory = createStreamsAdapter(guarded(await connect('streams'), log, clients), { streamName: `${KEY_PREFIX}:stream`, channelPrefix: KEY_PREFIX, maxLen: 1000, blockTimeInMs: 2000 })
  } else {
    const subscribe = guard(await connect('subscribe'))
    factory =
      settings.adapter === 'pubsub'
        ? createPubSubAdapter(publish, subscribe, { key: KEY_PREFIX })
        : createShardedAdapter(publish, subscribe, { channelPrefix: KEY_PREFIX, subscriptionMode: 'static' })
  }
  return {
    constructor: wrap(factory, restore),
    close: () => {
      for (const client of clients) if (client.isOpen) client.destroy()
    },
  }
}

/** One process: there is nobody else to tell. */
class LonelyAdapter extends Adapter {
  override serverSideEmit(): void {}
}

function wrap(factory: AdapterFactory, restore: Restore): AdapterConstructor {
  // Socket.IO calls it with `new`: a function, not an arrow.
  function Wrapped(namespace: Namespace): Adapter {
    const adapter = factory(namespace)
    const internals = adapter as unknown as AdapterInternals
    const broadcast = adapter.broadcast.bind(adapter)
    internals.addOffsetIfNecessary = () => undefined
    internals.persistSession = () => undefined
    // Undefined where the types want a session: Socket.IO then begins a new one.
    internals.restoreSession = restore as AdapterInternals['restoreSession']
    internals.broadcast = (packet, options) => {
      const [room, ...others] = options.rooms
      const toOwnSocket = room !== undefined && others.length === 0 && namespace.sockets.has(room)
      if (toOwnSocket) Adapter.prototype.broadcast.call(adapter, packet, options)
      else broadcast(packet, options)
    }
    const serverCount = adapter.serverCount.bind(adapter)
    internals.serverCount = () => serverCount().catch(() => UNKNOWN_SERVER_COUNT)
    return adapter
  }
  return Wrapped as unknown as AdapterConstructor
}

/** What a dropped command answers: nobody reached, nothing stored, nobody counted. */
const FALLBACKS: Readonly<Record<string, unknown>> = {
  publish: 0,
  sPublish: 0,
  xAdd: '',
  subscribe: undefined,
  sSubscribe: undefined,
  unsubscribe: undefined,
  sUnsubscribe: undefined,
  sendCommand: ['', String(UNKNOWN_SERVER_COUNT)],
}

/**
 * The client as the adapters get it. They drop promises, and a dropped promise that rejects ends the process; so a failed
 * command answers its fallback and is logged.
 */
function guarded(client: Client, log: Logger, duplicates?: Client[]): Client {
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      if (typeof property === 'string' && Object.hasOwn(FALLBACKS, property)) {
        return (...args: unknown[]) =>
          Promise.resolve(call(...args)).catch((error: unknown) => {
            log.debug({ err: error, command: property }, 'adapter command dropped')
            return FALLBACKS[property]
          })
      }
      if (property === 'duplicate' && duplicates) return () => patientReader(track(target.duplicate() as Client, duplicates))
      return call
    },
  })
}

function track(client: Client, clients: Client[]): Client {
  clients.push(client)
  return client
}

const ERROR_PAUSE_MS = 500

/**
 * A reader for the streams adapter, which reads from `$` until its first message and retries errors without pause: `$` is
 * resolved once, so that nothing sent during a reconnect is passed over, and an error costs a pause, not a core.
 */
function patientReader(client: Client): Client {
  let start: string | undefined
  const xRead = async (streams: { key: string; id: string }[], options: object): Promise<unknown> => {
    try {
      const [stream] = streams
      if (stream?.id === '$') {
        start ??= (await client.xRevRange(stream.key, '+', '-', { COUNT: 1 }))?.[0]?.id ?? '0-0'
        return await client.xRead({ key: stream.key, id: start }, options)
      }
      return await client.xRead(streams, options)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS).unref())
      return null
    }
  }
  return new Proxy(client, {
    get(target, property) {
      if (property === 'xRead') return xRead
      if (property === 'disconnect') return () => target.isOpen && target.destroy()
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value
    },
  })
}
