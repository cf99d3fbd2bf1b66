import type { Client, ClientState, Cursor, HubError } from '@hubbub/client'
import type { Lease } from './lease.js'
import { Store } from './store.js'

export interface ConnectionView {
  readonly state: ClientState
  /** `websocket`, or what else is used where none passes; while connected. */
  readonly transport: Client['transport']
  /** Everything up to here came, as of the last event; keep it to go on behind it later. A component that reads it renders with the events, once a frame. */
  readonly cursor: Cursor | undefined
  /** What went wrong last; gone when the client is live again. */
  readonly error: HubError | undefined
}

const FIRST: ConnectionView = { state: 'connecting', transport: undefined, cursor: undefined, error: undefined }

export class ConnectionStore extends Store<ConnectionView> {
  #client: Client | undefined
  #error: HubError | undefined
  #onEvents: (() => void) | undefined

  constructor(private readonly lease: Lease) {
    super(FIRST)
  }

  protected start(): () => void {
    const release = this.lease.hold()
    const client = (this.#client = this.lease.client())
    const offs = [
      client.onState((state) => {
        if (state === 'live') this.#error = undefined
        this.changed()
      }),
      client.onError((error) => {
        this.#error = error
        this.changed()
      }),
    ]
    return () => {
      for (const off of offs) off()
      this.#onEvents?.()
      this.#onEvents = undefined
      release()
    }
  }

  protected view(): ConnectionView {
    const { state = 'connecting', transport, cursor } = this.#client ?? {}
    const follow = (): void => this.#follow()
    return {
      state,
      transport,
      error: this.#error,
      // It moves with every event: only whoever looks at it pays for that.
      get cursor() {
        follow()
        return cursor
      },
    }
  }

  #follow(): void {
    if (this.isRunning) this.#onEvents ??= this.#client?.on('*', () => this.changed())
  }
}
