/** What the parts of the Redis store share: the nodes, the names of keys, scripts, and how to open connections of their own. */
import type { StoreOptions } from '../options.js'
import type { Connection, RedisClient } from './connection.js'
import { PartitionKeys } from './keys.js'
import { Nodes } from './nodes.js'
import type { Script } from './scripts.js'

export class RedisContext {
  private readonly keyspace: PartitionKeys[]
  readonly nodes: Nodes

  /** `onReady`: after each (re)connection to a master. */
  constructor(readonly options: StoreOptions, onReady?: () => void) {
    const { redisUrl: url, redisTls: tls, clientName } = options
    this.keyspace = Array.from({ length: options.partitions }, (_, partition) => new PartitionKeys(partition))
    this.nodes = new Nodes({ url, tls, clientName, onReady, onError: (operation, error) => this.report(operation, error), onReconnect: () => options.onReconnect?.() })
  }

  keys(partition: number): PartitionKeys {
    const keys = this.keyspace[partition]
    if (!keys) throw new RangeError(`partition ${partition} does not exist; there are ${this.options.partitions}`)
    return keys
  }

  /** Commands of `send` go to the master of `key`: in a Cluster they may touch nothing but keys of its slot. They may be sent twice. `script`: that they run. */
  call<T>(operation: string, key: string, send: (client: RedisClient) => Promise<T>, script?: Script): Promise<T> {
    return this.nodes.call(operation, key, send, { prepare: script && ((client) => script.load(client)) })
  }

  /** The keys lie in one slot. */
  run(operation: string, script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.call(operation, keys[0]!, (client) => script.run(client, keys, args), script)
  }

  /** Asks every master, one or those of a Cluster; rejects when one of them does not answer. */
  async each<T>(operation: string, send: (client: RedisClient) => Promise<T>): Promise<T[]> {
    const masters = await this.nodes.masters(operation)
    return Promise.all(masters.map((master) => master.call(operation, send)))
  }

  /** A connection of its own to the master of `key`, for blocking reads; `Store.close` ends it if its holder did not. */
  open(key: string): Connection {
    return this.nodes.open(key)
  }

  end(connection: Connection): void {
    this.nodes.end(connection)
  }

  report(operation: string, error: unknown): void {
    this.options.onError?.(operation, error)
  }

  close(): Promise<void> {
    return this.nodes.close()
  }
}
