/** One run as its view shows it: everything that the journal has of it, then live, folded outside of React. */
import type { Client, Gap, HubError, HubEvent } from '@hubbub/client'
import { FrameStore } from '../../parts/frameStore'
import { aguiOf, type AguiEvent, type Interrupt, type Usage } from './agui'
import { Chunks } from './chunks'
import { Conversation } from './conversation'
import type { Item } from './items'
import { changedBy, NO_STATE, stale, told, type RunState } from './state'

/** How the run is, as far as its events tell. */
export interface RunHead {
  readonly status: 'unknown' | 'running' | 'finished' | 'interrupted' | 'cancelled' | 'failed'
  readonly startedAt?: number
  readonly endedAt?: number
  readonly threadId?: string
  readonly parentRunId?: string
  readonly error?: { message: string; code?: string | undefined }
  readonly interrupts?: readonly Interrupt[]
  readonly pending?: readonly string[]
  readonly result?: unknown
  readonly usage?: Usage
}

export interface RunStory {
  readonly head: RunHead
  readonly items: readonly Item[]
  /** Items before them that are no longer kept. */
  readonly dropped: number
  readonly state: RunState
  readonly events: number
  /** The journal's first event of it is not its beginning. */
  readonly isHeadless: boolean
  /** Runs that stood under the same id before: the last one counts. */
  readonly earlier: number
  readonly isReading: boolean
  readonly error: HubError | undefined
}

const NOTHING: RunStory = { head: { status: 'unknown' }, items: [], dropped: 0, state: NO_STATE, events: 0, isHeadless: false, earlier: 0, isReading: true, error: undefined }

export class Story extends FrameStore<RunStory> {
  #conversation = new Conversation()
  readonly #chunks = new Chunks()
  #head: RunHead = NOTHING.head
  #state = NO_STATE
  #events = 0
  #isHeadless = false
  #earlier = 0
  #isReading = true
  #error: HubError | undefined

  constructor(private readonly client: Client, private readonly runId: string) {
    super(NOTHING)
  }

  protected start(): () => void {
    let isLeft = false
    let leave: (() => void) | undefined
    this.#restart()
    this.client.subscribe({ topics: [`run:${this.runId}`], types: ['agui.*'], since: 'all' }).then(
      (subscription) => {
        leave = () => void subscription.unsubscribe()
        if (isLeft) return leave()
        subscription.onGap((gap) => this.#gap(gap))
        subscription.onEnd((error) => error && this.#settle(error))
        subscription.on((event) => this.#take(event))
        subscription.live().then(() => this.#settle(), () => undefined)
      },
      (error: HubError) => this.#settle(error),
    )
    return () => {
      isLeft = true
      leave?.()
    }
  }

  protected view(): RunStory {
    return { head: this.#head, items: this.#conversation.items(), dropped: this.#conversation.dropped, state: this.#state, events: this.#events, isHeadless: this.#isHeadless, earlier: this.#earlier, isReading: this.#isReading, error: this.#error }
  }

  /** Seen again after it was left, it is read again from the beginning. */
  #restart(): void {
    this.#begin()
    this.#earlier = 0
    this.#isReading = true
    this.#error = undefined
  }

  #begin(): void {
    this.#conversation = new Conversation()
    this.#chunks.forget()
    this.#head = NOTHING.head
    this.#state = NO_STATE
    this.#events = 0
    this.#isHeadless = false
  }

  #settle(error?: HubError): void {
    this.#isReading = false
    this.#error = error
    this.changed()
  }

  #gap(gap: Gap): void {
    this.#conversation.gap(gap, Date.now())
    this.#chunks.forget()
    this.#state = stale(this.#state)
    // Its end may be among what is missing.
    if (this.#head.status === 'running') this.#head = { ...this.#head, status: 'unknown' }
    this.changed()
  }

  #take(event: HubEvent): void {
    const agui = aguiOf(event)
    if (!agui) return
    const at = agui.timestamp ?? event.timestamp
    const isOwnStart = agui.type === 'RUN_STARTED' && agui.runId === this.runId
    if (isOwnStart && this.#head.endedAt !== undefined) {
      this.#earlier++
      this.#begin()
    }
    if (this.#events++ === 0 && !isOwnStart) {
      this.#isHeadless = true
      this.#state = stale(this.#state)
    }
    const whole = this.#chunks.expand(agui)
    if (!whole) this.#conversation.trouble('A part of a message or call cannot be told to belong to anything: what it goes on with is missing.', at)
    for (const one of whole ?? []) this.#fold(one, at)
    this.changed()
  }

  #fold(event: AguiEvent, at: number): void {
    if (event.type === 'STATE_SNAPSHOT') this.#state = told(event.snapshot, at)
    else if (event.type === 'STATE_DELTA') this.#state = changedBy(this.#state, event.delta, at)
    else this.#conversation.take(event, at, this.runId)
    this.#head = headAfter(this.#head, event, at, this.runId)
  }
}

function headAfter(head: RunHead, event: AguiEvent, at: number, runId: string): RunHead {
  if (event.type === 'RUN_STARTED' && event.runId === runId) {
    return { status: 'running', startedAt: at, threadId: event.threadId, ...(event.parentRunId !== undefined && { parentRunId: event.parentRunId }) }
  }
  if (event.type === 'RUN_FINISHED' && event.runId === runId) {
    const { outcome, result, usage } = event
    const status = outcome?.type === 'interrupt' ? 'interrupted' : outcome?.type === 'cancelled' ? 'cancelled' : 'finished'
    return {
      ...head, status, endedAt: at, threadId: event.threadId, ...(result !== undefined && { result }), ...(usage && { usage }),
      ...(outcome?.type === 'interrupt' && { interrupts: outcome.interrupts }), ...(outcome?.type === 'success' && outcome.pendingToolCallIds && { pending: outcome.pendingToolCallIds }),
    }
  }
  if (event.type === 'RUN_ERROR') return { ...head, status: 'failed', endedAt: at, error: { message: event.message, code: event.code }, ...(event.usage && { usage: event.usage }) }
  return head.status === 'unknown' ? { ...head, status: 'running' } : head
}
