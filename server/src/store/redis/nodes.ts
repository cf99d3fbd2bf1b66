/**
 * Redis as its keys see it: a call names a key and reaches the master of that key, wherever it is by now. One connection a master for
 * ordinary calls, and connections of their own for whoever blocks or subscribes, each of which moves with its key.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailable } from '../port.js'
import { endpointName, parseAddress, type Endpoint } from './address.js'
import { CALL_MS, Connection, type ConnectionOptions } from './connection.js'
import { readTls, type Access, type RedisClient, type TlsFiles } from './dial.js'
import { Elsewhere } from './redirect.js'
import { rememberRun } from './server-run.js'
import { slotOf } from './slots.js'
import type { Topology } from './topology.js'
import { openTopology } from './topology-open.js'

export interface NodesOptions {
  /** A form of `address.ts`. */
  url: string
  tls?: TlsFiles
  clientName?: string
  /** Faults that no caller waits for. */
  onError: (operation: string, error: unknown) => void
  /** A connection for ordinary calls is there (again). */
  onReady?: () => void
  /** Any connection that was lost is there again. */
  onReconnect?: () => void
}

export interface CallOptions {
  deadlineMs?: number
  /** What the node must have before `send`, should the key be in the middle of a move there: a script. */
  prepare?: (client: RedisClient) => Promise<unknown>
}

const RETRY_LEAST_MS = 20
const RETRY_MOST_MS = 500
const THE_MASTER = ''

export class Nodes {
  private readonly topology: Topology
  private readonly access: Access
  /** By node; where one master serves all, it is the only one, wherever it goes. */
  private readonly shared = new Map<string, Connection>()
  private readonly dedicated = new Map<Connection, number>()
  private readonly listeners = new Set<() => void>()
  private closed = false

  /** Throws a `SettingError` when address or files are of no use. */
  constructor(private readonly options: NodesOptions) {
    const address = parseAddress(options.url)
    const tls = address.tls ? readTls(options.tls ?? { ca: '', cert: '', key: '' }) : undefined
    this.access = { credentials: address.credentials, database: address.database, tls, name: options.clientName }
    this.topology = openTopology(address, this.access, () => this.moved())
  }

  /** On the master of the key, followed wherever it goes, by the deadline. Fails as `Connection.call`. */
  async call<T>(operation: string, key: string, send: (client: RedisClient) => Promise<T>, { deadlineMs = CALL_MS, prepare }: CallOptions = {}): Promise<T> {
    const slot = this.topology.isSingle ? 0 : slotOf(key)
    const until = performance.now() + deadlineMs
    let asked: Endpoint | undefined
    for (let waitMs = RETRY_LEAST_MS; ; waitMs = Math.min(RETRY_MOST_MS, waitMs * 2)) {
      const connection = asked ? this.connectionTo(asked) : (this.serving(slot) ?? (await this.found(operation, slot, until)))
      try {
        if (asked) return await this.askingly(connection, operation, send, until, prepare)
        return await connection.call(operation, send, until - performance.now())
      } catch (error) {
        if (!(error instanceof Elsewhere) || this.closed || performance.now() + waitMs >= until) throw error
        asked = error.redirect.kind === 'ask' ? error.redirect.endpoint : undefined
        if (!asked) await pause(waitMs)
      }
    }
  }

  /** A connection to every master, for what is of nodes and not of keys. Rejects when nobody knows them. */
  async masters(operation: string): Promise<Connection[]> {
    const first = this.serving(0) ?? (await this.found(operation, 0, performance.now() + CALL_MS))
    return this.topology.isSingle ? [first] : this.topology.masters().map((endpoint) => this.connectionTo(endpoint))
  }

  /** A connection of its own to the key's master; `close` ends it if its holder did not. */
  open(key: string, onReady?: ConnectionOptions['onReady']): Connection {
    const slot = this.topology.isSingle ? 0 : slotOf(key)
    const connection = new Connection({
      ...this.connectionOptions(),
      locate: (again) => this.locate(slot, again),
      onReady,
      onRedirect: (redirect, moved) => {
        this.topology.heed(redirect)
        moved.relocate('its key is elsewhere')
      },
    })
    this.dedicated.set(connection, slot)
    if (this.closed) this.end(connection)
    return connection
  }

  end(connection: Connection): void {
    this.dedicated.delete(connection)
    connection.destroy()
  }

  /** Names of channels or keys, those together that one node serves; those of which nobody knows are left out. */
  groups(keys: readonly string[]): Map<string, string[]> {
    const groups = new Map<string, string[]>()
    for (const key of keys) {
      const endpoint = this.topology.isSingle ? undefined : this.topology.at(slotOf(key))
      if (!endpoint && !this.topology.isSingle) continue
      const name = endpoint ? endpointName(endpoint) : THE_MASTER
      groups.set(name, [...(groups.get(name) ?? []), key])
    }
    return groups
  }

  /** Told when `groups` may have changed, until the answer is called. */
  onMoved(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** A push told that something moved. */
  doubt(): void {
    if (!this.closed) void this.topology.look().catch(() => undefined)
  }

  async close(): Promise<void> {
    this.closed = true
    this.topology.close()
    for (const connection of this.dedicated.keys()) connection.destroy()
    this.dedicated.clear()
    await Promise.all([...this.shared.values()].map((connection) => connection.close()))
  }

  private serving(slot: number): Connection | undefined {
    if (this.topology.isSingle) return this.shared.get(THE_MASTER) ?? this.share(THE_MASTER, (again) => this.locate(slot, again))
    const endpoint = this.topology.at(slot)
    return endpoint && this.connectionTo(endpoint)
  }

  private async found(operation: string, slot: number, until: number): Promise<Connection> {
    let failure: unknown = new Error('no node serves it')
    while (performance.now() < until && !this.closed) {
      await Promise.race([this.topology.look(), pause(until - performance.now(), undefined, { ref: false })]).catch((error: unknown) => (failure = error))
      const connection = this.serving(slot)
      if (connection) return connection
      await pause(RETRY_LEAST_MS)
    }
    throw new StoreUnavailable(`${operation}: no node of Redis was found (${failure instanceof Error ? failure.message : String(failure)})`, { cause: failure })
  }

  private async locate(slot: number, again: boolean): Promise<Endpoint> {
    let failure: unknown
    if (again || !this.topology.at(slot)) await this.topology.look().catch((error: unknown) => (failure = error))
    const endpoint = this.topology.at(slot)
    // Where it was last is better than nowhere, should only those who would know be away.
    if (endpoint) return endpoint
    throw failure ?? new Error(`no node serves slot ${slot}`)
  }

  private connectionTo(endpoint: Endpoint): Connection {
    const name = endpointName(endpoint)
    return this.shared.get(name) ?? this.share(name, () => Promise.resolve(endpoint))
  }

  private share(name: string, locate: ConnectionOptions['locate']): Connection {
    const { onReady } = this.options
    const connection = new Connection({
      ...this.connectionOptions(),
      locate,
      verify: async (client) => {
        await this.topology.verify(client)
        await rememberRun(client)
      },
      onReady: onReady && (() => onReady()),
      onLost: () => this.doubt(),
      onRedirect: (redirect, moved) => {
        this.topology.heed(redirect)
        if (this.topology.isSingle) moved.relocate('it is no master')
      },
    })
    this.shared.set(name, connection)
    if (this.closed) connection.destroy()
    return connection
  }

  private async askingly<T>(connection: Connection, operation: string, send: (client: RedisClient) => Promise<T>, until: number, prepare: CallOptions['prepare']): Promise<T> {
    return await connection.call(
      operation,
      async (client) => {
        await prepare?.(client)
        // It counts for the next command only, so nothing may come between.
        const [, answer] = await Promise.all([client.sendCommand(['ASKING']), send(client)])
        return answer
      },
      until - performance.now(),
    )
  }

  private connectionOptions(): Pick<ConnectionOptions, 'access' | 'verify' | 'onError' | 'onReconnect'> {
    const { onError, onReconnect } = this.options
    return {
      access: this.access,
      verify: (client) => this.topology.verify(client),
      onError,
      onReconnect,
    }
  }

  private moved(): void {
    for (const [connection, slot] of this.dedicated) follow(connection, this.topology.at(slot))
    const { isSingle } = this.topology
    const masters = new Set(this.topology.masters().map(endpointName))
    for (const [name, connection] of this.shared) {
      if (isSingle) follow(connection, this.topology.at(0))
      else if (!masters.has(name)) {
        this.shared.delete(name)
        connection.destroy('retire')
      }
    }
    for (const listener of this.listeners) listener()
  }
}

function follow(connection: Connection, to: Endpoint | undefined): void {
  const { endpoint } = connection
  if (endpoint && to && endpointName(endpoint) !== endpointName(to)) connection.relocate('its master is another one now')
}
