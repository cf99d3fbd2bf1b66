/**
 * What a view shows of many events, kept outside of React and read with `useSyncExternalStore`: any number of changes is one snapshot a
 * frame, and one every so many ms at most: more can be read by nobody.
 *
 *     resting --first component--> running --the last one left, a moment later--> resting
 */
const EVERY_MS = 50

export abstract class FrameStore<T> {
  readonly #listeners = new Set<() => void>()
  #shown: T
  #stop: (() => void) | undefined
  #frame: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #resting: ReturnType<typeof setTimeout> | undefined
  #shownAt = 0

  /** @param everyMs between two snapshots; one that comes after a while is shown with the next frame */
  constructor(first: T, private readonly everyMs = EVERY_MS) {
    this.#shown = first
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    clearTimeout(this.#resting)
    this.#stop ??= this.start()
    return () => {
      this.#listeners.delete(listener)
      clearTimeout(this.#resting)
      // A key that moves, and StrictMode, are back before this: they must not cost a subscription.
      if (this.#listeners.size === 0) this.#resting = setTimeout(() => this.#rest(), 0)
    }
  }

  readonly snapshot = (): T => this.#shown

  /** Answers how to stop. */
  protected abstract start(): () => void
  /** The next snapshot, of what is known now. */
  protected abstract view(): T

  /** Shown with the next frame. A tab that nobody sees draws none, and is shown what is then when it is seen again. */
  protected changed(): void {
    if (this.#timer !== undefined || this.#frame !== undefined) return
    const wait = this.#shownAt + this.everyMs - performance.now()
    if (wait <= 0) this.#ask()
    else this.#timer = setTimeout(() => this.#ask(), wait)
  }

  #ask(): void {
    this.#timer = undefined
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined
      this.#shownAt = performance.now()
      this.#shown = this.view()
      for (const listener of this.#listeners) listener()
    })
  }

  #rest(): void {
    clearTimeout(this.#timer)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#timer = this.#frame = undefined
    const stop = this.#stop
    this.#stop = undefined
    stop?.()
  }
}
