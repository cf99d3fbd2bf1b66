/** From the journal to the sockets: a lane for each partition in which this worker has, or had, subscribers. */
import { partitionOf } from '@hubbub/protocol'
import { Lane, type LaneDeps } from './lane.js'
import { Turns } from './turns.js'

export class Fanout {
  private readonly lanes = new Map<number, Promise<Lane>>()
  private readonly started = new Set<Lane>()
  private readonly sweep: NodeJS.Timeout
  private readonly turns = new Turns()

  constructor(private readonly deps: Omit<LaneDeps, 'turns'> & { partitions: number }) {
    const { bookmarkMs, retentionMs } = deps.settings
    this.sweep = setInterval(() => void this.bookmarkQuiet(), Math.max(20, Math.min(bookmarkMs, retentionMs / 10) / 2))
    this.sweep.unref()
  }

  /** Started with the partition's first subscriber; it then goes on, so that its window is there for the next. */
  async lane(project: string): Promise<Lane> {
    const partition = partitionOf(project, this.deps.partitions)
    let lane = this.lanes.get(partition)
    if (!lane) {
      lane = Lane.start(partition, { ...this.deps, turns: this.turns })
      this.lanes.set(partition, lane)
      lane.then((begun) => this.started.add(begun), () => this.lanes.delete(partition))
    }
    return await lane
  }

  /** Where there is one already: whoever only asks about sessions need not have it started. */
  async standing(project: string): Promise<Lane | undefined> {
    return await this.lanes.get(partitionOf(project, this.deps.partitions))?.catch(() => undefined)
  }

  /** Subscriptions of this worker, sinks' included, and sessions with some that read the journal. */
  count(): { subscriptions: number; catchingUp: number } {
    const counts = [...this.started].map((lane) => lane.counts())
    return { subscriptions: counts.reduce((sum, { subscriptions }) => sum + subscriptions, 0), catchingUp: counts.reduce((sum, { catchingUp }) => sum + catchingUp, 0) }
  }

  async shutdown(): Promise<void> {
    clearInterval(this.sweep)
    for (const lane of this.lanes.values()) await lane.then((started) => started.shutdown()).catch(() => undefined)
  }

  private async bookmarkQuiet(): Promise<void> {
    for (const lane of this.lanes.values()) {
      const started = await lane.catch(() => undefined)
      started?.bookmarkQuiet()
    }
  }
}
