/**
 * Whoever catches up does so in portions, one of all sessions' portions between two turns of the event loop (I7). A socket that takes
 * everything at once never leaves the microtask queue: a thousand that came back together would keep timers, the tail and every live socket
 * waiting until the last of them is done.
 */
export class Turns {
  private readonly waiting: (() => void)[] = []

  /** Resolves when it is the caller's turn, in the order of asking. What it does until it waits again is its portion: some hundred KB at most. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      if (this.waiting.length === 1) this.schedule()
    })
  }

  /** One at a time: of immediates that stand in the queue together all run before anything else does. */
  private schedule(): void {
    setImmediate(() => {
      this.waiting.shift()!()
      if (this.waiting.length > 0) this.schedule()
    })
  }
}
