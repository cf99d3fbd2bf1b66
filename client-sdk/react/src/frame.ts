/** Background tabs draw no frames, but their titles and counters should move. ms */
const LONGEST_WAIT_MS = 100

/** Calls `flush` once for everything that was asked for before the next frame. */
export class Frame {
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame: number | undefined

  constructor(private readonly flush: () => void) {}

  request(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#run(), LONGEST_WAIT_MS)
    if (typeof requestAnimationFrame === 'function') this.#frame = requestAnimationFrame(() => this.#run())
  }

  cancel(): void {
    clearTimeout(this.#timer)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#timer = this.#frame = undefined
  }

  #run(): void {
    this.cancel()
    this.flush()
  }
}
