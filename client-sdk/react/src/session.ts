/** What all hooks below one provider share: the client, what they watch, and who else watches. */
import { connect, type Client, type ConnectOptions } from '@hubbub/client'
import { Handle } from './handle.js'
import { Lease } from './lease.js'
import { PresenceStore } from './presenceStore.js'
import { WatchStore } from './watchStore.js'

/** Stores made by renderings that were never shown are dropped beyond this. */
const IDLE_MOST = 1000

export class Session {
  readonly client: Client
  readonly #watches = new Shared<WatchStore>()
  readonly #presences = new Shared<PresenceStore>()

  constructor(readonly lease: Lease, client?: Client) {
    this.client = client ?? new Handle(lease)
  }

  /** One subscription a topic, however many components show something of it: a connection has only so many. */
  watch(topic: string): WatchStore {
    return this.#watches.get(topic, (enter) => new WatchStore(this.lease, topic, enter))
  }

  /** The hub tells a connection of a topic's watchers or does not: whoever leaves must not silence the others. */
  presence(topic: string): PresenceStore {
    return this.#presences.get(topic, (enter) => new PresenceStore(this.lease, topic, enter))
  }
}

/** Stores by topic. One stands here while it runs, and before that for the components of the same rendering. */
class Shared<S extends { isRunning: boolean }> {
  readonly #stores = new Map<string, S>()

  get(topic: string, make: (enter: () => () => void) => S): S {
    const known = this.#stores.get(topic)
    if (known) return known
    if (this.#stores.size >= IDLE_MOST) for (const [other, { isRunning }] of this.#stores) if (!isRunning) this.#stores.delete(other)
    const store = make(() => this.#enter(topic, store))
    this.#stores.set(topic, store)
    return store
  }

  #enter(topic: string, store: S): () => void {
    // Again after a rest, when a hidden part of the page is shown again, and nobody else has taken the place.
    if (!this.#stores.has(topic)) this.#stores.set(topic, store)
    return () => {
      if (this.#stores.get(topic) === store) this.#stores.delete(topic)
    }
  }
}

const given = new WeakMap<Client, Session>()

/** A session on a client that the program opened, and closes. */
export function sessionOn(client: Client): Session {
  let session = given.get(client)
  if (!session) given.set(client, (session = new Session(new Lease(() => client, undefined, false), client)))
  return session
}

/** @param token called instead of the options' own, which may be another one with each rendering */
export function newSession(url: string, options: ConnectOptions, token: ConnectOptions['token']): Session {
  return new Session(new Lease(() => connect(url, { ...options, token })))
}
