/**
 * Who watches a topic. The hub's answer is the truth and lasts as long as the connection; signals between tell of changes. Who left is
 * taken away at once; of who joined a signal names the subject only, so the hub is asked again.
 */
import { HubError, type Client, type PresenceChange, type PresenceResult, type Signal } from '@hubbub/client'
import type { Lease } from './lease.js'
import { Store } from './store.js'

export interface PresenceView {
  /** Who came first stands first. Without a connection: as they were last. */
  readonly watchers: PresenceResult['watchers']
  /** So many more are not named. */
  readonly more: number
  /** Until the first answer. */
  readonly isLoading: boolean
  readonly error: HubError | undefined
}

const FIRST: PresenceView = { watchers: [], more: 0, isLoading: true, error: undefined }
/** Between tries after a refusal that passes, ms: doubled up to the second. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

export class PresenceStore extends Store<PresenceView> {
  #view = FIRST
  #isAsking = false
  /** Something changed while the answer was under way: it may be older than the change. */
  #isStale = false
  #failures = 0
  #again: ReturnType<typeof setTimeout> | undefined

  /** @param enter makes others find it while it runs; answers how to end that */
  constructor(private readonly lease: Lease, private readonly topic: string, private readonly enter: () => () => void) {
    super(FIRST)
  }

  protected start(): () => void {
    const release = this.lease.hold()
    const forget = this.enter()
    const client = this.lease.client()
    this.#failures = 0
    const offs = [
      client.onSignal((signal) => this.#hear(client, signal)),
      client.onState((state, before) => {
        if (state === 'catching-up' && (before === 'connecting' || before === 'offline')) void this.#ask(client)
      }),
    ]
    if (isConnected(client)) void this.#ask(client)
    return () => {
      for (const off of offs) off()
      clearTimeout(this.#again)
      // Without a connection, too: or the client asks again on the next one, for nobody.
      client.presence(this.topic, { watch: false }).catch(() => undefined)
      forget()
      release()
    }
  }

  protected view(): PresenceView {
    return this.#view
  }

  async #ask(client: Client): Promise<void> {
    clearTimeout(this.#again)
    if (this.#isAsking) {
      this.#isStale = true
      return
    }
    this.#isAsking = true
    try {
      do {
        this.#isStale = false
        const { watchers, more = 0 } = await client.presence(this.topic)
        this.#failures = 0
        this.#show({ watchers, more, isLoading: false, error: undefined })
      } while (this.#isStale && this.isRunning)
    } catch (error) {
      if (error instanceof HubError) this.#refused(client, error)
    } finally {
      this.#isAsking = false
    }
  }

  #refused(client: Client, error: HubError): void {
    // Without a connection: the next one asks again, and until then what is shown is the best that is known.
    if (!this.isRunning || !isConnected(client)) return
    this.#show({ ...this.#view, isLoading: false, error })
    if (!error.retryable) return
    const asked = error.details?.['retryAfterMs']
    const pause = typeof asked === 'number' ? asked : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
    this.#again = setTimeout(() => void this.#ask(client), pause)
  }

  #hear(client: Client, { topic, name, source, data }: Signal): void {
    if (topic !== this.topic || name !== 'presence.changed' || source !== '/hub') return
    const { joined, left, more } = data as PresenceChange
    if (this.#isAsking) this.#isStale = true
    const { watchers } = this.#view
    if (left.length > 0) this.#show({ ...this.#view, watchers: watchers.filter(({ subject }) => !left.includes(subject)) })
    if (joined.some((subject) => !watchers.some((watcher) => watcher.subject === subject)) || more !== undefined || this.#view.more > 0) void this.#ask(client)
  }

  #show(view: PresenceView): void {
    this.#view = view
    this.changed()
  }
}

function isConnected({ state }: Client): boolean {
  return state === 'live' || state === 'catching-up'
}
