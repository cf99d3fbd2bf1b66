/**
 * The client's messages as requests, and what a connection would hold besides: subscriptions and an agent's mail, both read by one
 * poll. Signals, and commands for this client, do not come: there is nothing that the hub could send them to.
 */
import {
  HubError, isAfter,
  type AgentRegistered, type Cursor, type Failure, type Gap, type HandleRequest, type HubEvent, type PresenceRequest, type SnapshotRequest,
  type SnapshotResult, type SubscribeRequest, type SubscribeResult, type UnsubscribeRequest,
} from '@hubbub/protocol'
import { choiceOf, PING, type HttpAnswer, type HttpCalls, type Unanswered } from './http-calls.js'
import { History } from './history.js'
import type { Requests } from './link.js'
import { LivePoll } from './live-poll.js'
import { offsetOf } from './merge.js'
import type { Backoff } from './state.js'

export interface HttpSessionDeps {
  http: HttpCalls
  ackTimeoutMs: number
  pollMs: number
  backoff: Backoff
  message(name: string, args: readonly unknown[]): void
  troubled(error: HubError): void
  /** The hub does not answer. */
  lost(error: Unanswered): void
  /** The hub answers no poll. */
  refused(failure: Failure, status: number): void
}

type Registered = AgentRegistered & { mailCursor?: Cursor; mailGap?: Gap }

const MAIL = 'mail'
const OK = 200

export class HttpSession {
  readonly #http: HttpCalls
  readonly #history: History
  readonly #poll: LivePoll
  /** Subscribing goes one by one: where one joins depends on what was told by then. */
  #joining: Promise<unknown> = Promise.resolve()
  /** What is listened to has changed since the poll began, or the poll stands still. */
  #isChanged = false
  #count = 0
  /** An agent's own. */
  #mailbox: string | undefined
  #hasMail = false

  constructor(private readonly deps: HttpSessionDeps) {
    const { http, ackTimeoutMs, pollMs, backoff } = deps
    this.#http = http
    this.#history = new History(http, ackTimeoutMs)
    this.#poll = new LivePoll({
      history: this.#history,
      pollMs,
      backoff,
      ping: () => http.ask({ ...PING, timeoutMs: ackTimeoutMs }),
      message: (name, args) => this.#tell(name, args),
      troubled: (error) => deps.troubled(error),
      lost: (error) => deps.lost(error),
      refused: (failure, status) => deps.refused(failure, status),
    })
  }

  begin(): void {
    this.#poll.go()
  }

  /** Nothing is told any more, and nothing of it is kept. */
  end(): void {
    this.#poll.clear()
    this.#mailbox = undefined
    this.#hasMail = false
  }

  /** Behind an answer, in its own turn: polls for what is listened to by now. */
  settle(): void {
    if (!this.#isChanged) return
    this.#isChanged = false
    this.#poll.go()
  }

  /** Rejects with `Unanswered`. @param timeoutMs until an answer counts as lost */
  async carry(name: keyof Requests, payload: unknown, timeoutMs: number): Promise<HttpAnswer<object>> {
    const post = (path: string): Promise<HttpAnswer<object>> => this.#http.ask({ method: 'POST', path, body: payload, timeoutMs })
    switch (name) {
      case 'subscribe':
        return await this.#inTurn(() => this.#subscribe(payload as SubscribeRequest))
      case 'unsubscribe':
        return this.#unsubscribe(payload as UnsubscribeRequest)
      case 'publish':
        return await post('/events')
      case 'command':
        return await post('/commands')
      case 'signal':
        return await post('/signals')
      case 'broadcast':
        return await post('/broadcasts')
      case 'agent.register':
        return this.#registered(await this.#http.ask<Registered>({ method: 'POST', path: '/agents', body: payload, timeoutMs }))
      case 'snapshot':
        return await this.#snapshot(payload as SnapshotRequest)
      case 'presence':
        return await this.#http.ask({ method: 'GET', path: '/presence', query: new URLSearchParams({ topic: (payload as PresenceRequest).topic }), timeoutMs })
      case 'command.handle':
        return this.#handle(payload as HandleRequest)
      case 'auth.refresh':
        this.#http.token = (payload as { token: string }).token
        return done({})
    }
  }

  // ---------------------------------------------------------------- subscriptions

  async #subscribe(request: SubscribeRequest): Promise<HttpAnswer<SubscribeResult>> {
    const { topics, types, filter, since } = request
    const choice = { topics: [...new Set(topics)], ...(types && { types }), ...(filter && { filter }) }
    if (since === undefined) return await this.#subscribeNow(choice)
    let page = await this.#history.read({ ...choice, since })
    // The poll has told what lies behind the page's end, to others: what of it is this subscription's has to be in the answer.
    while (page.answer.ok && !page.answer.more && this.#isToldBeyond(page.answer.cursor)) {
      this.#poll.hold()
      this.#isChanged = true
      const { answer: before } = page
      page = await this.#history.read({ ...choice, since: before.cursor })
      if (page.answer.ok && this.#isToldBeyond(page.answer.cursor)) return failed(new HubError('UNAVAILABLE', 'This worker is behind the cursor.'))
      if (page.answer.ok) page.answer = { ...page.answer, events: [...before.events, ...page.answer.events], ...(before.gap && { gap: before.gap }) }
    }
    if (!page.answer.ok) return page
    const { events, cursor, more, gap } = page.answer
    const result: SubscribeResult = { topics: choice.topics, activeSubscriptions: this.#poll.count, cursor, events, more, ...(gap && { gap }) }
    return done(more ? result : { ...result, ...this.#join(choice, cursor) })
  }

  /** To what is to come. A snapshot's cursor is the place; history only says whether it would take types and filter. */
  async #subscribeNow(choice: Pick<SubscribeRequest, 'topics' | 'types' | 'filter'>): Promise<HttpAnswer<SubscribeResult>> {
    const here = await this.#snapshot({ topics: choice.topics, limit: 1 })
    if (!here.answer.ok) return here
    const { cursor } = here.answer
    if (choice.types ?? choice.filter) {
      const taken = await this.#history.read({ ...choice, since: cursor })
      if (!taken.answer.ok) return taken
    }
    const from = this.#isToldBeyond(cursor) ? this.#poll.position! : cursor
    return done({ topics: choice.topics, cursor: from, ...this.#join(choice, from) })
  }

  #join(choice: Pick<SubscribeRequest, 'topics' | 'types' | 'filter'>, from: Cursor): { subscriptionId: string; activeSubscriptions: number } {
    const subscriptionId = `http-${++this.#count}`
    this.#poll.listen(subscriptionId, choice, from)
    this.#isChanged = true
    return { subscriptionId, activeSubscriptions: this.#poll.count }
  }

  #isToldBeyond(cursor: Cursor): boolean {
    const { position } = this.#poll
    return position !== undefined && isAfter(offsetOf(position), offsetOf(cursor))
  }

  #unsubscribe({ subscriptionId }: UnsubscribeRequest): HttpAnswer<object> {
    if (subscriptionId !== undefined && !this.#poll.leave(subscriptionId)) return failed(new HubError('NOT_SUBSCRIBED', undefined, { subscriptionId }))
    if (subscriptionId === undefined) this.#poll.leaveAllBut(MAIL)
    this.#isChanged = true
    return done({ activeSubscriptions: this.#poll.count })
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#joining.then(step)
    this.#joining = turn.catch(() => undefined)
    return turn
  }

  // ---------------------------------------------------------------- an agent's mail

  /** Mail comes as over a connection: without a subscription, from where it was last taken. */
  #registered(found: HttpAnswer<Registered>): HttpAnswer<AgentRegistered> {
    if (!found.answer.ok) return found
    const { mailCursor, mailGap, ...answer } = found.answer
    if (mailGap) this.deps.troubled(new HubError('REPLAY_GAP', 'Mail of this agent may be missing: it can no longer be had.', { ...mailGap }))
    if (mailCursor !== undefined) {
      this.#mailbox = `inbox:${answer.agentId}`
      this.#poll.listenBack(MAIL, { topics: [this.#mailbox] }, mailCursor)
      this.#isChanged = true
    }
    return { ...found, answer }
  }

  #tell(name: string, args: readonly unknown[]): void {
    const [first] = args
    if (this.#mailbox !== undefined && args.length === 2 && (first as Partial<HubEvent>).topics?.includes(this.#mailbox)) this.#hasMail = true
    this.deps.message(name, args)
    if (name === 'hub.cursor' && this.#hasMail) this.#taken(first as Cursor)
  }

  /** Asking for its mail alone, behind a cursor, an agent says that it has what was before it. Best effort: mail that comes twice is known. */
  #taken(cursor: Cursor): void {
    this.#hasMail = false
    const query = choiceOf({ topics: [this.#mailbox!], since: cursor })
    query.append('limit', '1')
    void this.#http.ask({ method: 'GET', path: '/history', query, timeoutMs: this.deps.ackTimeoutMs }).catch(() => undefined)
  }

  // ---------------------------------------------------------------- the rest

  async #snapshot({ topics, after, limit }: SnapshotRequest): Promise<HttpAnswer<SnapshotResult>> {
    const query = choiceOf({ topics })
    if (after !== undefined) query.append('after', after)
    if (limit !== undefined) query.append('limit', String(limit))
    return await this.#http.ask<SnapshotResult>({ method: 'GET', path: '/snapshot', query, timeoutMs: this.deps.ackTimeoutMs })
  }

  #handle({ commands }: HandleRequest): HttpAnswer<object> {
    if (commands.length === 0) return done({ commands })
    return failed(new HubError('UNAVAILABLE', 'Over HTTP nobody can be asked to carry out a command: the hub is told as soon as there is a connection again.', { transport: 'http' }))
  }
}

function done<T extends object>(result: T): HttpAnswer<T> {
  return { status: OK, answer: { ok: true, ...result } }
}

function failed(error: HubError): HttpAnswer<never> {
  return { status: error.status, answer: { ok: false, error: error.toJSON() } }
}
