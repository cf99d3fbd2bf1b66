/**
 * The link over whatever way to the hub holds: it tries them as `ladder.ts` says, one connection after the other, unless the hub
 * refused for good. A better way that opens beside the one in use takes its place: what was asked on the old one may still be
 * answered there, and what to read from where is the client's to say anew, as after every change of connections (I2).
 */
import { FAILURES, HubError, type Answer } from '@hubbub/protocol'
import { Credentials } from './credentials.js'
import { step, TOP, type LadderInput } from './ladder.js'
import { Dropped, errorOf, retryAfter, type Asking, type Link, type LinkEvents, type Requests, type Rung, type RungEnd, type RungEvents, type Transport } from './link.js'
import type { Settled } from './options.js'
import { backoffDelay } from './state.js'

/** A connection that lived so long ends a row of failures, ms. */
const STABLE_MS = 5000
/** One that was lost sooner counts as a failed try of its transport, ms: something on the way opens it and then cuts it. */
const WORTH_MS = 1000
/** Tries of a better way begin at this share of `climbMs`: after a restart of the hub clients should not stay below for long. */
const FIRST_CLIMB = 12
/** setTimeout's own limit, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

type Timer = ReturnType<typeof setTimeout>
export type MakeRung = (transport: Transport, events: RungEvents) => Rung

export class Connection implements Link {
  readonly #credentials: Credentials
  #ladder = TOP
  /** Where `#ladder` says it is; kept while that is the same, so that a session of Socket.IO can be resumed. */
  #rung: Rung | undefined
  #rungIndex = -1
  #climber: Rung | undefined
  readonly #retired = new Set<Rung>()
  #attempt = 0
  /** Tries in a row of a better way that came to nothing. */
  #misses = 0
  /** The connection in use was a better way. */
  #isClimbed = false
  /** ms, `Date.now()` */
  #begunAt = 0
  /** ms, `Date.now()`; undefined while no connection is open. */
  #openedAt: number | undefined
  #timer: Timer | undefined
  #climbTimer: Timer | undefined
  #renewal: Timer | undefined
  #isClosed = false
  /** The hub refused the credential, and the token function was not asked since. */
  #isLastChance = false

  constructor(private readonly options: Settled, private readonly makeRung: MakeRung, private readonly events: LinkEvents) {
    this.#credentials = new Credentials(options)
  }

  get isOpen(): boolean {
    return this.#rung?.isOpen ?? false
  }

  get transport(): Transport | undefined {
    return this.isOpen ? this.options.transports[this.#ladder.rung] : undefined
  }

  open(): void {
    void this.#try()
  }

  close(): void {
    this.#isClosed = true
    for (const timer of [this.#timer, this.#renewal]) clearTimeout(timer)
    // Forgotten, too: one that waits for its token would be opened when that comes.
    this.#stopClimbing()
    for (const rung of [this.#rung, ...this.#retired]) rung?.close()
  }

  request<K extends keyof Requests>(name: K, payload: Requests[K][0], asking?: Asking<K>): Promise<Answer<Requests[K][1]>> {
    return this.#rung ? this.#rung.request(name, payload, asking) : Promise.reject(new Dropped())
  }

  // ---------------------------------------------------------------- one attempt

  async #try(): Promise<void> {
    this.events.connecting()
    this.#begunAt = Date.now()
    let auth: Record<string, string>
    try {
      auth = await this.#handshake()
    } catch (error) {
      return this.#retry(error as HubError)
    }
    if (this.#isClosed) return
    const { rung } = this.#ladder
    if (!this.#rung || this.#rungIndex !== rung) {
      this.#rung?.close()
      this.#rung = this.#make(rung)
      this.#rungIndex = rung
    }
    this.#rung.open(auth)
  }

  /** What a connection says of its client. Rejects with AUTH_FAILED when the token function fails. */
  async #handshake(): Promise<Record<string, string>> {
    return { ...(await this.#credentials.auth()), ...(this.options.compress && { compress: 'gzip' }) }
  }

  #make(index: number): Rung {
    const rung: Rung = this.makeRung(this.options.transports[index]!, {
      opened: (recovered) => (rung === this.#climber ? this.#climbed(rung) : this.#opened(recovered)),
      ended: (end) => this.#ended(rung, end),
      message: (name, args) => {
        // Whoever gave a command to the connection before waits for its answer there.
        if (rung === this.#rung || (name === 'command' && this.#retired.has(rung))) this.events.message(name, args)
      },
      troubled: (error) => rung === this.#rung && this.events.troubled(error),
    })
    return rung
  }

  #opened(recovered: boolean): void {
    this.#move('opened')
    this.#openedAt = Date.now()
    this.#isLastChance = false
    this.#scheduleRenewal()
    this.#scheduleClimb()
    this.events.opened(recovered)
  }

  #ended(rung: Rung, end: RungEnd): void {
    if (this.#retired.delete(rung)) return
    if (rung === this.#climber) return this.#missed(end)
    if (rung !== this.#rung) return
    const openedAt = this.#openedAt
    if (openedAt === undefined) return this.#judge(end, end.by === 'hub' ? 'refused' : 'failed')
    this.#openedAt = undefined
    clearTimeout(this.#renewal)
    this.#stopClimbing()
    const lived = Date.now() - openedAt
    this.events.dropped()
    if (this.#isClosed) return
    // A lost connection is tried again at once; a hub or a network that ends one after the other ever more slowly.
    if (lived > STABLE_MS || (end.by === 'network' && lived > WORTH_MS)) this.#attempt = 0
    // What was climbed onto and did not hold was no better.
    if (this.#isClimbed) this.#misses = lived > WORTH_MS ? 0 : this.#misses + 1
    this.#isClimbed = false
    this.#begunAt = Date.now()
    this.#judge(end, end.by === 'hub' ? 'refused' : lived > WORTH_MS ? 'dropped' : 'failed')
  }

  // ---------------------------------------------------------------- the next one

  #judge({ error, isFinal = false }: RungEnd, input: LadderInput): void {
    if (!error || !isFinal) return this.#retry(error, input)
    const isCredential = FAILURES[error.code].status === 401
    if (!isCredential || !this.#credentials.isRenewable || this.#isLastChance) return this.#end(error)
    this.#isLastChance = true
    this.#credentials.forget()
    this.#retry(error, input)
  }

  #retry(error?: HubError, input: LadderInput = 'refused'): void {
    if (this.#isClosed) return
    if (error) this.events.troubled(error)
    const { rung, round } = this.#ladder
    this.#move(input)
    if (this.#ladder.round > round) this.#nothingAnswers(error)
    if (this.#isClosed) return
    // The next way is tried at once, for it may be fine; unless nothing answers anywhere.
    const isNext = this.#ladder.rung > rung && this.#ladder.round === 0
    const delay = isNext ? 0 : backoffDelay(this.#attempt++, this.options.reconnect, Math.random()) - (Date.now() - this.#begunAt)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#try(), Math.max(0, delay, (error && retryAfter(error)) ?? 0))
  }

  #nothingAnswers(cause?: HubError): void {
    const { transports } = this.options
    this.#misses = 0
    if (transports.length > 1) this.events.troubled(new HubError('UNAVAILABLE', `The hub answers on no transport: ${transports.join(', ')}. The client goes on trying.`, { transports }, { cause }))
  }

  #end(error: HubError): void {
    this.events.ended(error)
    this.close()
  }

  #move(input: LadderInput): void {
    this.#ladder = step(this.#ladder, input, this.options.transports.length)
  }

  // ---------------------------------------------------------------- a better one

  #scheduleClimb(): void {
    clearTimeout(this.#climbTimer)
    if (this.#ladder.rung === 0) return
    const { climbMs } = this.options
    // After a time without a hub it is chance which way finds it first, and all of them may be fine.
    const isChance = this.#misses === 0 && this.#ladder.round > 0
    const delay = isChance ? 0 : backoffDelay(this.#misses, { minMs: climbMs / FIRST_CLIMB, maxMs: climbMs, jitter: 0.2 }, Math.random())
    this.#climbTimer = setTimeout(() => {
      this.#move('climb')
      void this.#climb()
    }, Math.min(delay, LONGEST_TIMER_MS))
  }

  async #climb(): Promise<void> {
    const climber = (this.#climber = this.#make(this.#ladder.target))
    try {
      const auth = await this.#handshake()
      if (climber === this.#climber) climber.open(auth)
    } catch (error) {
      if (climber === this.#climber) this.#missed({ error: error as HubError, by: 'network' })
    }
  }

  /** Nobody asked for it, so nobody is told; but a credential that is refused for good is refused everywhere. */
  #missed(end: RungEnd): void {
    this.#climber = undefined
    if (this.#isClosed) return
    if (end.isFinal && end.error && FAILURES[end.error.code].status === 401 && !this.#credentials.isRenewable) return this.#end(end.error)
    this.#move('missed')
    if (this.#ladder.phase === 'climbing') void this.#climb()
    else {
      this.#misses++
      this.#scheduleClimb()
    }
  }

  #climbed(climber: Rung): void {
    const before = this.#rung
    this.#move('climbed')
    this.#climber = undefined
    this.#rung = climber
    this.#rungIndex = this.#ladder.rung
    this.#openedAt = Date.now()
    this.#isClimbed = true
    this.#attempt = 0
    this.#isLastChance = false
    this.#scheduleRenewal()
    this.#scheduleClimb()
    this.events.opened(false)
    if (!before) return
    this.#retired.add(before)
    before.retire()
  }

  #stopClimbing(): void {
    clearTimeout(this.#climbTimer)
    this.#climber?.close()
    this.#climber = undefined
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
      // A new token that looks over already: our clock is wrong, and would have it renewed without end.
      if (this.isOpen && this.#credentials.renewIn() !== 0) this.#scheduleRenewal()
    } catch (error) {
      // The connection ends with its token; the next attempt asks for another.
      if (error instanceof HubError) this.events.troubled(error)
    }
  }
}
