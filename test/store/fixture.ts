import { randomUUID } from 'node:crypto'
import type { Offset } from '@hubbub/protocol'
import type { StoreOptions } from '../../server/src/store/options.js'
import { topicKey, type Batch, type CommitResult, type JournalAppend, type LedgerState, type Positions, type Refusal, type Store } from '../../server/src/store/port.js'

export const HOUR = 3_600_000

/** Opens an empty store; the suite closes it. */
export type OpenStore = (options?: Partial<StoreOptions>) => Promise<Store>

export const DEFAULTS: StoreOptions = {
  redisUrl: '',
  partitions: 2,
  retention: { ageMs: HOUR, count: 100_000, bytes: 100_000_000 },
  seen: { ms: HOUR, count: 100_000 },
  deadLetters: 100,
}

/** An event to append, with its topics in the index as in its JSON. */
export function appendOf(id: string, topics: string[] = ['project'], more: Partial<JournalAppend> & { note?: string; project?: string } = {}): JournalAppend {
  const { note, project = 'default', ...rest } = more
  const event = JSON.stringify({ id, type: 'custom.note', project, topics, data: { note } })
  return { seen: `seen-${id}`, event, topics: topics.map((topic) => topicKey(project, topic)), ...rest }
}

/** A partition's owner that keeps the ledger's state as a processor does. */
export class Owner {
  private constructor(readonly store: Store, readonly partition: number, readonly name: string, public state: LedgerState) {}

  static async take(store: Store, partition = 0, leaseMs = HOUR): Promise<Owner> {
    const name = `owner-${randomUUID()}`
    const state = await store.takeOver(partition, name, leaseMs)
    if (!state) throw new Error('the partition is taken')
    return new Owner(store, partition, name, state)
  }

  batch(appends: JournalAppend[], more: Partial<Batch> = {}): Batch {
    const { fence, batch, positions } = this.state
    return { fence, number: batch + 1, from: positions, to: positions, appends, refusals: [], repeats: [], ...more }
  }

  /** Commits and moves on; throws unless committed. */
  async commit(appends: JournalAppend[], more: Partial<Batch> = {}): Promise<Offset[]> {
    const batch = this.batch(appends, more)
    const result: CommitResult = await this.store.commit(this.partition, batch)
    if (result.status !== 'committed') throw new Error(`commit: ${result.status}`)
    this.state = { ...this.state, batch: batch.number, positions: batch.to, last: result.offsets.at(-1) ?? this.state.last }
    return result.offsets
  }

  refuse(...refusals: Refusal[]): Promise<Offset[]> {
    return this.commit([], { refusals })
  }

  housekeep(): Promise<void> {
    return this.store.housekeep(this.partition, this.state.fence)
  }
}

export const ORIGINS: Positions = { agents: '0-0', workflows: '0-0', github: '0-0', system: '0-0' }

export function idsOf(entries: readonly { event: string }[]): string[] {
  return entries.map(({ event }) => (JSON.parse(event) as { id: string }).id)
}

/** Pseudo-random numbers that a failed run can repeat. */
export function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}
