/**
 * Questions to the hub that are neither publishes nor subscriptions. How often one may be asked decides what a lost answer means:
 * `now` is for what has a meaning on this connection only, `once` for what must not be done twice, `again` for what may.
 */
import { HubError, type Answer, type FailureCode } from '@hubbub/protocol'
import { Dropped, errorOf, retryAfter, type Asking, type Link, type Requests } from './link.js'
import { Listeners } from './listeners.js'
import { backoffDelay, type Backoff } from './state.js'

export interface CallsDeps {
  link(): Pick<Link, 'request' | 'isOpen'>
  /** ms for which a refusal that may pass is tried again. */
  againMs: number
  backoff: Backoff
  onThrow: (error: unknown) => void
}

/** With these the hub did nothing, or will recognise what it did. */
const PASSING: ReadonlySet<FailureCode> = new Set(['RATE_LIMITED', 'UNAVAILABLE', 'STORE_FULL', 'OUTCOME_UNKNOWN'])

export class Calls {
  readonly #opened: Listeners<[]>
  readonly #dropped: Listeners<[]>
  readonly #closed: Listeners<[HubError]>
  #end: HubError | undefined

  constructor(private readonly deps: CallsDeps) {
    this.#opened = new Listeners(deps.onThrow)
    this.#dropped = new Listeners(deps.onThrow)
    this.#closed = new Listeners(deps.onThrow)
  }

  get isOpen(): boolean {
    return this.deps.link().isOpen
  }

  get isClosed(): boolean {
    return this.#end !== undefined
  }

  /** Called with each new connection. */
  onOpened(handler: () => void): () => void {
    return this.#opened.add(handler)
  }

  /** Called at the end of each connection. */
  onDropped(handler: () => void): () => void {
    return this.#dropped.add(handler)
  }

  onClosed(handler: (error: HubError) => void): () => void {
    return this.#closed.add(handler)
  }

  opened(): void {
    this.#opened.tell()
  }

  dropped(): void {
    this.#dropped.tell()
  }

  closed(error = new HubError('UNAVAILABLE', 'The client is closed.')): void {
    this.#end = error
    this.#closed.tell(error)
  }

  /** Resolves when there is a connection; rejects when the client is closed, or with UNAVAILABLE after `ms`. */
  open(ms?: number): Promise<void> {
    if (this.isOpen) return Promise.resolve()
    return this.#wait((resolve, reject) => {
      const off = this.onOpened(resolve)
      const timer = ms === undefined ? undefined : setTimeout(() => reject(new HubError('UNAVAILABLE', `There was no connection within ${ms} ms.`)), ms)
      return () => {
        off()
        clearTimeout(timer)
      }
    })
  }

  /** Rejects when the client is closed meanwhile. */
  pause(ms: number): Promise<void> {
    return this.#wait((resolve) => {
      const timer = setTimeout(resolve, ms)
      return () => clearTimeout(timer)
    })
  }

  /** On the present connection, `heard` in the answer's own turn; UNAVAILABLE without one, or when it ends before the answer. */
  async now<K extends keyof Requests>(name: K, payload: Requests[K][0], heard?: Asking<K>['heard']): Promise<Requests[K][1]> {
    try {
      return take(await this.deps.link().request(name, payload, { heard }))
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
      throw new HubError('UNAVAILABLE', `There is no connection, and '${name}' is not kept for the next.`, undefined, { cause: error })
    }
  }

  /** Waits for a connection and the answer up to `ms` each; OUTCOME_UNKNOWN when the connection ends before the answer. */
  async once<K extends keyof Requests>(name: K, payload: Requests[K][0], ms: number, patienceMs = ms): Promise<Requests[K][1]> {
    await this.open(ms)
    try {
      return take(await this.deps.link().request(name, payload, { patienceMs }))
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
      throw new HubError('OUTCOME_UNKNOWN', 'The connection ended before the answer: the hub may have done it or not.', undefined, { cause: error })
    }
  }

  /** Over as many connections as it takes. */
  async again<K extends keyof Requests>(name: K, payload: Requests[K][0], patienceMs?: number): Promise<Requests[K][1]> {
    let until: number | undefined
    for (let attempt = 0; ; ) {
      await this.open()
      try {
        return take(await this.deps.link().request(name, payload, { patienceMs }))
      } catch (error) {
        if (error instanceof Dropped) continue
        until ??= Date.now() + this.deps.againMs
        if (!(error instanceof HubError) || !PASSING.has(error.code) || Date.now() > until) throw error
        await this.pause(this.delay(error, attempt++))
      }
    }
  }

  /** ms before what was refused for now is tried again. */
  delay(error: HubError, attempt: number): number {
    return retryAfter(error) ?? backoffDelay(attempt, this.deps.backoff, Math.random())
  }

  /** @param begin starts to wait, and answers how to stop */
  #wait(begin: (resolve: () => void, reject: (error: HubError) => void) => () => void): Promise<void> {
    if (this.#end) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const offClosed = this.onClosed((error) => settle(() => reject(error)))
      const stop = begin(
        () => settle(resolve),
        (error) => settle(() => reject(error)),
      )
      const settle = (outcome: () => void): void => {
        offClosed()
        stop()
        outcome()
      }
    })
  }
}

function take<T extends object>(answer: Answer<T>): T {
  if (!answer.ok) throw errorOf(answer.error)
  const { ok: _ok, ...result } = answer
  return result as unknown as T
}
