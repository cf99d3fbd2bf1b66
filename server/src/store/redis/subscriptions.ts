/**
 * Channels of sharded pub/sub, each at the node of its slot: one connection for all that one node serves, made anew when slots move. What
 * is published while a channel is nowhere subscribed is lost; that it may have been is said with `onInterrupted`.
 */
import { StoreUnavailable } from '../port.js'
import { CALL_MS, type Connection, type RedisClient } from './connection.js'
import type { Nodes } from './nodes.js'

export interface SubscriptionOptions {
  channels: readonly string[]
  onMessage: (message: string) => void
  /** Some channels are subscribed again, after they were not. */
  onInterrupted: () => void
  onError: (error: unknown) => void
}

/** A subscriber writes nothing, so only these calls find out that its Redis is frozen. ms */
const PROBE_MS = 2000

interface Group {
  connection: Connection
  channels: readonly string[]
  isSubscribed: boolean
}

export class Subscriptions {
  private readonly groups = new Map<string, Group>()
  private readonly unwatch: () => void
  private readonly probe: NodeJS.Timeout
  private closed = false
  /** Of the beginning, when nothing was interrupted yet: until all channels are subscribed. */
  private announce?: () => void
  private readonly complete = new Promise<void>((resolve) => (this.announce = resolve))

  private constructor(private readonly nodes: Nodes, private readonly options: SubscriptionOptions) {
    this.unwatch = nodes.onMoved(() => this.arrange())
    this.probe = setInterval(() => this.ping(), PROBE_MS).unref()
  }

  /** Resolves when all channels are subscribed; rejects with `StoreUnavailable` when they are not within 5 s. */
  static async open(nodes: Nodes, options: SubscriptionOptions): Promise<Subscriptions> {
    const subscriptions = new Subscriptions(nodes, options)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new StoreUnavailable(`listen: not subscribed within ${CALL_MS} ms`)), CALL_MS)
    })
    try {
      // Where nothing is known of a Cluster yet, no channel has a node.
      await Promise.race([nodes.masters('listen').then(() => subscriptions.arrange()), late])
      await Promise.race([subscriptions.complete, late])
      return subscriptions
    } catch (error) {
      subscriptions.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.closed = true
    clearInterval(this.probe)
    this.unwatch()
    for (const { connection } of this.groups.values()) this.nodes.end(connection)
    this.groups.clear()
  }

  /** A group whose channels changed begins anew: slots move seldom, and what was missed meanwhile is looked up once. */
  private arrange(): void {
    if (this.closed) return
    const wanted = this.nodes.groups(this.options.channels)
    for (const [node, { connection, channels }] of this.groups) {
      if (wanted.get(node)?.join('\n') === channels.join('\n')) continue
      this.groups.delete(node)
      this.nodes.end(connection)
    }
    for (const [node, channels] of wanted) if (!this.groups.has(node)) this.join(node, channels)
  }

  private join(node: string, channels: readonly string[]): void {
    const connection = this.nodes.open(channels[0]!, (client) => {
      const group = this.groups.get(node)
      if (group?.connection !== connection) return
      this.subscribe(client, group).catch((error: unknown) => {
        if (this.groups.get(node) === group) this.options.onError(error)
        connection.relocate('not subscribed', client)
      })
    })
    this.groups.set(node, { connection, channels, isSubscribed: false })
  }

  private async subscribe(client: RedisClient, group: Group): Promise<void> {
    client.on('sharded-channel-moved', () => {
      this.nodes.doubt()
      group.connection.relocate('a channel moved', client)
    })
    // One channel a command: in a Cluster they may lie in several slots.
    await Promise.all(group.channels.map((channel) => client.sSubscribe(channel, this.options.onMessage)))
    group.isSubscribed = true
    if (!this.announce) return this.options.onInterrupted()
    const covered = [...this.groups.values()].reduce((sum, { isSubscribed, channels }) => sum + (isSubscribed ? channels.length : 0), 0)
    if (covered < this.options.channels.length) return
    this.announce()
    this.announce = undefined
  }

  private ping(): void {
    for (const { connection } of this.groups.values()) {
      connection.call('listen', (client) => client.ping()).catch((error: unknown) => this.options.onError(error))
    }
  }
}
