/**
 * Live events over HTTP: one long-poll after the other, for the topics of all that is listened to together, so that their order is the
 * journal's (I1). What a page brings is told to the client as a connection would tell it: only what somebody listens to, and of that
 * only what lies behind the place where the listening began.
 */
import { isAfter, laterOf, matches, ORIGIN, parseCursor, type Cursor, type Failure, type HistoryResult, type HubError, type Interest, type Offset, type PlacedEvent } from '@hubbub/protocol'
import { UNAUTHORIZED, Unanswered, type HttpAnswer } from './http-calls.js'
import type { History } from './history.js'
import { errorOf, retryAfter } from './link.js'
import { offsetOf } from './merge.js'
import { backoffDelay, type Backoff } from './state.js'

export interface LivePollDeps {
  history: History
  /** The most between polls where the hub, or something before it, does not let them wait, ms. */
  pollMs: number
  backoff: Backoff
  message(name: string, args: readonly unknown[]): void
  /** Asked now and then while nothing is listened to. Rejects with `Unanswered`. */
  ping(): Promise<HttpAnswer<object>>
  troubled(error: HubError): void
  lost(error: Unanswered): void
  refused(failure: Failure, status: number): void
}

interface Listening extends Interest {
  /** It has everything up to here. */
  from: Offset
}

/** Below the shortest time limits of proxies, s. */
const WAIT_S = 25
/** An empty answer that came sooner did not wait, ms; a poll that was cut later met somebody who does not let it wait so long. */
const SOON_MS = 1000
/** Between an answer with events and the next poll, ms: under a stream of events ten requests a second instead of one an event. */
const REST_MS = 100

export class LivePoll {
  readonly #listening = new Map<string, Listening>()
  #position: Cursor | undefined
  /** Raised whenever what is under way is of no use any more. */
  #round = 0
  #stop = new AbortController()
  #refusals = 0
  /** Empty answers in a row that did not wait. */
  #hasty = 0

  constructor(private readonly deps: LivePollDeps) {}

  /** Everything up to here was told. Undefined before anything was listened to. */
  get position(): Cursor | undefined {
    return this.#position
  }

  get count(): number {
    return this.#listening.size
  }

  /** To what comes behind `from`, which must not lie before the position; from the next `go` on. */
  listen(id: string, interest: Interest, from: Cursor): void {
    this.#position ??= from
    this.#listening.set(id, { ...interest, from: offsetOf(from) })
  }

  /** To what lies behind `from`, wherever that is. The others hear nothing twice. */
  listenBack(id: string, interest: Interest, from: Cursor): void {
    const told = this.#position === undefined ? ORIGIN : offsetOf(this.#position)
    if (this.#position !== undefined && isAfter(told, offsetOf(from))) {
      for (const other of this.#listening.values()) other.from = laterOf(other.from, told)
      this.#position = from
    }
    this.listen(id, interest, from)
  }

  leave(id: string): boolean {
    return this.#listening.delete(id)
  }

  leaveAllBut(id: string): void {
    for (const other of this.#listening.keys()) if (other !== id) this.#listening.delete(other)
  }

  /** As if it were new. */
  clear(): void {
    this.hold()
    this.#listening.clear()
    this.#position = undefined
  }

  /** Nothing is told until `go`. */
  hold(): void {
    this.#round++
    this.#stop.abort()
  }

  /** Polls anew, for whatever is listened to by now. */
  go(): void {
    this.hold()
    this.#stop = new AbortController()
    if (this.#position !== undefined) this.deps.message('hub.cursor', [this.#position])
    void this.#run(this.#round, this.#stop.signal)
  }

  async #run(round: number, signal: AbortSignal): Promise<void> {
    while (round === this.#round) {
      const begun = Date.now()
      try {
        const rest = this.#position === undefined || this.#listening.size === 0 ? await this.#idle(signal) : await this.#poll(this.#position, round, signal)
        if (round === this.#round && rest > 0) await pause(rest, signal)
      } catch (error) {
        if (round !== this.#round || !(error instanceof Unanswered)) return
        // Cut while it waited: the next one tells whether there is a hub.
        if (!error.isTimeout && Date.now() - begun >= SOON_MS) continue
        return this.deps.lost(error)
      }
    }
  }

  /** So that a hub that is gone is noticed. */
  async #idle(signal: AbortSignal): Promise<number> {
    await pause(this.deps.pollMs, signal)
    if (signal.aborted) return 0
    const { answer, status } = await this.deps.ping()
    if (!answer.ok && status === UNAUTHORIZED && !signal.aborted) this.deps.refused(answer.error, status)
    return 0
  }

  /** ms to rest before the next one. */
  async #poll(since: Cursor, round: number, signal: AbortSignal): Promise<number> {
    const begun = Date.now()
    const { answer, status } = await this.deps.history.read({ ...this.#union(), since, wait: WAIT_S }, signal)
    if (round !== this.#round) return 0
    if (!answer.ok) return this.#refused(answer.error, status)
    this.#refusals = 0
    this.#tell(answer, round)
    if (answer.more || answer.gap) return 0
    const hasWaited = Date.now() - begun >= SOON_MS
    if (hasWaited || answer.events.length > 0) this.#hasty = 0
    if (answer.events.length > 0) return REST_MS
    return hasWaited ? 0 : Math.min(this.deps.pollMs, SOON_MS * 2 ** Math.min(this.#hasty++, 20))
  }

  #refused(failure: Failure, status: number): number {
    // For good: the subscription that is to blame hears of it when all are made anew.
    if (status === UNAUTHORIZED || !failure.retryable) {
      this.deps.refused(failure, status)
      return 0
    }
    const error = errorOf(failure)
    this.deps.troubled(error)
    return retryAfter(error) ?? backoffDelay(this.#refusals++, this.deps.backoff, Math.random())
  }

  /** Types too, if everybody names some: what nobody takes need not travel. */
  #union(): { topics: string[]; types?: string[] } {
    const all = [...this.#listening.values()]
    const topics = [...new Set(all.flatMap((one) => one.topics))]
    const types = [...new Set(all.flatMap((one) => one.types ?? []))]
    return { topics, ...(types.length <= MOST_TYPES && all.every((one) => one.types) && { types }) }
  }

  #tell({ events, cursor, gap }: HistoryResult, round: number): void {
    const before = this.#position
    this.#position = cursor
    if (gap) {
      // Offsets start over, possibly lower.
      if (gap.reason === 'epoch' || epochOf(gap.to) !== epochOf(before)) for (const one of this.#listening.values()) one.from = offsetOf(gap.to)
      this.deps.message('gap', [gap, gap.to])
    }
    for (const { event, cursor: place } of events) {
      if (round !== this.#round) return
      if (this.#isWanted({ event, cursor: place })) this.deps.message(event.type, [event, place])
    }
    if (round === this.#round) this.deps.message('hub.cursor', [cursor])
  }

  #isWanted({ event, cursor }: PlacedEvent): boolean {
    const offset = offsetOf(cursor)
    for (const one of this.#listening.values()) if (isAfter(offset, one.from) && matches(one, event)) return true
    return false
  }
}

/** The hub takes no more in one request. */
const MOST_TYPES = 64

function epochOf(cursor: Cursor | undefined): string | undefined {
  return parseCursor(cursor)?.epoch
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
