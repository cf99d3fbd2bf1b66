/**
 * One connection to Redis that always answers: a call succeeds, or fails with `StoreUnavailable` by its deadline, whatever
 * became of Redis (gone, frozen, out of memory). It reconnects for ever, and asks before each attempt where to: a master that
 * failed over, or a slot that moved, is somewhere else then.
 *
 *   locating --endpoint--> connecting --verified--> serving --lost, stuck or elsewhere--> pause --> locating
 *
 * A call waits for the connection here, and is not sent after its deadline. A command in flight on a frozen Redis is limited by
 * nothing in the client (its socket timeout is reset by each write), so the deadline replaces the client.
 */
import { StoreUnavailable } from '../port.js'
import { endpointName, type Endpoint } from './address.js'
import { dial, type Access, type RedisClient } from './dial.js'
import { storeError } from './failure.js'
import { Elsewhere, redirectOf, type Redirect } from './redirect.js'

export type { RedisClient } from './dial.js'

/** ms a call may take, waiting for the connection included. */
export const CALL_MS = 5000
/** From dialling to the first answers; a process that has no time itself needs more than a network does. */
const WELCOME_MS = 10_000
const BACKOFF_MIN_MS = 50
const BACKOFF_MAX_MS = 1000

export interface ConnectionOptions {
  access: Access
  /** Where to connect to; `again`: not for the first time, so what is known of it may be old. Rejects while nobody knows. */
  locate: (again: boolean) => Promise<Endpoint>
  /** Rejects when what was reached is not what was looked for. */
  verify?: (client: RedisClient) => Promise<void>
  onError: (operation: string, error: unknown) => void
  /** After each (re)connection, with a client that has no subscriptions. */
  onReady?: (client: RedisClient) => void
  /** After each but the first. */
  onReconnect?: () => void
  /** A connection was lost, or an attempt failed. */
  onLost?: () => void
  /** A command was not executed, because it belongs elsewhere. */
  onRedirect?: (redirect: Redirect, connection: Connection) => void
}

/** One client, from its dialling to its end. */
interface Life {
  endpoint: Endpoint
  client: RedisClient
  /** Ends it; the first reason counts. */
  end: (reason?: unknown) => void
}

export class Connection {
  /** Counts connections made: whoever reads on must check its place when it changed. */
  generation = 0
  private life?: Life
  private serving?: Life
  private closing = false
  private closed = false
  private retired = false
  private lastError: unknown
  private endPause?: () => void
  private readonly waiting = new Set<() => void>()

  constructor(private readonly options: ConnectionOptions) {
    void this.run()
  }

  get isReady(): boolean {
    return this.serving?.client.isReady ?? false
  }

  get isEnded(): boolean {
    return this.closed
  }

  /** Of the node that it is, or is being, connected to. */
  get endpoint(): Endpoint | undefined {
    return this.life?.endpoint
  }

  /**
   * Runs `send` on the connected client. Rejects with `StoreUnavailable` (`Elsewhere`, when it was certainly not executed here), or with a
   * plain error when Redis refused the command itself.
   */
  async call<T>(operation: string, send: (client: RedisClient) => Promise<T>, deadlineMs = CALL_MS): Promise<T> {
    const until = performance.now() + deadlineMs
    if (!this.isReady) await this.whenReady(operation, deadlineMs)
    const life = this.serving!
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // A process that was frozen itself finds its timers due before it reads its sockets: let it read first.
        setImmediate(() => {
          reject(new StoreUnavailable(`${operation}: no answer from Redis within ${Math.round(deadlineMs)} ms`))
          if (timer) this.leave(life, new Error('a command was not answered'))
        })
      }, Math.max(1, until - performance.now()))
    })
    try {
      return await Promise.race([send(life.client), late])
    } catch (error) {
      const redirect = redirectOf(error)
      if (!redirect) throw storeError(operation, error)
      const told = redirect.kind === 'unsettled' || redirect.endpoint.host !== '' ? redirect : { ...redirect, endpoint: { ...redirect.endpoint, host: life.endpoint.host } }
      this.options.onRedirect?.(told, this)
      throw new Elsewhere(`${operation}: ${(error as Error).message}`, told, { cause: error })
    } finally {
      clearTimeout(timer)
      timer = undefined
    }
  }

  /** What it looks for is somewhere else: calls in flight fail, later ones wait for the new place. `from`: only if that is its client still. */
  relocate(reason: string, from?: RedisClient): void {
    if (from && this.life?.client !== from) return
    if (this.life) this.leave(this.life, new Error(reason))
    else this.endPause?.()
  }

  /** Ends it at once; calls in flight fail. `retire`: those that wait for it were never sent, and may go elsewhere. */
  destroy(how?: 'retire'): void {
    if (this.closed) return
    this.closed = this.closing = true
    this.retired = how === 'retire'
    if (this.life) this.leave(this.life, new Error('closed'))
    this.endPause?.()
    this.wake()
  }

  /** Lets calls in flight finish for at most `graceMs`. */
  async close(graceMs = 500): Promise<void> {
    if (this.closed) return
    this.closing = true
    let timer: NodeJS.Timeout | undefined
    if (this.serving && this.isReady) {
      const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))
      await Promise.race([this.serving.client.close().catch(() => undefined), grace])
    }
    clearTimeout(timer)
    this.destroy()
  }

  private async run(): Promise<void> {
    for (let failures = 0, again = false; !this.closing; again = true) {
      let failure: unknown
      try {
        const endpoint = await this.options.locate(again)
        if (this.closing) return
        const { reason, served } = await this.live(endpoint)
        failure = reason
        if (served) failures = 0
      } catch (error) {
        failure = error
      }
      if (this.closing) return
      this.lastError = failure
      this.options.onError('connection', failure)
      this.options.onLost?.()
      await this.pause(Math.min(BACKOFF_MIN_MS * 2 ** Math.min(failures++, 10), BACKOFF_MAX_MS) * (0.75 + Math.random() / 4))
    }
  }

  /** Never rejects. */
  private async live(endpoint: Endpoint): Promise<{ reason: unknown; served: boolean }> {
    const client = dial(endpoint, this.options.access)
    let served = false
    const reason = await new Promise<unknown>((resolve) => {
      const life: Life = { endpoint, client, end: resolve }
      this.life = life
      client.on('error', resolve)
      client.on('end', () => resolve(new Error('the connection was closed')))
      const late = setTimeout(() => setImmediate(resolve, new Error(`${endpointName(endpoint)} did not welcome the connection within ${WELCOME_MS} ms`)), WELCOME_MS)
      this.connect(client).then(
        () => {
          clearTimeout(late)
          if (this.life !== life) return
          served = true
          this.serve(life)
        },
        (error: unknown) => {
          clearTimeout(late)
          resolve(error)
        },
      )
    })
    if (this.life?.client === client) this.life = this.serving = undefined
    discard(client)
    return { reason, served }
  }

  private async connect(client: RedisClient): Promise<void> {
    await client.connect()
    await this.options.verify?.(client)
  }

  private serve(life: Life): void {
    this.serving = life
    if (++this.generation > 1) this.options.onReconnect?.()
    this.options.onReady?.(life.client)
    this.wake()
  }

  /** At once: from here on nobody is given this client, whose commands in flight fail. */
  private leave(life: Life, reason: Error): void {
    if (this.life === life) this.life = this.serving = undefined
    life.end(reason)
    discard(life.client)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.endPause = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.endPause = done
    })
  }

  private async whenReady(operation: string, deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    while (!this.isReady) {
      if (this.retired) throw new Elsewhere(`${operation}: the node is no longer asked`, { kind: 'unsettled' })
      if (this.closed) throw new StoreUnavailable(`${operation}: the store is closed`)
      const left = until - performance.now()
      if (left <= 0) throw new StoreUnavailable(`${operation}: no connection to Redis within ${Math.round(deadlineMs)} ms${reasonOf(this.lastError)}`, { cause: this.lastError })
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

/** Destroyed while it was connecting, a client connects all the same; nobody would ever close that socket. */
function discard(client: RedisClient): void {
  client.destroy()
  client.once('ready', () => client.destroy())
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? ` (${error.message})` : ''
}
