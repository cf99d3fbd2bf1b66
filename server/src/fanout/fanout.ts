/** From the journal to the sockets: a lane for each partition in which this worker has, or had, subscribers. */
import { partitionOf } from '@hubbub/protocol'
import { Lane, type LaneDeps } from './lane.js'

export class Fanout {
  private readonly lanes = new Map<number, Promise<Lane>>()
  private readonly sweep: NodeJS.Timeout

  constructor(private readonly deps: LaneDeps & { partitions: number }) {
    const { bookmarkMs, retentionMs } = deps.settings
    this.sweep = setInterval(() => void this.bookmarkQuiet(), Math.max(20, Math.min(bookmarkMs, retentionMs / 10) / 2))
    this.sweep.unref()
  }

  /** Started with the partition's first subscriber; it then goes on, so that its window is there for the next. */
  async lane(project: string): Promise<Lane> {
    const partition = partitionOf(project, this.deps.partitions)
    let lane = this.lanes.get(partition)
    if (!lane) {
      lane = Lane.start(partition, this.deps)
      this.lanes.set(partition, lane)
      lane.catch(() => this.lanes.delete(partition))
    }
    return await lane
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
