/**
 * Pages of the journal over HTTP. More topics than one request takes are asked for by several, and put together again: complete up to
 * where the least of them came (I1, I2).
 */
import { compareOffsets, isAfter, type Answer, type Cursor, type Filter, type HistoryResult, type PlacedEvent, type Since } from '@hubbub/protocol'
import { choiceOf, type HttpAnswer, type HttpCalls } from './http-calls.js'
import { offsetOf } from './merge.js'

export interface HistoryQuery {
  topics: readonly string[]
  types?: readonly string[]
  filter?: Filter
  since: Since
  /** Seconds to wait for the first event. */
  wait?: number
}

export type HistoryAnswer = HttpAnswer<HistoryResult>

/** The hub's own limits, where nothing else is set: topics of a request, events of an answer. */
const MOST_TOPICS = 50
const PAGE = 1000
/** Of a request's topics, in characters as they are sent: servers bound the head of a request at 8 or 16 KB. */
const LONGEST_QUERY = 5000

export class History {
  /** Topics of one request; less when this hub takes less. */
  #most = MOST_TOPICS

  /** @param timeoutMs until an answer counts as lost, besides the time that it may wait */
  constructor(private readonly http: HttpCalls, private readonly timeoutMs: number) {}

  /** Rejects with `Unanswered`. */
  async read(query: HistoryQuery, signal?: AbortSignal): Promise<HistoryAnswer> {
    const parts = portions(query.topics, this.#most)
    const found = await this.#readParts(query, parts, signal)
    const longest = Math.max(...parts.map((topics) => topics.length))
    // A union of subscriptions, each of which this hub took: it is their number that it does not take.
    if (found.answer.ok || found.answer.error.code !== 'INVALID_MESSAGE' || query.wait === undefined || longest === 1) return found
    this.#most = Math.floor(longest / 2)
    return await this.read(query, signal)
  }

  async #readParts(query: HistoryQuery, parts: string[][], signal?: AbortSignal): Promise<HistoryAnswer> {
    if (parts.length === 1) return await this.#ask(query, signal)
    if (query.wait !== undefined) {
      const refused = await this.#first(parts.map((topics) => ({ ...query, topics })), signal)
      if (refused) return refused
    }
    const pages = await Promise.all(parts.map((topics) => this.#ask({ ...query, topics, wait: undefined }, signal)))
    return pages.find(({ answer }) => !answer.ok) ?? { status: pages[0]!.status, answer: joined(pages, query.since) }
  }

  /** Waits until one of them has something; answers only a refusal. */
  async #first(queries: HistoryQuery[], signal?: AbortSignal): Promise<HistoryAnswer | undefined> {
    const stop = new AbortController()
    const abort = (): void => stop.abort()
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    const asked = queries.map((query) => this.#ask(query, stop.signal))
    try {
      const first = await Promise.race(asked)
      return first.answer.ok ? undefined : first
    } finally {
      signal?.removeEventListener('abort', abort)
      // Those that came too late are asked again, all together.
      stop.abort()
    }
  }

  async #ask({ wait, ...choice }: HistoryQuery, signal?: AbortSignal): Promise<HistoryAnswer> {
    const query = choiceOf(choice)
    query.append('limit', String(PAGE))
    if (wait !== undefined) query.append('wait', String(wait))
    return await this.http.ask<HistoryResult>({ method: 'GET', path: '/history', query, signal, timeoutMs: this.timeoutMs + (wait ?? 0) * 1000 })
  }
}

/** As few as it takes; at least one. */
export function portions(topics: readonly string[], most = MOST_TOPICS): string[][] {
  const parts: string[][] = [[]]
  let length = 0
  for (const topic of topics) {
    const size = encodeURIComponent(topic).length
    let part = parts.at(-1)!
    if (part.length > 0 && (part.length === most || length + size > LONGEST_QUERY)) {
      parts.push((part = []))
      length = 0
    }
    part.push(topic)
    length += size
  }
  return parts
}

function joined(pages: readonly HistoryAnswer[], since: Since): Answer<HistoryResult> {
  const results = pages.map(({ answer }) => answer as HistoryResult)
  const cursor = lowestOf(results.map((result) => result.cursor))
  const events = new Map<Cursor, PlacedEvent>()
  for (const result of results) for (const placed of result.events) if (!isAfter(offsetOf(placed.cursor), offsetOf(cursor))) events.set(placed.cursor, placed)
  const ordered = [...events.values()].sort((a, b) => compareOffsets(offsetOf(a.cursor), offsetOf(b.cursor)))
  const gap = results.map((result) => result.gap).find((found) => found !== undefined)
  return {
    ok: true,
    events: typeof since === 'object' ? ordered.slice(-since.last) : ordered,
    cursor,
    more: results.some(({ more }) => more),
    ...(gap && { gap }),
  }
}

function lowestOf(cursors: readonly Cursor[]): Cursor {
  return cursors.reduce((lowest, cursor) => (isAfter(offsetOf(lowest), offsetOf(cursor)) ? cursor : lowest))
}
