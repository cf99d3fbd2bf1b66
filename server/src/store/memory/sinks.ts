/** Sinks in one process: the records as texts, as Redis keeps them, so that nobody shares an object with the store. */
import { nonce } from '../nonce.js'
import { topicKey, type SinkProgress, type SinkRecord, type Sinks, type SinkStanding, type SinkStatus, type StoredSink } from '../port.js'
import type { MemoryContext } from './context.js'

interface Sink {
  record: string
  progress: string
  status: SinkStatus
  reason?: string
  lease?: { owner: string; fence: string; until: number }
  /** Resumed while somebody had it. */
  anew?: boolean
}

type Kept = Map<string, Sink>

export function sinks(context: MemoryContext): Sinks {
  const partitions = context.partitions.map((): Kept => new Map())
  const of = (partition: number): Kept => partitions[context.partition(partition).number]!
  return { ...desk(of), ...delivering(of) }
}

function desk(of: (partition: number) => Kept): Pick<Sinks, 'add' | 'get' | 'list' | 'remove' | 'steer' | 'look'> {
  return {
    async add(partition, record, cursor, limit) {
      const kept = of(partition)
      const key = topicKey(record.project, record.id)
      if (kept.has(key)) return 'exists'
      if ([...kept.keys()].filter((other) => other.startsWith(topicKey(record.project, ''))).length >= limit) return 'full'
      const progress: SinkProgress = { cursor, deliveries: 0 }
      kept.set(key, { record: JSON.stringify(record), progress: JSON.stringify(progress), status: 'active' })
      return 'added'
    },
    async get(partition, project, id) {
      const sink = of(partition).get(topicKey(project, id))
      return sink ? stored(sink) : null
    },
    async list(partition, project) {
      const all = [...of(partition).values()].map(stored).filter((sink) => sink.project === project)
      return all.sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    async remove(partition, project, id) {
      return of(partition).delete(topicKey(project, id))
    },
    async steer(partition, project, id, { status, reason, reader }) {
      const sink = of(partition).get(topicKey(project, id))
      if (!sink) return false
      sink.status = status
      sink.reason = reason
      if (status === 'active') {
        sink.anew = sink.lease !== undefined
        sink.progress = unfailed(sink.progress)
      }
      if (reader) sink.record = JSON.stringify({ ...(JSON.parse(sink.record) as SinkRecord), reader })
      return true
    },
    async look(partition) {
      return [...of(partition).values()].map((sink) => standing(sink, JSON.parse(sink.record) as SinkRecord))
    },
  }
}

function delivering(of: (partition: number) => Kept): Pick<Sinks, 'claim' | 'report' | 'release'> {
  return {
    async claim(partition, project, id, owner, leaseMs) {
      const sink = of(partition).get(topicKey(project, id))
      if (sink?.status !== 'active' || (runs(sink) && sink.lease?.owner !== owner)) return null
      const fence = nonce()
      sink.lease = { owner, fence, until: Date.now() + leaseMs }
      // The former owner may have written its failure behind the resumption.
      if (sink.anew) sink.progress = unfailed(sink.progress)
      sink.anew = false
      const { record, progress } = stored(sink)
      return { fence, record, progress }
    },
    async report(partition, project, id, fence, leaseMs, news) {
      const sink = of(partition).get(topicKey(project, id))
      if (!sink?.lease || sink.lease.fence !== fence) return 'lost'
      sink.lease.until = Date.now() + leaseMs
      if (news) sink.progress = JSON.stringify(news.progress)
      if (news?.pause === undefined || sink.status !== 'active') return sink.anew ? 'paused' : sink.status
      if (sink.anew) {
        // It gives up what was resumed meanwhile: that is the next owner's to find.
        sink.lease = undefined
        return 'lost'
      }
      Object.assign(sink, { status: 'paused', reason: news.pause })
      return 'paused'
    },
    async release(partition, project, id, fence) {
      const sink = of(partition).get(topicKey(project, id))
      if (sink?.lease?.fence === fence) sink.lease = undefined
    },
  }
}

function unfailed(progress: string): string {
  return JSON.stringify({ ...(JSON.parse(progress) as SinkProgress), failure: undefined })
}

function runs({ lease }: Sink): boolean {
  return lease !== undefined && lease.until > Date.now()
}

function stored(sink: Sink): StoredSink {
  const record = JSON.parse(sink.record) as SinkRecord
  return { ...standing(sink, record), record, progress: JSON.parse(sink.progress) as SinkProgress }
}

function standing(sink: Sink, { project, id }: SinkRecord): SinkStanding {
  const { status, reason, lease } = sink
  return { project, id, status, ...(reason !== undefined && { reason }), ...(lease && runs(sink) && { owner: lease.owner }) }
}
