/**
 * The link over Socket.IO. Socket.IO's own reconnection is off: it gives up after a disconnect by the server, and it
 * knows nothing of refusals that pass. Here every end leads to the next attempt, unless the hub refused for good.
 */
import { FAILURES, HubError, type Answer } from '@hubbub/protocol'
import { io, type Socket } from 'socket.io-client'
import { Credentials } from './credentials.js'
import { Dropped, errorOf, isAnswer, isFailure, retryAfter, type Asking, type Link, type LinkEvents, type Requests } from './link.js'
import type { Settled } from './options.js'
import { backoffDelay } from './state.js'

/** A connection that lived so long ends a row of failures, ms. */
const STABLE_MS = 5000
/** setTimeout's own limit, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

type Timer = ReturnType<typeof setTimeout>

export class Connection implements Link {
  readonly #socket: Socket
  readonly #credentials: Credentials
  readonly #pending = new Set<(error: Dropped) => void>()
  #attempt = 0
  /** ms, `Date.now()`; undefined while an attempt is under way. */
  #openedAt: number | undefined
  #timer: Timer | undefined
  #renewal: Timer | undefined
  #isClosed = false
  /** The hub refused the credential, and the token function was not asked since. */
  #isLastChance = false
  /** What the hub said before it closed the connection. */
  #farewell: HubError | undefined

  constructor(url: string, private readonly options: Settled, private readonly events: LinkEvents) {
    this.#credentials = new Credentials(options)
    const { path, transports, withCredentials } = options
    this.#socket = io(url, { path, transports, withCredentials, autoConnect: false, forceNew: true, reconnection: false })
    this.#socket.on('connect', () => this.#opened())
    this.#socket.on('connect_error', (error: Error & { data?: unknown }) => this.#refused(error))
    this.#socket.on('disconnect', (reason) => this.#dropped(reason))
    this.#socket.onAny((name: string, ...args: unknown[]) => this.#heard(name, args))
  }

  get isOpen(): boolean {
    return this.#socket.connected
  }

  get transport(): string | undefined {
    return this.isOpen ? this.#socket.io.engine.transport.name : undefined
  }

  open(): void {
    void this.#connect()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#renewal)
    this.#socket.disconnect()
    this.#rejectPending()
  }

  request<K extends keyof Requests>(name: K, payload: Requests[K][0], { heard, patienceMs = 0 }: Asking<K> = {}): Promise<Answer<Requests[K][1]>> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new Dropped())
      const settle = (): void => {
        clearTimeout(deadline)
        this.#pending.delete(drop)
      }
      const drop = (error: Dropped): void => {
        settle()
        reject(error)
      }
      // The hub answers everything in less: this connection is dead, though nobody has said so.
      const ms = Math.max(this.options.ackTimeoutMs, patienceMs)
      const deadline = setTimeout(() => this.#abandon(new HubError('TIMEOUT', `The hub did not answer '${name}' within ${ms} ms.`)), ms)
      this.#pending.add(drop)
      this.#socket.emit(name, payload, (given: unknown) => {
        settle()
        const none = { ok: false, error: new HubError('INTERNAL_ERROR', `The answer to '${name}' is none.`).toJSON() }
        const answer = (isAnswer(given) ? given : none) as Answer<Requests[K][1]>
        heard?.(answer)
        resolve(answer)
      })
    })
  }

  // ---------------------------------------------------------------- one attempt

  async #connect(): Promise<void> {
    this.events.connecting()
    try {
      this.#socket.auth = await this.#credentials.auth()
    } catch (error) {
      return this.#retry(error as HubError)
    }
    if (this.#isClosed) return
    this.#forgetUnsent()
    this.#openedAt = undefined
    // Socket.IO's own timeout ends with the transport's opening; a frozen worker opens and then says nothing.
    this.#timer = setTimeout(() => this.#abandon(new HubError('TIMEOUT', `No connection within ${this.options.connectTimeoutMs} ms.`)), this.options.connectTimeoutMs)
    this.#socket.connect()
  }

  #opened(): void {
    clearTimeout(this.#timer)
    this.#openedAt = Date.now()
    this.#isLastChance = false
    this.#farewell = undefined
    this.#scheduleRenewal()
    this.events.opened(this.#socket.recovered)
  }

  /** `connect_error`: with `data` it is the hub's refusal, else there is no way to it now. */
  #refused(error: Error & { data?: unknown }): void {
    clearTimeout(this.#timer)
    if (isFailure(error.data)) this.#judge(errorOf(error.data), error.data.retryable)
    else this.#retry(new HubError('UNAVAILABLE', `Cannot reach the hub: ${error.message}.`, undefined, { cause: error }))
  }

  #dropped(reason: string): void {
    // Socket.IO says so of a connection that never was one, too: the hub closes it where trying again may help.
    if (this.#openedAt === undefined) {
      if (reason !== 'io client disconnect') this.#retry(new HubError('UNAVAILABLE', 'The hub closed the connection before it was accepted: it is full, or stopping.'))
      return
    }
    clearTimeout(this.#renewal)
    this.#forgetUnsent()
    this.events.dropped()
    this.#rejectPending()
    if (this.#isClosed || reason === 'io client disconnect') return
    // A lost transport is tried again at once, a hub that closes one connection after the other ever more slowly.
    if (reason !== 'io server disconnect' || Date.now() - this.#openedAt > STABLE_MS) this.#attempt = 0
    const farewell = this.#farewell
    if (farewell) this.#judge(farewell, farewell.retryable)
    else this.#retry()
  }

  /** Ends an attempt or a connection that says nothing, and begins anew. */
  #abandon(error: HubError): void {
    clearTimeout(this.#timer)
    this.#socket.disconnect()
    this.#retry(error)
  }

  #heard(name: string, args: unknown[]): void {
    if (name !== 'hub.error') return this.events.message(name, args)
    if (!isFailure(args[0])) return
    const error = errorOf(args[0])
    if (FAILURES[error.code].close === 'stay') this.events.troubled(error)
    else this.#farewell = error
  }

  // ---------------------------------------------------------------- the next one

  #judge(error: HubError, retryable: boolean): void {
    const isCredential = FAILURES[error.code].status === 401
    if (retryable) return this.#retry(error)
    if (!isCredential || !this.#credentials.isRenewable || this.#isLastChance) return this.#end(error)
    this.#isLastChance = true
    this.#credentials.forget()
    this.#retry(error)
  }

  #retry(error?: HubError): void {
    if (this.#isClosed) return
    if (error) this.events.troubled(error)
    const asked = (error && retryAfter(error)) ?? 0
    const delay = Math.max(backoffDelay(this.#attempt++, this.options.reconnect, Math.random()), asked)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#connect(), delay)
  }

  #end(error: HubError): void {
    this.events.ended(error)
    this.close()
  }

  #rejectPending(): void {
    for (const drop of this.#pending) drop(new Dropped())
    this.#pending.clear()
  }

  /** Socket.IO would send on the next connection what it could not on this one: we send anew what is still wanted. */
  #forgetUnsent(): void {
    this.#socket.sendBuffer = []
  }

  // ---------------------------------------------------------------- the token's renewal, in place

  #scheduleRenewal(): void {
    clearTimeout(this.#renewal)
    const delay = this.#credentials.renewIn()
    if (delay === undefined) return
    this.#renewal = setTimeout(() => (delay > LONGEST_TIMER_MS ? this.#scheduleRenewal() : void this.#renew()), Math.min(delay, LONGEST_TIMER_MS))
  }

  async #renew(): Promise<void> {
    try {
      const token = await this.#credentials.renew()
      const answer = await this.request('auth.refresh', { token })
      if (!answer.ok) throw errorOf(answer.error)
      if (this.isOpen) this.#scheduleRenewal()
    } catch (error) {
      // The connection ends with its token; the next attempt asks for another.
      if (error instanceof HubError) this.events.troubled(error)
    }
  }
}
