/**
 * One connection to Redis that always answers: a call succeeds, or fails with `StoreUnavailable` by its deadline, whatever
 * became of Redis (gone, frozen, out of memory). It reconnects for ever.
 *
 * The client's own queue for offline times is off, because a command waiting there would run long after its caller gave up.
 * A call waits for the connection here instead, and is not sent after its deadline. A command in flight on a frozen Redis
 * is limited by nothing in the client (its socket timeout is reset by each write), so the deadline replaces the connection.
 */
import { createClient } from 'redis'
import { StoreUnavailable } from '../port.js'
import { storeError } from './failure.js'

/** ms a call may take, waiting for the connection included. */
export const CALL_MS = 5000
const CONNECT_MS = 3000
/** An idle connection is kept open by pings, so silence for longer than this is a dead peer. Above any BLOCK. */
const SILENCE_MS = 20_000
const PING_MS = 5000
const BACKOFF_MIN_MS = 50
const BACKOFF_MAX_MS = 1000

function createHubClient(url: string, name?: string) {
  return createClient({
    url,
    name,
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    maintNotifications: 'disabled',
    socket: {
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (retries) => Math.min(BACKOFF_MIN_MS * 2 ** Math.min(retries, 10), BACKOFF_MAX_MS) * (0.75 + Math.random() / 4),
    },
  })
}

export type RedisClient = ReturnType<typeof createHubClient>

export interface ConnectionOptions {
  url: string
  name?: string
  onError: (operation: string, error: unknown) => void
  /** After each (re)connection. A client other than the one before has no subscriptions. */
  onReady?: (client: RedisClient) => void
  /** After each but the first. */
  onReconnect?: () => void
}

export class Connection {
  private client: RedisClient
  private closed = false
  private lastError: unknown
  private wasReady = false
  private readonly waiting = new Set<() => void>()

  constructor(private readonly options: ConnectionOptions) {
    this.client = this.launch()
  }

  /** Runs `send` on the connected client. Rejects with `StoreUnavailable`, or with a plain error when Redis refused the command itself. */
  async call<T>(operation: string, send: (client: RedisClient) => Promise<T>, deadlineMs = CALL_MS): Promise<T> {
    const until = performance.now() + deadlineMs
    if (!this.client.isReady) await this.whenReady(operation, deadlineMs)
    const client = this.client
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // A process that was frozen itself finds its timers due before it reads its sockets: let it read first.
        setImmediate(() => {
          reject(new StoreUnavailable(`${operation}: no answer from Redis within ${deadlineMs} ms`))
          if (timer) this.replace(client)
        })
      }, Math.max(1, until - performance.now()))
    })
    try {
      return await Promise.race([send(client), late])
    } catch (error) {
      throw storeError(operation, error)
    } finally {
      clearTimeout(timer)
      timer = undefined
    }
  }

  /** Ends it at once; calls in flight fail. */
  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.client.destroy()
    this.wake()
  }

  /** Lets calls in flight finish for at most `graceMs`. */
  async close(graceMs = 500): Promise<void> {
    if (this.closed) return
    let timer: NodeJS.Timeout | undefined
    if (this.client.isReady) {
      const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))
      await Promise.race([this.client.close().catch(() => undefined), grace])
    }
    clearTimeout(timer)
    this.destroy()
  }

  private launch(): RedisClient {
    const client = createHubClient(this.options.url, this.options.name)
    client.on('error', (error: unknown) => {
      this.lastError = error
      if (!this.closed && client === this.client) this.options.onError('connection', error)
    })
    client.on('ready', () => {
      if (client !== this.client) return
      if (this.wasReady) this.options.onReconnect?.()
      this.wasReady = true
      this.options.onReady?.(client)
      this.wake()
    })
    // It only rejects when the client is destroyed: each failed attempt was reported as an 'error' and is followed by another.
    // Destroyed while it was connecting, a client connects all the same; nobody would ever close that socket.
    client.connect().then(
      () => {
        if (this.closed || client !== this.client) client.destroy()
      },
      () => undefined,
    )
    return client
  }

  private replace(stuck: RedisClient): void {
    if (this.closed || this.client !== stuck) return
    this.client = this.launch()
    stuck.destroy()
  }

  private async whenReady(operation: string, deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    while (!this.client.isReady) {
      if (this.closed) throw new StoreUnavailable(`${operation}: the store is closed`)
      const left = until - performance.now()
      if (left <= 0) throw new StoreUnavailable(`${operation}: no connection to Redis within ${deadlineMs} ms`, { cause: this.lastError })
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left)
        const { waiting } = this
        function done(): void {
          clearTimeout(timer)
          waiting.delete(done)
          resolve()
        }
        waiting.add(done)
      })
    }
  }

  private wake(): void {
    for (const resume of [...this.waiting]) resume()
  }
}
