/** Traffic through a failover of Redis, and the judgement afterwards: what stands in the journals, read raw, against what subscribers were told. */
import { partitionOf } from '@hubbub/protocol'
import type { Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { openRaw } from './rawRedis.js'

/** Rates stand in nobody's way; sockets are not given up by a process that has no time for a second: who comes back to another Redis is a new session. */
export const UNHURRIED = { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000' }

export interface Line {
  project: string
  partition: number
  producer: Producer
  /** One on each worker. */
  sinks: Sink[]
}

/** A project in the partition, a producer on one worker, a subscriber on each. */
export async function openLine(cluster: Cluster, partition: number, partitions: number): Promise<Line> {
  const project = Array.from({ length: 1000 }, (_, n) => `line-${n}`).find((name) => partitionOf(name, partitions) === partition)!
  const worker = cluster.workers[partition % cluster.workers.length]!
  const send = overHttp(() => worker.url, token({ sub: 'coder', role: 'agent', project }))
  const producer = createProducer({ name: `coder-${partition}`, batch: 10, send })
  const sinks = await Promise.all(cluster.workers.map(({ url }) => stockClient(url, { token: token({ project }), project, topics: ['task:live'] })))
  return { project, partition, producer, sinks }
}

/** Publishes without a pause until it is told to stop; rejects when something was not acknowledged in a minute. */
export function keepPublishing(line: Line): { stop(): Promise<void> } {
  const halt = new AbortController()
  const run = async () => {
    while (!halt.signal.aborted) await line.producer.publish(10, 'live')
  }
  const done = run()
  done.catch(() => undefined)
  return {
    stop() {
      halt.abort()
      return done
    },
  }
}

/** So many more are acknowledged than now. */
export async function progressOf(line: Line, count: number, deadlineMs = 60_000): Promise<void> {
  const before = line.producer.acked.size
  await eventually(() => line.producer.acked.size >= before + count, `${count} more events of ${line.project} being acknowledged`, deadlineMs)
}

export interface Account {
  /** One line for each fault: what survived and was not delivered exactly once, in order; a gap too few or too many. */
  faults: string[]
  survived: number
  /** Acknowledged, and not in the journal (under any offset). */
  lost: number
  /** Delivered to the subscriber that saw most of them, and not in the journal (at that offset). */
  seenAndLost: number
}

/** `url`: of the Redis that is the partition's master now. */
export async function account(line: Line, url: string): Promise<Account> {
  const raw = await openRaw(url)
  const entries = (await raw.events(line.partition)).filter(({ event }) => event.project === line.project && event.type === 'task.progress')
  raw.close()
  const journal = entries.map(({ offset, event }) => `${offset} ${event.id}`)
  const stands = new Set(journal)
  const ids = new Set(entries.map(({ event }) => event.id))
  const faults: string[] = []
  let seenAndLost = 0
  for (const [place, sink] of line.sinks.entries()) {
    const told = () => sink.receipts().map(({ id, offset }) => `${offset.slice(offset.indexOf('.') + 1)} ${id}`)
    await eventually(() => told().includes(journal.at(-1)!), `the last event of the journal at subscriber ${place} of ${line.project}`, 30_000)
    const survivors = told().filter((one) => stands.has(one))
    const gone = told().length - survivors.length
    seenAndLost = Math.max(seenAndLost, gone)
    if (survivors.join('\n') !== journal.join('\n')) faults.push(`subscriber ${place} of ${line.project}: ${difference(survivors, journal)}`)
    const reasons = sink.gaps.map(({ reason }) => reason).join(' ')
    if (reasons !== (gone > 0 ? 'epoch' : '')) faults.push(`subscriber ${place} of ${line.project}: saw ${gone} lost events and was told of the gaps '${reasons}'`)
  }
  return { faults, survived: journal.length, lost: [...line.producer.acked.keys()].filter((id) => !ids.has(id)).length, seenAndLost }
}

function difference(told: readonly string[], journal: readonly string[]): string {
  const at = journal.findIndex((entry, place) => told[place] !== entry)
  return `${told.length} of ${journal.length} delivered; number ${at < 0 ? journal.length : at} is ${told[at < 0 ? journal.length : at] ?? 'nothing'}, not ${journal[at] ?? 'nothing'}`
}
