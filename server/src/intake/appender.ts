/**
 * One queue a partition, one append in flight; what arrives meanwhile is the next one's batch, so batches grow with the load
 * and a quiet hub waits for nothing. A failed append is retried before anything behind it: a producer's order holds (I1).
 * Appending the same twice is safe, commits are deduplicated (I3).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { HubError, type Offset } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import { StoreUnavailable, type SourceAppend, type SourceStreams } from '../store/port.js'

export interface AppenderOptions {
  streams: Pick<SourceStreams, 'append'>
  /** Events held at most, over all partitions. */
  queue: number
  /** ms after which what could not be appended is given up. */
  timeoutMs: number
  log: Logger
}

export interface Appender {
  /**
   * Source entry id, or null where `once` had been used. Rejects with UNAVAILABLE when it was certainly not appended (the
   * queue is full, the hub stops, the store stayed away), with OUTCOME_UNKNOWN when it may have been.
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

export function createAppender(options: AppenderOptions): Appender {
  const lanes = new Map<number, Lane>()
  const halt = new AbortController()
  const held = { events: 0, bytes: 0 }

  return {
    append(partition, append, bytes) {
      if (halt.signal.aborted) return Promise.reject(new HubError('UNAVAILABLE', 'The hub is stopping.'))
      if (held.events >= options.queue || held.bytes + bytes > QUEUE_BYTES) {
        return Promise.reject(new HubError('UNAVAILABLE', 'The hub holds as many unwritten events as it may.'))
      }
      held.events++
      held.bytes += bytes
      let lane = lanes.get(partition)
      if (!lane) lanes.set(partition, (lane = new Lane(partition, options, halt.signal)))
      return lane.add(append, bytes).finally(() => {
        held.events--
        held.bytes -= bytes
      })
    },
    async close() {
      halt.abort()
      await Promise.all([...lanes.values()].map((lane) => lane.idle))
    },
  }
}

class Lane {
  idle: Promise<void> = Promise.resolve()
  private queue: Waiting[] = []
  private working = false
  /** When what is added in this turn expires. */
  private until?: number

  constructor(
    private readonly partition: number,
    private readonly options: AppenderOptions,
    private readonly halt: AbortSignal,
  ) {}

  add(append: SourceAppend, bytes: number): Promise<Offset | null> {
    // The events of one call expire as one: were its first given up and its last written, repeating it would turn them round (I1).
    if (this.until === undefined) queueMicrotask(() => (this.until = undefined))
    const until = (this.until ??= performance.now() + this.options.timeoutMs)
    return new Promise((resolve, reject) => {
      this.queue.push({ append, bytes, until, tried: false, resolve, reject })
      if (this.working) return
      this.working = true
      // After this turn: all inputs of one publish call stand in the queue by then and go as one step.
      this.idle = Promise.resolve().then(() => this.work())
    })
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      if (this.halt.aborted) this.fail(this.queue.splice(0), 'The hub is stopping.')
      else await this.write(this.cut())
    }
    this.working = false
  }

  private cut(): Waiting[] {
    let count = 0
    for (let bytes = 0; count < this.queue.length && count < BATCH_EVENTS; count++) {
      bytes += this.queue[count]!.bytes
      if (bytes > BATCH_BYTES && count > 0) break
    }
    return this.queue.splice(0, count)
  }

  private async write(whole: Waiting[]): Promise<void> {
    let batch = whole
    for (let waitMs = RETRY_LEAST_MS; batch.length > 0; waitMs = Math.min(RETRY_MOST_MS, waitMs * 2)) {
      try {
        for (const waiting of batch) waiting.tried = true
        const ids = await this.options.streams.append(this.partition, batch.map(({ append }) => append))
        return batch.forEach((waiting, place) => waiting.resolve(ids[place]!))
      } catch (error) {
        this.options.log.warn({ err: error, partition: this.partition, events: batch.length }, 'appending to the source streams failed')
        if (!(error instanceof StoreUnavailable)) return this.fail(batch, 'The hub failed to write the event.')
        batch = this.expire(batch)
        this.queue = this.expire(this.queue)
        await pause(waitMs, undefined, { signal: this.halt }).catch(() => {})
        if (this.halt.aborted) return this.fail(batch, 'The hub is stopping.')
      }
    }
  }

  /** Fails what is too old, answers the rest. */
  private expire(waiting: Waiting[]): Waiting[] {
    const now = performance.now()
    this.fail(waiting.filter(({ until }) => until <= now), 'The store is out of reach.')
    return waiting.filter(({ until }) => until > now)
  }

  private fail(waiting: readonly Waiting[], message: string): void {
    for (const { tried, reject } of waiting) reject(tried ? new HubError('OUTCOME_UNKNOWN') : new HubError('UNAVAILABLE', message))
  }
}
