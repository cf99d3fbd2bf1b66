/** The state of what one topic names, for all components that show something of it. */
import { HubError, type EntityView, type Kind, type LiveState } from '@hubbub/client'
import { KINDS } from '@hubbub/protocol'
import type { Lease } from './lease.js'
import { Store } from './store.js'

export interface Phase {
  readonly isLoading: boolean
  readonly error: HubError | undefined
}

interface Shelf {
  readonly list: readonly EntityView[]
  readonly byId: ReadonlyMap<string, EntityView>
}

export interface WatchView {
  readonly phase: Phase
  readonly shelves: ReadonlyMap<Kind, Shelf>
}

export const LOADING: Phase = { isLoading: true, error: undefined }
export const NONE: readonly never[] = []
const EMPTY: WatchView = { phase: LOADING, shelves: new Map() }

export class WatchStore extends Store<WatchView> {
  #phase = LOADING
  #live: LiveState | undefined
  #shelves: ReadonlyMap<Kind, Shelf> = EMPTY.shelves
  /** Kinds of which something changed since the last frame: what is not among them keeps its identity. */
  readonly #changed = new Set<Kind>()

  /** @param enter makes others find it while it runs; answers how to end that */
  constructor(private readonly lease: Lease, private readonly topic: string, private readonly enter: () => () => void) {
    super(EMPTY)
  }

  protected start(): () => void {
    const release = this.lease.hold()
    const forget = this.enter()
    let isLeft = false
    this.#go(LOADING)
    this.lease.client().watch(this.topic).then(
      (live) => {
        if (isLeft) void live.close()
        else this.#begin(live)
      },
      (error: HubError) => {
        if (!isLeft) this.#go({ isLoading: false, error })
      },
    )
    return () => {
      isLeft = true
      void this.#live?.close()
      this.#live = undefined
      forget()
      release()
    }
  }

  protected view(): WatchView {
    if (this.#live && this.#changed.size > 0) {
      const shelves = new Map(this.#shelves)
      for (const kind of this.#changed) {
        const list = this.#live.list(kind)
        shelves.set(kind, { list, byId: new Map(list.map((entity) => [entity.id, entity])) })
      }
      this.#shelves = shelves
      this.#changed.clear()
    }
    return { phase: this.#phase, shelves: this.#shelves }
  }

  #begin(live: LiveState): void {
    this.#live = live
    live.onChange(({ kind }) => {
      this.#changed.add(kind)
      this.changed()
    })
    live.onEnd((error) => {
      if (this.isRunning) this.#go({ isLoading: false, error: error ?? new HubError('UNAVAILABLE', 'The client was closed.') })
    })
    for (const kind of KINDS) this.#changed.add(kind)
    this.#go({ isLoading: false, error: undefined })
  }

  #go(phase: Phase): void {
    this.#phase = phase
    this.changed()
  }
}
