/**
 * A connection over Socket.IO, by one transport. Socket.IO's own reconnection is off: it gives up after a disconnect by the server, and
 * knows nothing of refusals that pass. Its own upgrade is off, too: what is better is tried beside this one, see `connection.ts`.
 */
import { FAILURES, HubError, type Answer, type Draining, type Failure } from '@hubbub/protocol'
import { io, type Socket } from 'socket.io-client'
import { isAnswerTo, isFailure } from './forms.js'
import { Dropped, endOf, errorOf, unwritable, type Asking, type Requests, type Rung, type RungEnd, type RungEvents, type Transport } from './link.js'
import type { Settled } from './options.js'

export type SocketTransport = Exclude<Transport, 'http'>
type SocketOptions = Pick<Settled, 'path' | 'withCredentials' | 'connectTimeoutMs' | 'ackTimeoutMs'>

/** The longest that a command may take, and its answer, ms. */
const LONGEST_RETIREMENT_MS = 660_000
/** No hub takes longer to stop, ms. */
const LONGEST_LEAVE_MS = 300_000

/** As `ws` says it: the way is good, and this is not the moment. */
const BUSY = /^Unexpected server response: (429|503)$/

export class SocketRung implements Rung {
  readonly #socket: Socket
  readonly #pending = new Set<(error: Dropped) => void>()
  #phase: 'closed' | 'trying' | 'open' | 'retired' = 'closed'
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Questions of the hub that were not answered yet. */
  #owed = 0
  /** The worker stops: when to leave it. */
  #leaving: ReturnType<typeof setTimeout> | undefined
  /** What the hub said before it closed the connection. */
  #farewell: Failure | undefined

  constructor(url: string, private readonly transport: SocketTransport, private readonly options: SocketOptions, private readonly events: RungEvents) {
    const { path, withCredentials } = options
    this.#socket = io(url, { path, transports: [transport], upgrade: false, withCredentials, autoConnect: false, forceNew: true, reconnection: false })
    this.#socket.on('connect', () => this.#opened())
    this.#socket.on('connect_error', (error: Error & { data?: unknown }) => this.#refused(error))
    this.#socket.on('disconnect', (reason) => this.#disconnected(reason))
    this.#socket.onAny((name: string, ...args: unknown[]) => this.#heard(name, args))
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.#socket.connected
  }

  open(auth: Record<string, string>): void {
    this.#forgetUnsent()
    this.#phase = 'trying'
    this.#farewell = undefined
    this.#socket.auth = auth
    // Socket.IO's own timeout ends with the transport's opening; a frozen worker opens and then says nothing.
    const { connectTimeoutMs } = this.options
    this.#timer = setTimeout(() => this.#end({ error: new HubError('TIMEOUT', `No connection over ${this.transport} within ${connectTimeoutMs} ms.`), by: 'network' }), connectTimeoutMs)
    this.#socket.connect()
  }

  close(): void {
    this.#phase = 'closed'
    for (const timer of [this.#timer, this.#leaving]) clearTimeout(timer)
    this.#socket.disconnect()
    this.#rejectPending()
  }

  retire(): void {
    this.#phase = 'retired'
    // What is sent to it from now on is of no use to anybody.
    this.#socket.emit('unsubscribe', {})
    this.#timer = setTimeout(() => this.#end({ by: 'network' }), LONGEST_RETIREMENT_MS)
    this.#closeIfIdle()
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
      const deadline = setTimeout(() => this.#end({ error: new HubError('TIMEOUT', `The hub did not answer '${name}' within ${ms} ms.`), by: 'network' }), ms)
      this.#pending.add(drop)
      const answered = (given: unknown): void => {
        settle()
        const none = { ok: false, error: new HubError('INTERNAL_ERROR', `The answer to '${name}' is none.`).toJSON() }
        const answer = (isAnswerTo(name, given) ? given : none) as Answer<Requests[K][1]>
        heard?.(answer)
        resolve(answer)
        this.#closeIfIdle()
      }
      try {
        this.#socket.emit(name, payload, answered)
      } catch (error) {
        // Never sent: waiting for its answer would end a connection that is sound.
        settle()
        reject(unwritable(name, error))
      }
    })
  }

  #opened(): void {
    if (this.#phase !== 'trying') return
    clearTimeout(this.#timer)
    this.#phase = 'open'
    this.events.opened(this.#socket.recovered)
  }

  /** `connect_error`: with `data` it is the hub's refusal, else there is no way to it now. */
  #refused(error: Error & { data?: unknown }): void {
    const failure = isFailure(error.data) ? error.data : refusalIn(error)
    if (failure) this.#end(endOf(failure))
    else this.#end({ error: new HubError('UNAVAILABLE', `Cannot reach the hub over ${this.transport}: ${error.message}.`, undefined, { cause: error }), by: 'network' })
  }

  #disconnected(reason: string): void {
    // Socket.IO says so of a connection that never was one, too: the hub closes it where trying again may help.
    if (this.#phase === 'trying') this.#end({ error: new HubError('UNAVAILABLE', 'The hub closed the connection before it was accepted: it is full, or stopping.'), by: 'hub' })
    else if (this.#farewell) this.#end(endOf(this.#farewell))
    else this.#end({ by: reason === 'io server disconnect' ? 'hub' : 'network' })
  }

  #heard(name: string, args: unknown[]): void {
    if (this.#phase === 'closed') return
    if (name === 'hub.error') return this.#told(args[0])
    if (name === 'hub.draining') return this.#leaveIn((args[0] as Partial<Draining> | null)?.reconnectInMs)
    const reply = args.at(-1)
    if (typeof reply !== 'function') return this.events.message(name, args)
    this.#owed++
    const answer = (...given: unknown[]): void => {
      this.#owed--
      ;(reply as (...given: unknown[]) => void)(...given)
      this.#closeIfIdle()
    }
    this.events.message(name, [...args.slice(0, -1), answer])
  }

  #told(thing: unknown): void {
    if (!isFailure(thing)) return
    const error = errorOf(thing)
    if (FAILURES[error.code].close === 'stay') this.events.troubled(error)
    else this.#farewell = thing
  }

  /** At a time of its own, so that it comes back before the crowd; in the middle of something, when the hub closes the connection. */
  #leaveIn(ms: unknown): void {
    if (typeof ms !== 'number' || !(ms >= 0 && ms <= LONGEST_LEAVE_MS)) return
    clearTimeout(this.#leaving)
    this.#leaving = setTimeout(() => {
      if (this.#phase === 'open' && this.#pending.size === 0 && this.#owed === 0) this.#end({ by: 'hub' })
    }, ms)
  }

  #closeIfIdle(): void {
    if (this.#phase !== 'retired' || this.#pending.size > 0 || this.#owed > 0) return
    // A close would overtake our last answer: behind this one the hub has read it.
    this.#socket.emit('unsubscribe', {}, () => {
      if (this.#phase === 'retired' && this.#pending.size === 0 && this.#owed === 0) this.#end({ by: 'network' })
    })
  }

  #end(end: RungEnd): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    for (const timer of [this.#timer, this.#leaving]) clearTimeout(timer)
    this.#socket.disconnect()
    this.#forgetUnsent()
    this.events.ended(end)
    this.#rejectPending()
  }

  #rejectPending(): void {
    for (const drop of this.#pending) drop(new Dropped())
    this.#pending.clear()
  }

  /** Socket.IO would send on the next connection what it could not on this one: we send anew what is still wanted. */
  #forgetUnsent(): void {
    this.#socket.sendBuffer = []
  }
}

/** Why the hub refused the very handshake, where it can be known: long-polling has the answer's body, a WebSocket its status, and in browsers nothing. */
function refusalIn(error: Error): Failure | undefined {
  const { context, description } = error as { context?: { responseText?: unknown }; description?: { message?: unknown } }
  if (typeof description?.message === 'string' && BUSY.test(description.message)) return new HubError('UNAVAILABLE', 'The hub takes no new connections now.').toJSON()
  if (typeof context?.responseText !== 'string') return undefined
  try {
    const { error: failure } = JSON.parse(context.responseText) as { error?: unknown }
    return isFailure(failure) ? failure : undefined
  } catch {
    return undefined
  }
}
