/** Wakes whoever waits for something to be written; nobody polls. */
export class Bell {
  private readonly waiting = new Set<() => void>()

  ring(): void {
    for (const wake of [...this.waiting]) wake()
  }

  /** Resolves at the next ring, or after `ms`. Its timer keeps no process alive. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      timer.unref()
      this.waiting.add(done)
    })
  }
}

/** Reads until something is found, the time is over, or the reader was closed; `read` throws when the store was. */
export async function readWaiting<T>(bell: Bell, read: () => T[], blockMs: number, closed: () => boolean): Promise<T[]> {
  const until = performance.now() + blockMs
  for (;;) {
    if (closed()) return []
    const found = read()
    const left = until - performance.now()
    if (found.length > 0 || left <= 0) return found
    await bell.wait(left)
  }
}
