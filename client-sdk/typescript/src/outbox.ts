/**
 * What goes out. Publishes leave in the order in which they were made, one message at a time: what is made meanwhile
 * goes together in the next one. An answer that is lost leaves the batch at the head, to be sent again with the same
 * ids: the hub recognises them and answers with the first outcome.
 */
import { HubError, type Answer, type FailureCode, type PublishRequest, type PublishResult } from '@hubbub/protocol'
import { Dropped, errorOf, retryAfter, type Link } from './link.js'
import { backoffDelay, type Backoff } from './state.js'

export interface OutboxDeps {
  link(): Pick<Link, 'request' | 'isOpen'>
  queueLimit: number
  publishTimeoutMs: number
  backoff: Backoff
}

interface Waiting {
  request: PublishRequest
  bytes: number
  resolve(result: PublishResult): void
  reject(error: HubError): void
  /** Runs from the first sending. */
  deadline?: ReturnType<typeof setTimeout>
  /** The last answer, when it was a refusal that may pass; unset while one is awaited. */
  refusal?: HubError
}

/** One message carries at most so many events and bytes. */
const BATCH_EVENTS = 100
const BATCH_BYTES = 262_144
/** With these the same publish is sent again until its time is over. */
const PASSING: ReadonlySet<FailureCode> = new Set(['RATE_LIMITED', 'UNAVAILABLE', 'STORE_FULL', 'OUTCOME_UNKNOWN', 'TIMEOUT'])

export class Outbox {
  readonly #queue: Waiting[] = []
  #isSending = false
  #isClosed = false
  #failures = 0
  /** So many from the head go alone: the hub refused a message that held several, and one must not spoil the others. */
  #alone = 0
  /** Set while a passing refusal is waited out. */
  #endPause: (() => void) | undefined

  constructor(private readonly deps: OutboxDeps) {}

  /** Publishes without an outcome. */
  get size(): number {
    return this.#queue.length
  }

  add(request: PublishRequest): Promise<PublishResult> {
    if (this.#isClosed) return Promise.reject(new HubError('UNAVAILABLE', 'The client is closed.'))
    if (!this.deps.link().isOpen && this.#queue.length >= this.deps.queueLimit) {
      return Promise.reject(new HubError('QUEUE_FULL', `${this.#queue.length} publishes wait for a connection already (queueLimit).`))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, bytes: sizeOf(request), resolve, reject })
      void this.flush()
    })
  }

  /** Sends until nothing waits or the connection is gone. */
  async flush(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    try {
      while (this.#queue.length > 0 && this.deps.link().isOpen) await this.#send(this.#nextBatch())
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
    } finally {
      this.#isSending = false
    }
    // The next connection came before this one's end was noticed here.
    if (this.#queue.length > 0 && this.deps.link().isOpen) void this.flush()
  }

  /** @param error why; whatever was sent and not answered is OUTCOME_UNKNOWN all the same */
  close(error = new HubError('UNAVAILABLE', 'The client was closed before there was a connection.')): void {
    this.#isClosed = true
    for (const waiting of this.#queue.splice(0)) this.#expire(waiting, error)
    this.#endPause?.()
  }

  #nextBatch(): Waiting[] {
    const batch: Waiting[] = []
    let bytes = 0
    for (const waiting of this.#queue) {
      if (batch.length > 0 && (this.#alone > 0 || batch.length === BATCH_EVENTS || bytes + waiting.bytes > BATCH_BYTES)) break
      batch.push(waiting)
      bytes += waiting.bytes
    }
    return batch
  }

  async #send(batch: Waiting[]): Promise<void> {
    for (const waiting of batch) {
      waiting.refusal = undefined
      waiting.deadline ??= setTimeout(() => this.#timeOut(waiting), this.deps.publishTimeoutMs)
    }
    const answers = await this.#request(batch.map((waiting) => waiting.request))
    if (answers.length === 0) {
      this.#alone = batch.length
      return
    }
    this.#alone = Math.max(0, this.#alone - 1)
    let wait: number | undefined
    for (const [index, waiting] of batch.entries()) {
      const again = this.#settle(waiting, answers[index])
      if (again !== undefined) wait = Math.max(wait ?? 0, again)
    }
    if (wait === undefined) this.#failures = 0
    else if (this.#queue.length > 0) await this.#pause(wait)
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#endPause = undefined
  }

  /** Of each; none when the message as a whole was refused for good and has to be taken apart. */
  async #request(requests: PublishRequest[]): Promise<Answer<PublishResult>[]> {
    const answer = await this.deps.link().request('publish', requests.length === 1 ? requests[0]! : requests)
    if (answer.ok && 'results' in answer) return answer.results
    if (answer.ok) return [answer]
    return requests.length > 1 && !answer.error.retryable ? [] : requests.map(() => answer)
  }

  /** ms to wait before it is sent again; undefined when it has its outcome. */
  #settle(waiting: Waiting, answer: Answer<PublishResult> | undefined): number | undefined {
    const at = this.#queue.indexOf(waiting)
    // Timed out or closed meanwhile.
    if (at < 0) return undefined
    if (answer?.ok) {
      const { ok: _ok, ...result } = answer
      this.#remove(at).resolve(result)
      return undefined
    }
    const error = answer ? errorOf(answer.error) : new HubError('INTERNAL_ERROR', 'The hub answered fewer publishes than were sent.')
    if (!PASSING.has(error.code)) {
      this.#remove(at).reject(error)
      return undefined
    }
    waiting.refusal = error
    return retryAfter(error) ?? backoffDelay(this.#failures++, this.deps.backoff, Math.random())
  }

  #timeOut(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting)
    if (at >= 0) this.#expire(this.#remove(at))
    // What waits behind it may have been allowed for long.
    if (at === 0) this.#endPause?.()
  }

  #remove(at: number): Waiting {
    const [waiting] = this.#queue.splice(at, 1)
    clearTimeout(waiting!.deadline)
    return waiting!
  }

  /** A refusal says that nothing happened; without one, what was sent may stand in the journal. */
  #expire(waiting: Waiting, unsent?: HubError): void {
    clearTimeout(waiting.deadline)
    const lost = new HubError('OUTCOME_UNKNOWN', undefined, { id: waiting.request.id })
    waiting.reject(waiting.refusal ?? (waiting.deadline === undefined && unsent ? unsent : lost))
  }
}

function sizeOf(request: PublishRequest): number {
  try {
    return JSON.stringify(request).length
  } catch (error) {
    throw new HubError('INVALID_MESSAGE', `The data of ${request.type} cannot be written as JSON.`, undefined, { cause: error })
  }
}
