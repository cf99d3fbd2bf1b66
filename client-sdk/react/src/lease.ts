/**
 * A client that has holders: opened for the first of them, closed a moment after the last one left.
 *
 * A moment, because React leaves and comes back in one go: StrictMode mounts everything twice, and a changed key replaces one component
 * by the next. Nothing is opened while rendering, so a server and a render that is thrown away open nothing.
 */
import { connect, type Client, type ConnectOptions } from '@hubbub/client'

export class Lease {
  #client: Client | undefined
  #holders = 0
  #closing: ReturnType<typeof setTimeout> | undefined

  /** @param onClosed told when it has no client any more; @param isOurs false: somebody else opened the client and closes it */
  constructor(private readonly open: () => Client, private readonly onClosed: () => void = () => undefined, private readonly isOurs = true) {}

  /** The client, if there is one now. */
  get present(): Client | undefined {
    return this.#client
  }

  /** Opens it where necessary; unless somebody holds it soon, it is closed again. Throws RangeError for a wrong option. */
  client(): Client {
    if (!this.#client) {
      this.#client = this.open()
      if (this.#holders === 0) this.#closeSoon()
    }
    return this.#client
  }

  /** Answers the function that lets go; call it once. */
  hold(): () => void {
    this.client()
    this.#holders++
    clearTimeout(this.#closing)
    return () => {
      if (--this.#holders === 0) this.#closeSoon()
    }
  }

  #closeSoon(): void {
    clearTimeout(this.#closing)
    this.#closing = setTimeout(() => {
      if (this.isOurs) this.#client?.close()
      this.#client = undefined
      this.onClosed()
    }, 0)
  }
}

const shared = new Map<string, Lease>()

/**
 * One client for all who ask with equal address and options. Not with a token function: whose tokens two of them give cannot be
 * compared, and one component must not speak with the identity of another. Not to be called while rendering.
 */
export function sharedLease(url: string, options: ConnectOptions): Lease {
  if (typeof options.token === 'function') return new Lease(() => connect(url, options))
  const key = JSON.stringify([url, options])
  let lease = shared.get(key)
  if (!lease) shared.set(key, (lease = new Lease(() => connect(url, options), () => shared.delete(key))))
  return lease
}
