/**
 * What those who run a hub ask of it: how it is, why an event did or did not arrive, what could not be committed. Plain requests, whatever
 * carries the events: who looks at a hub that is in trouble must not need a connection that stands.
 */
import { HubError, type DeadLetter, type Overview, type Trace } from '@hubbub/protocol'
import { Credentials } from './credentials.js'
import { baseOf, HttpCalls, Unanswered, UNAUTHORIZED, type HttpAnswer, type HttpRequest } from './http-calls.js'
import { errorOf } from './link.js'
import type { Settled } from './options.js'

export interface TraceOptions {
  /** A session whose part in it is told, too. */
  session?: string
  /** All sessions of a subject. */
  subject?: string
}

export interface DeadLetters {
  /** Newest first. */
  letters: DeadLetter[]
  /** There are older ones. */
  more: boolean
}

/** Rejects with the hub's refusal (INSUFFICIENT_PERMISSIONS for whoever may not), or UNAVAILABLE when there is no answer. Nothing is asked twice. */
export interface Operator {
  /** For admins of every project. */
  overview(): Promise<Overview>
  /** @param eventId or the event's cursor */
  trace(eventId: string, options?: TraceOptions): Promise<Trace>
  /** For admins. @param limit at most 1,000, default 100 */
  deadLetters(limit?: number): Promise<DeadLetters>
  /** It goes back to its source stream, and is judged anew. Rejects with NOT_FOUND when it is gone. */
  replayDeadLetter(letter: Pick<DeadLetter, 'partition' | 'id'>): Promise<void>
  /** For good. */
  dropDeadLetter(letter: Pick<DeadLetter, 'partition' | 'id'>): Promise<void>
}

type Asked = Pick<HttpRequest, 'method' | 'path' | 'query'>

/** @param url as of `connect`. Throws RangeError for what is no URL of a hub. */
export function createOperator(url: string, options: Settled): Operator {
  const http = new HttpCalls({ base: baseOf(url, options.apiPath), withCredentials: options.withCredentials })
  const credentials = new Credentials(options)
  const timeoutMs = options.ackTimeoutMs
  let latest: string | undefined
  let fetching: Promise<Record<string, string>> | undefined
  // Views ask at the same time, and a token function may hand out what can be fetched once.
  const authed = (): Promise<Record<string, string>> => (fetching ??= credentials.auth().finally(() => (fetching = undefined)))

  const send = async <T extends object>(request: Asked): Promise<HttpAnswer<T> & { token: string | undefined }> => {
    const auth = await authed()
    const token = (latest = auth['token'])
    http.auth = auth
    try {
      return { ...(await http.ask<T>({ ...request, timeoutMs })), token }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      throw new HubError('UNAVAILABLE', `The hub did not answer: ${error.message}.`, undefined, { cause: error })
    }
  }

  const ask = async <T extends object>(request: Asked): Promise<T> => {
    const first = await send<T>(request)
    let { answer } = first
    if (first.status === UNAUTHORIZED && credentials.isRenewable) {
      // Another question may have fetched the next one meanwhile.
      if (first.token === latest) credentials.forget()
      ;({ answer } = await send<T>(request))
    }
    if (!answer.ok) throw errorOf(answer.error)
    return answer
  }

  return {
    overview: async () => (await ask<{ overview: Overview }>({ method: 'GET', path: '/overview' })).overview,
    async trace(eventId, { session, subject } = {}) {
      const query = new URLSearchParams()
      if (session !== undefined) query.set('session', session)
      if (subject !== undefined) query.set('subject', subject)
      return (await ask<{ trace: Trace }>({ method: 'GET', path: `/trace/${encodeURIComponent(eventId)}`, ...(query.size > 0 && { query }) })).trace
    },
    async deadLetters(limit = 100) {
      const { letters, more } = await ask<DeadLetters>({ method: 'GET', path: '/dead', query: new URLSearchParams({ limit: String(limit) }) })
      return { letters, more }
    },
    async replayDeadLetter(letter) {
      await ask({ method: 'POST', path: `${pathOf(letter)}/replay` })
    },
    async dropDeadLetter(letter) {
      await ask({ method: 'DELETE', path: pathOf(letter) })
    },
  }
}

/** Where there is no hub to ask. */
export function noOperator(): Operator {
  const refuse = (): Promise<never> => Promise.reject(new HubError('UNAVAILABLE', 'This hub has no operations.'))
  return { overview: refuse, trace: refuse, deadLetters: refuse, replayDeadLetter: refuse, dropDeadLetter: refuse }
}

function pathOf({ partition, id }: Pick<DeadLetter, 'partition' | 'id'>): string {
  return `/dead/${partition}/${encodeURIComponent(id)}`
}
