/** What `hubbub top` knows: the fleet by a watch, the hub by its overview where the token may see it. */
import type { Client, EntityView, LiveState, Overview } from '@hubbub/client'
import { HubError } from '@hubbub/protocol'

export interface Fleet {
  agents: EntityView<'agent'>[]
  tasks: EntityView<'task'>[]
  task(id: string): EntityView<'task'> | undefined
}

const OVERVIEW_MS = 2000
const SAMPLES = 120

export class Model implements Fleet {
  overview: Overview | undefined
  /** Why there is no overview, when the hub will not give one. */
  refusal: HubError | undefined
  /** When `overview` was true, once questions have had no answer since; ISO 8601. */
  staleSince: string | undefined
  /** Of the hub where it says them, else of what this client hears: the newest last; undefined: nobody knows. */
  readonly history: (number | undefined)[] = []
  private live: LiveState | undefined
  private heard = 0
  private timer: NodeJS.Timeout | undefined
  private isClosed = false

  constructor(private readonly client: Client) {}

  get state(): Client['state'] {
    return this.client.state
  }

  get agents(): EntityView<'agent'>[] {
    return this.live?.list('agent') ?? []
  }

  get tasks(): EntityView<'task'>[] {
    return this.live?.list('task') ?? []
  }

  task(id: string): EntityView<'task'> | undefined {
    return this.live?.get('task', id)
  }

  /** Resolves when there is something to show. Rejects with `HubError`: the token may not see the fleet. */
  async start(): Promise<void> {
    this.client.on('*', () => void this.heard++)
    this.live = await this.client.watch(['agent:*', 'task:*'])
    await this.look()
  }

  /** The fleet is no longer shown to this token. Behind `start`. */
  onRefusal(handler: (error: HubError) => void): void {
    this.live?.onEnd((error) => error && handler(error))
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
  }

  private async look(): Promise<void> {
    try {
      this.overview = await this.client.operator.overview()
      this.refusal = this.staleSince = undefined
    } catch (error) {
      // Of a hub that is away what it said last stays, and is marked; what it does not allow is not there.
      if (error instanceof HubError && !error.retryable) {
        this.overview = this.staleSince = undefined
        this.refusal = error
      } else this.staleSince ??= this.overview?.at
    }
    const committed = this.staleSince === undefined ? this.overview?.rates.committed : undefined
    this.history.push(this.overview ? committed : this.heard / (OVERVIEW_MS / 1000))
    this.heard = 0
    if (this.history.length > SAMPLES) this.history.shift()
    if (!this.isClosed) this.timer = setTimeout(() => void this.look(), OVERVIEW_MS)
  }
}
