/**
 * The truth: what stands in Redis' journals, read past the hub and past all proxies. It goes on through restarts, and says what a failover
 * lost. Acknowledgements wait here until the journal's end was read behind them (I4).
 */
import { isAfter, laterOf, partitionOf, partitionTag } from '@hubbub/protocol'
import { createClient } from 'redis'
import { PARTITIONS, PROJECTS, readEvent } from './events.js'
import type { Mark, Observer } from './observer.js'
import type { Store } from './store.js'

export interface Journals {
  /** Told to the observer when the journal's end has been read after this. */
  acked(mark: Mark, project: string, offset: string): void
  /** Entries that were read so far. */
  read(): number
  /** Never resolves; rejects when the truth cannot be read any more. */
  readonly failed: Promise<never>
  close(): Promise<void>
}

const COUNT = '2000'
const BLOCK_MS = '100'
const AGAIN_MS = 50
const ANSWER_MS = 5000
const LOOK_AT_FLOOR_MS = 1000
/** An acknowledgement takes no longer, from the commit to whoever waits for it. */
const UNSURE_MS = 15_000
/** Of each journal, places that were read last: the way back to what a failover left. */
const KEPT = 50_000
/** Of XREAD and XRANGE: an entry's id, and its fields and values in turn, in the order in which commit.lua writes them. */
type Entry = [id: string, fields: ['event', string, 'prev', string, ...string[]]]

export function openJournals(store: Pick<Store, 'url' | 'failovers'>, observer: Observer): Journals {
  const journals = Array.from({ length: PARTITIONS }, (_, partition) => new Journal(partition, observer))
  const halt = new AbortController()
  const work = Promise.all([
    insist(halt.signal, store, (line) => follow(line, journals, store, halt.signal)),
    insist(halt.signal, store, (line) => confirm(line, journals, halt.signal)),
  ])
  return {
    acked: (mark, project, offset) => void journals[partitionOf(project, PARTITIONS)]!.acked.push({ mark, offset }),
    failed: work.then(() => new Promise<never>(() => {})),
    read: () => journals.reduce((sum, journal) => sum + journal.read, 0),
    async close() {
      halt.abort()
      await work
    },
  }
}

class Journal {
  last = '0-0'
  read = 0
  readonly acked: { mark: Mark; offset: string }[] = []
  readonly key: string
  readonly projects: readonly string[]
  private floor = '0-0'
  private failovers = 0
  /** Of a failover: the reader has still to come there. */
  private branch: string | undefined
  private unsureUntil = 0
  private readonly places: string[] = []

  constructor(partition: number, private readonly observer: Observer) {
    this.key = `hubbub:${partitionTag(partition)}:journal`
    this.projects = PROJECTS.filter((project) => partitionOf(project, PARTITIONS) === partition)
  }

  take([id, fields]: Entry): void {
    const previous = fields[3]
    // The reader was behind the place itself: subscribers may have been before it.
    if (this.branch !== undefined && isAfter(id, this.branch)) this.goBack(this.branch)
    if (previous !== this.last) {
      if (isAfter(previous, this.last)) throw new Error(`the reader of ${this.key} stood at ${this.last} when ${previous} was trimmed already`)
      this.goBack(previous)
    }
    const { mark, project } = readEvent(fields[1])
    this.observer.committed(project, mark, id)
    this.last = id
    this.read++
    this.places.push(id)
    if (this.places.length > 2 * KEPT) this.places.splice(0, KEPT)
  }

  /** @param survived of each failover so far, where the new master stood: the first epoch after it starts there. */
  failOver(survived: readonly string[]): void {
    for (const place of survived.slice(this.failovers)) {
      this.unsureUntil = performance.now() + UNSURE_MS
      this.branch = place
      if (!isAfter(place, this.last)) this.goBack(place)
    }
    this.failovers = survived.length
  }

  /** What was read behind the place stands there no more. */
  goBack(place: string): void {
    this.branch = undefined
    for (const project of this.projects) this.observer.lost(project, place)
    this.places.length = this.places.lastIndexOf(place) + 1
    this.last = place
  }

  /** The last place that still stands. */
  async lastStanding(stands: (place: string) => Promise<boolean>): Promise<string> {
    let [standing, gone] = [-1, this.places.length]
    while (gone - standing > 1) {
      const middle = (standing + gone) >>> 1
      if (await stands(this.places[middle]!)) standing = middle
      else gone = middle
    }
    return this.places[standing] ?? '0-0'
  }

  /** All that was acknowledged before the journal's end was asked for. */
  confirm(count: number, end: string): void {
    // What was acknowledged just before a failover may be lost: then no journal can be asked for it.
    const isSure = performance.now() > this.unsureUntil
    for (const { mark, offset } of this.acked.splice(0, count)) this.observer.acked(mark, offset, isSure ? end : laterOf(end, offset))
  }

  trimmed(offset: string): void {
    if (offset === this.floor) return
    this.floor = offset
    for (const project of this.projects) this.observer.trimmed(project, offset)
  }
}

async function follow(line: Line, journals: readonly Journal[], { failovers }: Pick<Store, 'failovers'>, halt: AbortSignal): Promise<void> {
  for (const [partition, journal] of journals.entries()) journal.failOver(failovers.map((survived) => survived[partition]!))
  for (const journal of journals) await findPlace(line, journal)
  while (!halt.aborted) {
    const reply = (await line.ask(['XREAD', 'BLOCK', BLOCK_MS, 'COUNT', COUNT, 'STREAMS', ...journals.map(({ key }) => key), ...journals.map(({ last }) => last)])) as [string, Entry[]][] | null
    for (const [key, entries] of reply ?? []) for (const entry of entries) journals.find((journal) => journal.key === key)!.take(entry)
  }
}

/** Behind a new connection may be another server, which may know less. */
async function findPlace(line: Line, journal: Journal): Promise<void> {
  if (journal.last === '0-0') return
  const stands = async (place: string) => ((await line.ask(['XRANGE', journal.key, place, place])) as Entry[]).length > 0
  if (await stands(journal.last)) return
  const [first] = (await line.ask(['XRANGE', journal.key, '-', '+', 'COUNT', '1'])) as Entry[]
  // All that was read is trimmed and nothing is lost: the next entry names the one before it.
  if (first?.[1][3] !== journal.last) journal.goBack(await journal.lastStanding(stands))
}

async function confirm(line: Line, journals: readonly Journal[], halt: AbortSignal): Promise<void> {
  for (let looked = 0; !halt.aborted; await later(5)) {
    for (const journal of journals) {
      const count = journal.acked.length
      if (count === 0) continue
      const [end] = (await line.ask(['XREVRANGE', journal.key, '+', '-', 'COUNT', '1'])) as Entry[]
      journal.confirm(count, end?.[0] ?? '0-0')
    }
    if (performance.now() - looked < LOOK_AT_FLOOR_MS) continue
    looked = performance.now()
    for (const journal of journals) {
      const [first] = (await line.ask(['XRANGE', journal.key, '-', '+', 'COUNT', '1'])) as Entry[]
      if (first) journal.trimmed(first[1][3])
    }
  }
}

interface Line {
  ask(command: string[]): Promise<unknown>
}

class Outage extends Error {}

/** Does the work on one connection after the other: behind another one everything must be looked at anew. */
async function insist(halt: AbortSignal, store: Pick<Store, 'url'>, work: (line: Line) => Promise<void>): Promise<void> {
  while (!halt.aborted) {
    const url = store.url()
    const client = createClient({ url, RESP: 2, disableOfflineQueue: true, socket: { reconnectStrategy: false, connectTimeout: ANSWER_MS } })
    client.on('error', () => {})
    try {
      await answered(client.connect())
      await work({
        async ask(command) {
          const answer = await answered(client.sendCommand(command))
          // It is master no more: what it says is not the truth.
          if (store.url() !== url) throw new Outage('there is another master')
          return answer
        },
      })
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      await later(AGAIN_MS)
    } finally {
      client.destroy()
    }
  }
}

async function answered<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), ANSWER_MS)))
  try {
    return await Promise.race([asked, late])
  } catch (error) {
    throw new Outage((error as Error).message, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
