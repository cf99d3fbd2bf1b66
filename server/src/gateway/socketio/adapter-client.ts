/**
 * What Socket.IO's Redis adapters know as a client of the `redis` package: the few of its methods that they call. Behind it is a connection
 * of ours, to the master of one key, wherever that is by now; its subscriptions go with it. Everything of the adapters goes by that key, so
 * that in a Cluster all workers meet at one node.
 *
 * The adapters drop promises, and a dropped promise that rejects ends the process: a failed command answers its fallback and is logged.
 */
import { EventEmitter } from 'node:events'
import type { Logger } from '../../observe/log.js'
import type { Connection, RedisClient } from '../../store/redis/connection.js'
import type { Nodes } from '../../store/redis/nodes.js'

/** Acks are counted against it: with an unknown number of workers they run into their timeout instead of a false success. */
export const UNKNOWN_SERVER_COUNT = 1_000_000

type Listener = (message: Buffer, channel: Buffer) => void
type Mode = 'subscribe' | 'pSubscribe' | 'sSubscribe'
interface Subscription {
  mode: Mode
  channel: string
  listener: Listener
}

export class AdapterClient extends EventEmitter {
  protected readonly connection: Connection
  private readonly subscriptions: Subscription[] = []

  constructor(protected readonly nodes: Nodes, protected readonly key: string, protected readonly log: Logger) {
    super()
    this.connection = nodes.open(key, (client) => this.restore(client))
  }

  /** Resolves when it is connected, or ended before; it never gives up, and never rejects. */
  async connect(): Promise<this> {
    while (!this.connection.isEnded) {
      const isThere = await this.connection.call('adapter', (client) => client.ping()).catch(() => undefined)
      if (isThere) break
    }
    return this
  }

  disconnect(): void {
    this.nodes.end(this.connection)
  }

  subscribe = (channels: string | string[], listener: Listener): Promise<void> => this.add('subscribe', channels, listener)
  pSubscribe = (channels: string | string[], listener: Listener): Promise<void> => this.add('pSubscribe', channels, listener)
  sSubscribe = (channels: string | string[], listener: Listener): Promise<void> => this.add('sSubscribe', channels, listener)
  unsubscribe = (channels: string | string[]): Promise<void> => this.remove('subscribe', channels)
  pUnsubscribe = (channels: string | string[]): Promise<void> => this.remove('pSubscribe', channels)
  sUnsubscribe = (channels: string | string[]): Promise<void> => this.remove('sSubscribe', channels)

  publish = (channel: string, message: string | Buffer): Promise<number> => this.send('publish', (client) => client.publish(channel, message), 0)
  sPublish = (channel: string, message: string | Buffer): Promise<number> => this.send('sPublish', (client) => client.sPublish(channel, message), 0)
  /** PUBSUB NUMSUB and SHARDNUMSUB: channel and number of subscribers. */
  sendCommand = (args: string[]): Promise<unknown> => this.send('sendCommand', (client) => client.sendCommand<unknown>(args), ['', String(UNKNOWN_SERVER_COUNT)])
  duplicate(): AdapterClient {
    return new AdapterClient(this.nodes, this.key, this.log)
  }

  /** A signal is for whoever is connected now: what cannot be sent now is dropped, unless it `waits` (5 s at most). */
  protected async send<T>(command: string, run: (client: RedisClient) => Promise<T>, fallback: T, { waits = false } = {}): Promise<T> {
    try {
      if (!waits && !this.connection.isReady) throw new Error('not connected')
      return await this.connection.call('adapter', run)
    } catch (error) {
      this.log.debug({ err: error, command }, 'adapter command dropped')
      return fallback
    }
  }

  private add(mode: Mode, channels: string | string[], listener: Listener): Promise<void> {
    const added = [channels].flat().map((channel) => ({ mode, channel, listener }))
    this.subscriptions.push(...added)
    return this.send(mode, (client) => this.subscribeAll(client, added), undefined)
  }

  private remove(mode: Mode, channels: string | string[]): Promise<void> {
    const gone = [channels].flat()
    for (let at = this.subscriptions.length - 1; at >= 0; at--) {
      const { mode: its, channel } = this.subscriptions[at]!
      if (its === mode && gone.includes(channel)) this.subscriptions.splice(at, 1)
    }
    const command = { subscribe: 'unsubscribe', pSubscribe: 'pUnsubscribe', sSubscribe: 'sUnsubscribe' } as const
    return this.send(mode, (client) => client[command[mode]](gone), undefined)
  }

  private restore(client: RedisClient): void {
    client.on('sharded-channel-moved', () => this.renew(client, 'a channel moved'))
    this.subscribeAll(client, this.subscriptions).catch((error: unknown) => {
      this.log.debug({ err: error }, 'adapter not subscribed')
      this.renew(client, 'not subscribed')
    })
  }

  private renew(client: RedisClient, reason: string): void {
    this.nodes.doubt()
    this.connection.relocate(reason, client)
  }

  private async subscribeAll(client: RedisClient, subscriptions: readonly Subscription[]): Promise<void> {
    await Promise.all(subscriptions.map(({ mode, channel, listener }) => client[mode](channel, listener, true)))
  }
}
