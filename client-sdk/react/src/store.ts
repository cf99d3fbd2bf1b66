/**
 * What a hook shows, kept outside of React and read with `useSyncExternalStore`: a snapshot changes only when a frame is due, so that
 * a burst of events is one rendering and all components of a frame see the same.
 *
 *     resting --first listener--> running --last one left, a moment later--> resting
 */
import { Frame } from './frame.js'

export abstract class Store<T> {
  readonly #listeners = new Set<() => void>()
  readonly #frame = new Frame(() => this.#flush())
  #shown: T
  #stop: (() => void) | undefined
  #resting: ReturnType<typeof setTimeout> | undefined

  /** @param first what a server renders, and a browser when it takes that over */
  constructor(private readonly first: T) {
    this.#shown = first
  }

  get isRunning(): boolean {
    return this.#stop !== undefined
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    clearTimeout(this.#resting)
    if (!this.#stop) {
      this.#stop = this.start()
      this.#frame.request()
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      // StrictMode, and a key that moves, are back before this: they must not cost a subscription.
      clearTimeout(this.#resting)
      this.#resting = setTimeout(() => this.#rest(), 0)
    }
  }

  readonly snapshot = (): T => this.#shown
  readonly serverSnapshot = (): T => this.first

  /** Answers how to stop. */
  protected abstract start(): () => void
  /** The next snapshot, of what is known now. */
  protected abstract view(): T

  /** Shown with the next frame. */
  protected changed(): void {
    if (this.isRunning) this.#frame.request()
  }

  #rest(): void {
    this.#frame.cancel()
    const stop = this.#stop
    this.#stop = undefined
    stop?.()
  }

  #flush(): void {
    this.#shown = this.view()
    for (const listener of this.#listeners) listener()
  }
}
