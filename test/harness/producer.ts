/**
 * A producer as the protocol asks of one: every event has an id of its own, and what was not acknowledged is published
 * again under that id, in order, before anything behind it. `acked` is what the hub promised (I4).
 */
import type { Answer, EventInput, Offset, PublishResult } from '@hubbub/protocol'
import type { Socket } from 'socket.io-client'
import { numbered } from './checker.js'

/** Hands a batch in; rejects when it came to no answer. */
export type Send = (inputs: EventInput[]) => Promise<Answer<PublishResult>[]>

export interface ProducerOptions {
  name: string
  send: Send
  /** Events of one request; the next request waits for its answer. */
  batch?: number
  /** Time in which a batch must be acknowledged, however often it is tried. */
  deadlineMs?: number
}

export interface Producer {
  readonly name: string
  /** Offset of each acknowledged event, by id, in the order of acknowledgement. */
  readonly acked: ReadonlyMap<string, Offset>
  /** Requests that had to be repeated, in whole or in part. */
  readonly repeats: number
  /** Publishes the next `count` events to the tasks in turn; resolves when all are acknowledged, with their ids. */
  publish(count: number, ...tasks: string[]): Promise<string[]>
}

/** A request that hangs is given up after this, and sent again. */
const REQUEST_MS = 8000
const BACKOFF_MS = 100

export function createProducer({ name, send, batch = 50, deadlineMs = 60_000 }: ProducerOptions): Producer {
  const acked = new Map<string, Offset>()
  let next = 0
  let repeats = 0

  const insist = async (inputs: EventInput[]) => {
    const until = Date.now() + deadlineMs
    for (let open = inputs; ; repeats++) {
      const answers = await send(open).catch(() => [])
      open = open.filter((input, place) => !accepted(input, answers[place]))
      if (open.length === 0) return
      if (Date.now() > until) throw new Error(`${name}: ${open.length} events were not acknowledged within ${deadlineMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS))
    }
  }
  const accepted = (input: EventInput, answer: Answer<PublishResult> | undefined): boolean => {
    if (answer?.ok) acked.set(answer.id, answer.offset!)
    else if (answer?.error.retryable === false) throw new Error(`${name}: ${input.id} was refused: ${answer.error.code} ${answer.error.message}`)
    return answer?.ok === true
  }

  return {
    name,
    acked,
    get repeats() {
      return repeats
    },
    async publish(count, ...tasks) {
      const events = numbered(name, count, next)
      next += count
      const inputs = events.map(({ id, producer, seq }, place) => progressOf(id, tasks[place % tasks.length]!, { producer, seq }))
      for (let from = 0; from < inputs.length; from += batch) await insist(inputs.slice(from, from + batch))
      return events.map(({ id }) => id)
    },
  }
}

/** `url` is asked anew for each request: workers come and go. */
export function overHttp(url: () => string, token: string): Send {
  return async (inputs) => {
    const response = await fetch(`${url()}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(inputs),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    return resultsOf((await response.json()) as Batch, inputs.length)
  }
}

export function overSocket(socket: Socket): Send {
  return async (inputs) => resultsOf((await socket.timeout(REQUEST_MS).emitWithAck('publish', inputs)) as Batch, inputs.length)
}

type Batch = { results: Answer<PublishResult>[] } | { results?: undefined; ok: false; error: Extract<Answer<PublishResult>, { ok: false }>['error'] }

/** A request refused as a whole is refused for each of its events. */
function resultsOf(answer: Batch, count: number): Answer<PublishResult>[] {
  return answer.results ?? Array.from({ length: count }, () => ({ ok: false, error: answer.error }))
}

function progressOf(id: string, taskId: string, extra: Record<string, unknown>): EventInput {
  return { id, type: 'task.progress', data: { taskId, progress: 50, ...extra } }
}
