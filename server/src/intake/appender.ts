/**
 * One queue a partition, one append in flight; what arrives meanwhile is the next one's batch, so batches grow with the load
 * and a quiet hub waits for nothing. A failed append is retried before anything behind it: a producer's order holds (I1).
 * Appending the same twice is safe, commits are deduplicated (I3). Projects take turns, and none fills what all have together.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { HubError, type Offset } from '@hubbub/protocol'
import { Room } from '../access/room.js'
import type { Logger } from '../observe/log.js'
import { StoreFull } from '../store/failure.js'
import { StoreUnavailable, type SourceAppend, type SourceStreams } from '../store/port.js'
import { Turns } from './turns.js'

export interface AppenderOptions {
  streams: Pick<SourceStreams, 'append'>
  /** Events held at most, over all partitions and projects. */
  queue: number
  /** ms after which what could not be appended is given up. */
  timeoutMs: number
  log: Logger
}

export interface Appender {
  /**
   * Source entry id, or null where `once` had been used. Rejects with UNAVAILABLE when it was certainly not appended (the
   * queue is full, the hub stops, the store stayed away), with STORE_FULL at once when the store has no room, with OUTCOME_UNKNOWN
   * when it may have been appended.
   */
  append(partition: number, append: SourceAppend, bytes: number): Promise<Offset | null>
  /** Waits for appends in flight; fails what still queues. */
  close(): Promise<void>
}

interface Waiting {
  append: SourceAppend
  bytes: number
  /** Monotonic ms. */
  until: number
  /** An append that held it was sent: nobody knows whether it happened. */
  tried: boolean
  resolve: (id: Offset | null) => void
  reject: (error: HubError) => void
}

const BATCH_EVENTS = 500
const BATCH_BYTES = 1024 * 1024
/** A full queue of the largest events would be more memory than a worker has. */
const QUEUE_BYTES = 256 * 1024 * 1024
const RETRY_LEAST_MS = 50
const RETRY_MOST_MS = 1000
/** A partition whose store has no room is not asked again for so long; ms. */
const FULL_MS = 500
const AWAY = 'The store is out of reach.'

export function createAppender(options: AppenderOptions): Appender {
  const lanes = new Map<number, Lane>()
  const halt = new AbortController()
  const room = new Room({ count: options.queue, bytes: QUEUE_BYTES })

  return {
    append(partition, append, bytes) {
      if (halt.signal.aborted) return Promise.reject(new HubError('UNAVAILABLE', 'The hub is stopping.'))
      const project = projectOf(append)
      if (!room.enter(project, bytes)) {
        const limit = { scope: 'project', limit: options.queue, unit: 'events', setting: 'HUBBUB_PUBLISH_QUEUE' }
        return Promise.reject(new HubError('UNAVAILABLE', 'The hub holds as many unwritten events of the project as it may.', limit))
      }
      let lane = lanes.get(partition)
      if (!lane) lanes.set(partition, (lane = new Lane(partition, options, halt.signal)))
      return lane.add(append, bytes).finally(() => room.leave(project, bytes))
    },
    async close() {
      halt.abort()
      await Promise.all([...lanes.values()].map((lane) => lane.idle))
    },
  }
}

class Lane {
  idle: Promise<void> = Promise.resolve()
  private readonly queue = new Turns<Waiting>()
  private working = false
  /** When what is added in this turn expires. */
  private until?: number
  /** Until a timer says otherwise, so that the events of one call find it the same. */
  private isFull = false

  constructor(
    private readonly partition: number,
    private readonly options: AppenderOptions,
    private readonly halt: AbortSignal,
  ) {}

  add(append: SourceAppend, bytes: number): Promise<Offset | null> {
    if (this.isFull) return Promise.reject(noRoom())
    // The events of one call expire as one: were its first given up and its last written, repeating it would turn them round (I1).
    if (this.until === undefined) queueMicrotask(() => (this.until = undefined))
    const until = (this.until ??= performance.now() + this.options.timeoutMs)
    return new Promise((resolve, reject) => {
      this.queue.add(projectOf(append), { append, bytes, until, tried: false, resolve, reject })
      if (this.working) return
      this.working = true
      // After this turn: all inputs of one publish call stand in the queue by then and go as one step.
      this.idle = Promise.resolve().then(() => this.work())
    })
  }

  private async work(): Promise<void> {
    while (this.queue.size > 0) {
      if (this.halt.aborted) this.fail(this.queue.drop(() => false), 'The hub is stopping.')
      else await this.write(this.cut())
    }
    this.working = false
  }

  private cut(): Waiting[] {
    let count = 0
    let bytes = 0
    return this.queue.take((next) => {
      bytes += next.bytes
      return ++count === 1 || (count <= BATCH_EVENTS && bytes <= BATCH_BYTES)
    })
  }

  private async write(whole: Waiting[]): Promise<void> {
    let batch = whole
    let isSure = true
    for (let waitMs = RETRY_LEAST_MS; batch.length > 0; waitMs = Math.min(RETRY_MOST_MS, waitMs * 2)) {
      try {
        for (const waiting of batch) waiting.tried = true
        const ids = await this.options.streams.append(this.partition, batch.map(({ append }) => append))
        return batch.forEach((waiting, place) => waiting.resolve(ids[place]!))
      } catch (error) {
        this.options.log.warn({ err: error, partition: this.partition, events: batch.length }, 'appending to the source streams failed')
        if (!(error instanceof StoreUnavailable)) return this.fail(batch, 'The hub failed to write the event.')
        if (error instanceof StoreFull && isSure) return this.refuse(batch)
        isSure = false
        const now = performance.now()
        this.fail(batch.filter(({ until }) => until <= now), AWAY)
        batch = batch.filter(({ until }) => until > now)
        this.fail(this.queue.drop(({ until }) => until > now), AWAY)
        await pause(waitMs, undefined, { signal: this.halt }).catch(() => {})
        if (this.halt.aborted) return this.fail(batch, 'The hub is stopping.')
      }
    }
  }

  /**
   * The store has no room: told at once, for whoever waited here would be held in our memory, and longer than he waits. With all that
   * stands behind it, which must not overtake it (I1). Not after an attempt that came to no answer: that may have been written.
   */
  private refuse(batch: readonly Waiting[]): void {
    this.isFull = true
    setTimeout(() => (this.isFull = false), FULL_MS).unref()
    for (const { reject } of [...batch, ...this.queue.drop(() => false)]) reject(noRoom())
  }

  private fail(waiting: readonly Waiting[], message: string): void {
    for (const { tried, reject } of waiting) reject(tried ? new HubError('OUTCOME_UNKNOWN') : new HubError('UNAVAILABLE', message))
  }
}

/** What is written in nobody's name has a turn of its own. */
function projectOf({ identity }: SourceAppend): string {
  return identity?.project ?? ''
}

function noRoom(): HubError {
  return new HubError('STORE_FULL', undefined, { retryAfterMs: FULL_MS })
}
