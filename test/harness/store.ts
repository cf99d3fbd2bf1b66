import type { HubEvent } from '@hubbub/protocol'
import { openStore, type StoreOptions } from '../../server/src/store/open.js'
import { topicKey, type LedgerState, type Positions, type Store } from '../../server/src/store/port.js'

export async function memoryStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  return await openStore({
    redisUrl: '',
    partitions: 1,
    retention: { ageMs: 900_000, count: 100_000, bytes: 2 ** 29 },
    seen: { ms: 600_000, count: 100_000 },
    deadLetters: 1000,
    ...options,
  })
}

/** Commits events to partition 0 without a processor: for tests of whatever reads the journal. */
export class Committer {
  private number: number
  private positions: Positions

  private constructor(private readonly store: Store, readonly state: LedgerState) {
    this.number = state.batch
    this.positions = state.positions
  }

  static async of(store: Store, owner = 'committer'): Promise<Committer> {
    const state = await store.takeOver(0, owner, 60_000)
    if (!state) throw new Error('the partition is held by somebody else')
    return new Committer(store, state)
  }

  async commit(...events: HubEvent[]): Promise<string[]> {
    const result = await this.store.commit(0, {
      fence: this.state.fence,
      number: ++this.number,
      from: this.positions,
      to: this.positions,
      appends: events.map((event) => ({ seen: `${event.project}-${event.id}`, event: JSON.stringify(event), topics: event.topics.map((topic) => topicKey(event.project, topic)) })),
      refusals: [],
      repeats: [],
    })
    if (result.status !== 'committed') throw new Error(result.status)
    return result.offsets
  }
}

let counter = 0

export function progress(taskId: string, progressed: number, extra: Partial<HubEvent> = {}): HubEvent {
  const id = `e${++counter}`
  return {
    id,
    type: 'task.progress',
    timestamp: Date.now(),
    project: 'default',
    topics: [`task:${taskId}`],
    data: { taskId, progress: progressed },
    metadata: { version: '1.0', source: '/agents/test', recordedAt: Date.now() },
    ...extra,
  }
}

