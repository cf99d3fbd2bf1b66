import type { Client, HubError } from '@hubbub/client'
import type { Lease } from './lease.js'
import { Store } from './store.js'

export interface Asked<T> {
  /** The last answer; it stays while later ones fail. */
  readonly value: T | undefined
  /** Why the last question had no answer. */
  readonly error: HubError | undefined
  readonly isLoading: boolean
  /** ms since the epoch: when `value` came. */
  readonly at: number | undefined
  /** Asks now. */
  readonly refresh: () => void
}

/** Asks a hub again and again, one question at a time, and not while nobody sees the page, nor after a refusal for good. */
export class AskStore<T> extends Store<Asked<T>> {
  #value: T | undefined
  #error: HubError | undefined
  #at: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isAsking = false
  #isStopped = true

  constructor(private readonly lease: Lease, private readonly ask: (client: Client) => Promise<T>, private readonly everyMs: number) {
    super({ value: undefined, error: undefined, isLoading: true, at: undefined, refresh: () => undefined })
  }

  protected start(): () => void {
    const release = this.lease.hold()
    const page = (globalThis as { document?: Document }).document
    const look = (): void => {
      if (page?.visibilityState === 'visible') this.refresh()
    }
    this.#isStopped = false
    page?.addEventListener('visibilitychange', look)
    this.refresh()
    return () => {
      this.#isStopped = true
      clearTimeout(this.#timer)
      page?.removeEventListener('visibilitychange', look)
      release()
    }
  }

  readonly refresh = (): void => {
    clearTimeout(this.#timer)
    if (!this.#isAsking && !this.#isStopped) void this.#ask()
  }

  protected view(): Asked<T> {
    return { value: this.#value, error: this.#error, isLoading: this.#value === undefined && this.#error === undefined, at: this.#at, refresh: this.refresh }
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    try {
      this.#value = await this.ask(this.lease.client())
      this.#at = Date.now()
      this.#error = undefined
    } catch (error) {
      this.#error = error as HubError
    }
    this.#isAsking = false
    if (this.#isStopped) return
    this.changed()
    // Who may not ask may not ask in two seconds either.
    if (this.#error && !this.#error.retryable) return
    const isSeen = (globalThis as { document?: Document }).document?.visibilityState !== 'hidden'
    if (isSeen) this.#timer = setTimeout(this.refresh, this.everyMs)
  }
}
