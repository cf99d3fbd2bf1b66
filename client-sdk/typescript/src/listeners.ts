/** Handlers of one kind. A handler that throws stops neither the others nor the stream of events. */
export class Listeners<A extends unknown[]> {
  readonly #handlers = new Set<(...args: A) => void>()

  /** @param onThrow told of whatever a handler throws; without it the error is thrown outside of the stream */
  constructor(private readonly onThrow?: (error: unknown) => void) {}

  get size(): number {
    return this.#handlers.size
  }

  add(handler: (...args: A) => void): () => void {
    // A function of our own each time: the same handler registered twice is called twice, and removed once.
    const entry = (...args: A): void => handler(...args)
    this.#handlers.add(entry)
    return () => void this.#handlers.delete(entry)
  }

  tell(...args: A): void {
    for (const handler of this.#handlers) {
      try {
        handler(...args)
      } catch (error) {
        if (this.onThrow) this.onThrow(error)
        else throwOutside(error)
      }
    }
  }
}

/** As an unhandled error of the program, like a listener's of an EventTarget. */
export function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
