/**
 * State that stays true: a snapshot, and every later event applied by the same `evolve` that the hub folds its journal with.
 *
 *   subscribed --snapshot--> kept --gap--> a new snapshot --> kept ...
 *
 * The subscription comes first and what it brings waits for the snapshot: whatever the snapshot holds already is left out by its
 * offset (an entity of a later page by its own revision), so nothing is missed between the two and nothing counts twice.
 */
import { HubError, isAfter, StateView, type Cursor, type EntityView, type HubEvent, type Kind, type ViewChange } from '@hubbub/protocol'
import type { Calls } from './calls.js'
import { Listeners } from './listeners.js'
import { offsetOf } from './merge.js'
import type { Snapshot } from './snapshot.js'

/** An entity before and after; never both undefined. */
export interface StateChange extends ViewChange {
  /** Undefined: seen in a snapshot, after events that cannot be had any more. */
  readonly event: HubEvent | undefined
}

/** What is known under some topics, as of the last event. It outlives connections and gaps. */
export interface LiveState {
  readonly topics: readonly string[]
  /** Everything up to here is in it. */
  readonly cursor: Cursor
  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined
  /** In the order in which they were first seen here. */
  list<K extends Kind>(kind: K): EntityView<K>[]
  onChange(handler: (change: StateChange) => void): () => void
  /** Told once: without an error after `close`, else with the reason for which there is no more to come. */
  onEnd(handler: (error?: HubError) => void): () => void
  close(): Promise<void>
}

export interface WatchDeps {
  calls: Calls
  /** Reads all pages; rejects with `HubError`. */
  snapshot(topics: readonly string[]): Promise<Snapshot>
  onThrow: (error: unknown) => void
  trouble(error: HubError): void
}

/** What it needs of a subscription. */
export interface Watched {
  readonly topics: readonly string[]
  on(handler: (event: HubEvent, place: { cursor: Cursor }) => void): () => void
  onGap(handler: () => void): () => void
  onEnd(handler: (error?: HubError) => void): () => void
  unsubscribe(): Promise<void>
}

interface Placed {
  event: HubEvent
  cursor: Cursor
}

export class Watch implements LiveState {
  readonly #changes: Listeners<[StateChange]>
  readonly #ends: Listeners<[HubError?]>
  #state = new StateView([])
  #cursor: Cursor = ''
  /** What came while a snapshot is on its way; undefined when none is. */
  #waiting: Placed[] | undefined = []
  /** Raised with each gap: a snapshot that was asked for before it is void. */
  #round = 0
  #renewal: Promise<void> | undefined
  #isEnded = false

  constructor(private readonly subscription: Watched, private readonly deps: WatchDeps) {
    this.#changes = new Listeners(deps.onThrow)
    this.#ends = new Listeners(deps.onThrow)
    subscription.on((event, { cursor }) => this.#take({ event, cursor }))
    subscription.onGap(() => {
      this.#renewal = this.#renew()
    })
    subscription.onEnd((error) => {
      this.#isEnded = true
      this.#ends.tell(error)
    })
  }

  get topics(): readonly string[] {
    return this.subscription.topics
  }

  get cursor(): Cursor {
    return this.#cursor
  }

  get<K extends Kind>(kind: K, id: string): EntityView<K> | undefined {
    return this.#state.get(kind, id)
  }

  list<K extends Kind>(kind: K): EntityView<K>[] {
    return this.#state.list(kind)
  }

  onChange(handler: (change: StateChange) => void): () => void {
    return this.#changes.add(handler)
  }

  onEnd(handler: (error?: HubError) => void): () => void {
    return this.#ends.add(handler)
  }

  async close(): Promise<void> {
    await this.subscription.unsubscribe()
  }

  /** The first snapshot; rejects with the hub's refusal, and the watch is over. */
  async begin(): Promise<this> {
    try {
      await this.#read()
      // A gap came before the first snapshot did.
      while (this.#waiting && !this.#isEnded) await this.#renewal
    } catch (error) {
      await this.close()
      throw error
    }
    if (this.#isEnded) throw new HubError('UNAVAILABLE', 'The watch ended before its first snapshot.')
    return this
  }

  /** After a gap. A snapshot that is refused for now is asked for until it comes: the state would stay wrong. */
  async #renew(): Promise<void> {
    const round = ++this.#round
    this.#waiting = []
    for (let attempt = 0; !this.#isEnded && round === this.#round; ) {
      try {
        return await this.#read()
      } catch (error) {
        if (this.#isEnded || this.deps.calls.isClosed || !(error instanceof HubError)) return
        this.deps.trouble(error)
        if (!error.retryable) return await this.close()
        await this.deps.calls.pause(this.deps.calls.delay(error, attempt++)).catch(() => undefined)
      }
    }
  }

  async #read(): Promise<void> {
    const round = this.#round
    const snapshot = await this.deps.snapshot(this.topics)
    if (round !== this.#round) return
    this.#replace(snapshot)
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const placed of waiting) this.#take(placed)
  }

  #replace(snapshot: Snapshot): void {
    const before = this.#state
    const after = new StateView(this.topics, snapshot.entities)
    this.#state = after
    this.#cursor = snapshot.cursor
    for (const { kind, id } of before.all()) {
      if (!after.get(kind, id)) this.#changes.tell({ kind, id, before: before.get(kind, id), after: undefined, event: undefined })
    }
    for (const entity of after.all()) {
      const known = before.get(entity.kind, entity.id)
      if (known?.revision !== entity.revision) this.#changes.tell({ kind: entity.kind, id: entity.id, before: known, after: entity, event: undefined })
    }
  }

  #take(placed: Placed): void {
    if (this.#waiting) return void this.#waiting.push(placed)
    const { event, cursor } = placed
    const offset = offsetOf(cursor)
    if (!isAfter(offset, offsetOf(this.#cursor))) return
    this.#cursor = cursor
    for (const change of this.#applied(event, offset)) this.#changes.tell({ ...change, event })
  }

  /** An entity that the hub gave in another form than it has cannot be folded any further: told, and the rest goes on. */
  #applied(event: HubEvent, offset: string): ViewChange[] {
    try {
      return this.#state.apply(event, offset)
    } catch (cause) {
      this.deps.trouble(new HubError('INTERNAL_ERROR', `The state cannot be kept with an event of type ${event.type}.`, undefined, { cause }))
      return []
    }
  }
}
