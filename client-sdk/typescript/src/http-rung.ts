/**
 * A connection over plain HTTP, for networks that let nothing of Socket.IO pass. There is none, really: it is open from the first
 * request that the hub answers until one that it does not. What the messages are as requests: `http-session.ts`.
 */
import { HubError, type Answer, type Failure } from '@hubbub/protocol'
import { HttpCalls, PING, UNAUTHORIZED, Unanswered } from './http-calls.js'
import { HttpSession } from './http-session.js'
import { Dropped, endOf, type Asking, type Requests, type Rung, type RungEnd, type RungEvents } from './link.js'
import type { Settled } from './options.js'

type HttpSettings = Pick<Settled, 'withCredentials' | 'connectTimeoutMs' | 'ackTimeoutMs' | 'pollMs' | 'reconnect'>

export class HttpRung implements Rung {
  readonly #http: HttpCalls
  readonly #session: HttpSession
  #phase: 'closed' | 'trying' | 'open' | 'retired' = 'closed'
  #pending = 0

  /** @param base where the API is, without a slash at the end */
  constructor(base: string, private readonly options: HttpSettings, private readonly events: RungEvents) {
    const { withCredentials, ackTimeoutMs, pollMs, reconnect: backoff } = options
    this.#http = new HttpCalls({ base, withCredentials })
    this.#session = new HttpSession({
      http: this.#http,
      ackTimeoutMs,
      pollMs,
      backoff,
      message: (name, args) => events.message(name, args),
      troubled: (error) => events.troubled(error),
      lost: (error) => this.#lose(error),
      refused: (failure, status) => this.#refused(failure, status),
    })
  }

  get isOpen(): boolean {
    return this.#phase === 'open'
  }

  open(auth: Record<string, string>): void {
    this.#phase = 'trying'
    this.#http.auth = auth
    void this.#knock()
  }

  close(): void {
    this.#phase = 'closed'
    this.#session.end()
    this.#http.abort()
  }

  retire(): void {
    this.#phase = 'retired'
    this.#session.end()
    this.#closeIfIdle()
  }

  async request<K extends keyof Requests>(name: K, payload: Requests[K][0], { heard, patienceMs = 0 }: Asking<K> = {}): Promise<Answer<Requests[K][1]>> {
    if (!this.isOpen) throw new Dropped()
    this.#pending++
    try {
      const { answer, status } = await this.#session.carry(name, payload, Math.max(this.options.ackTimeoutMs, patienceMs))
      if (!answer.ok && status === UNAUTHORIZED) this.#refused(answer.error, status)
      // As of a connection: what was closed meanwhile answers no more.
      if (this.#phase === 'closed') throw new Dropped()
      const given = answer as Answer<Requests[K][1]>
      heard?.(given)
      if (this.isOpen) this.#session.settle()
      return given
    } catch (error) {
      if (error instanceof Unanswered) this.#lose(error)
      throw error instanceof Unanswered ? new Dropped() : error
    } finally {
      this.#pending--
      this.#closeIfIdle()
    }
  }

  async #knock(): Promise<void> {
    try {
      const { answer } = await this.#http.ask({ ...PING, timeoutMs: this.options.connectTimeoutMs })
      if (this.#phase !== 'trying') return
      if (!answer.ok) return this.#end(endOf(answer.error))
      this.#phase = 'open'
      this.events.opened(false)
      this.#session.begin()
    } catch (error) {
      if (error instanceof Unanswered) this.#lose(error)
    }
  }

  #lose(error: Unanswered): void {
    const code = error.isTimeout ? 'TIMEOUT' : 'UNAVAILABLE'
    this.#end({ error: new HubError(code, `Cannot reach the hub over HTTP: ${error.message}.`, undefined, { cause: error }), by: 'network' })
  }

  /** Of a connection that was there only a bad credential is final. */
  #refused(failure: Failure, status: number): void {
    const end = endOf(failure)
    this.#end(status === UNAUTHORIZED ? end : { ...end, isFinal: false })
  }

  #end(end: RungEnd): void {
    if (this.#phase === 'closed') return
    this.close()
    this.events.ended(end)
  }

  #closeIfIdle(): void {
    if (this.#phase === 'retired' && this.#pending === 0) this.#end({ by: 'network' })
  }
}
