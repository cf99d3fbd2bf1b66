/** What the parts of the Redis store share: one connection for ordinary calls, the names of keys, and how to open more connections. */
import type { StoreOptions } from '../options.js'
import { Connection, type ConnectionOptions } from './connection.js'
import { PartitionKeys } from './keys.js'
import type { Script } from './scripts.js'

export class RedisContext {
  readonly connection: Connection
  private readonly keyspace: PartitionKeys[]
  private readonly dedicated = new Set<Connection>()
  private closed = false

  constructor(readonly options: StoreOptions, onReady?: ConnectionOptions['onReady']) {
    this.keyspace = Array.from({ length: options.partitions }, (_, partition) => new PartitionKeys(partition))
    this.connection = new Connection(this.connectionOptions(onReady))
  }

  keys(partition: number): PartitionKeys {
    const keys = this.keyspace[partition]
    if (!keys) throw new RangeError(`partition ${partition} does not exist; there are ${this.options.partitions}`)
    return keys
  }

  async run(operation: string, script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.connection.call(operation, (client) => script.run(client, keys, args))
  }

  /** A connection of its own, for blocking reads or subscriptions; `Store.close` ends it if its holder did not. */
  open(onReady?: ConnectionOptions['onReady']): Connection {
    const connection = new Connection(this.connectionOptions(onReady))
    this.dedicated.add(connection)
    if (this.closed) this.end(connection)
    return connection
  }

  end(connection: Connection): void {
    this.dedicated.delete(connection)
    connection.destroy()
  }

  report(operation: string, error: unknown): void {
    this.options.onError?.(operation, error)
  }

  async close(): Promise<void> {
    this.closed = true
    for (const connection of this.dedicated) connection.destroy()
    this.dedicated.clear()
    await this.connection.close()
  }

  private connectionOptions(onReady?: ConnectionOptions['onReady']): ConnectionOptions {
    return { url: this.options.redisUrl, name: this.options.clientName, onError: (operation, error) => this.report(operation, error), onReady, onReconnect: () => this.options.onReconnect?.() }
  }
}
