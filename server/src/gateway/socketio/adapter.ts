/**
 * The Redis adapter under Socket.IO's rooms, for signals only (events go through the journal), wrapped so that nothing that
 * happens to its Redis connection ends the process, and so that it leaves offsets and session recovery to the hub.
 */
import { createAdapter as createPubSubAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import type { Namespace } from 'socket.io'
import { Adapter, type Session } from 'socket.io-adapter'
import type { Logger } from '../../observe/log.js'
import type { Settings } from '../../settings/table.js'
import { storeOptions } from '../../store/options.js'
import { Nodes } from '../../store/redis/nodes.js'
import { AdapterClient, UNKNOWN_SERVER_COUNT } from './adapter-client.js'
import { StreamsAdapterClient } from './adapter-streams.js'

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

/** Of all channels and the stream. The tag puts them into one slot of a Cluster: all workers meet at one node. */
const KEY_PREFIX = 'hubbub:{adapter}'

export async function createHubAdapter(settings: Settings, log: Logger, restore: Restore): Promise<HubAdapter> {
  const { redisUrl: url, redisTls: tls, clientName } = storeOptions(settings)
  if (url === '') return { constructor: wrap((namespace) => new LonelyAdapter(namespace), restore), close: () => undefined }
  const nodes = new Nodes({ url, tls, clientName, onError: (operation, error) => log.debug({ err: error, operation }, 'adapter connection') })
  try {
    return { constructor: wrap(await openFactory(nodes, settings.adapter, log), restore), close: () => void nodes.close() }
  } catch (error) {
    await nodes.close()
    throw error
  }
}

async function openFactory(nodes: Nodes, kind: string, log: Logger): Promise<AdapterFactory> {
  if (kind === 'streams') {
    const client = await new StreamsAdapterClient(nodes, KEY_PREFIX, log).connect()
    return createStreamsAdapter(client, { streamName: `${KEY_PREFIX}:stream`, channelPrefix: KEY_PREFIX, maxLen: 1000, blockTimeInMs: 2000 })
  }
  const [publish, subscribe] = await Promise.all([new AdapterClient(nodes, KEY_PREFIX, log).connect(), new AdapterClient(nodes, KEY_PREFIX, log).connect()])
  if (kind === 'pubsub') return createPubSubAdapter(publish, subscribe, { key: KEY_PREFIX })
  return createShardedAdapter(publish, subscribe, { channelPrefix: KEY_PREFIX, subscriptionMode: 'static' })
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
