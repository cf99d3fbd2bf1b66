/**
 * Publishes that wait for their commit (I4). The processor's hint answers most of them; a hint may be lost, so whoever waits
 * too long is looked up in the ledger, and so is everybody after the subscription to the hints was interrupted.
 */
import { HubError } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import { readOutcome, type Outcome } from '../store/outcome.js'
import type { AckHints, Ledger } from '../store/port.js'

export interface WaitersOptions {
  store: Pick<Ledger, 'seen'> & AckHints & { readonly partitions: number }
  worker: string
  /** ms without a hint after which a key is looked up, again and again. */
  lookupMs: number
  /** ms after which the outcome is unknown. */
  timeoutMs: number
  log: Logger
}

export interface Waiters {
  /** Resolves with the outcome; OUTCOME_UNKNOWN after the timeout. Never rejects. Register before appending: a hint may be fast. */
  wait(partition: number, key: string): Waiting
  close(): Promise<void>
}

export interface Waiting {
  outcome: Promise<Outcome>
  /** Answers it from elsewhere: the append failed. */
  settle(outcome: Outcome): void
}

interface Waiter {
  partition: number
  until: number
  lookAt: number
  resolve: (outcome: Outcome) => void
}

const LOOKUP_KEYS = 500

export async function createWaiters(options: WaitersOptions): Promise<Waiters> {
  const { store, worker } = options
  const room = new WaitingRoom(options)
  const unlisten = await store.listen(worker, [...Array(store.partitions).keys()], (pairs) => {
    if (!pairs) return room.lookAgain()
    for (const [key, outcome] of pairs) room.answer(key, readOutcome(outcome))
  })
  return {
    wait: (partition, key) => room.wait(partition, key),
    close() {
      room.close()
      return unlisten()
    },
  }
}

class WaitingRoom {
  /** One key may be waited for several times: a client that publishes again before the first answer came. */
  private readonly keys = new Map<string, Set<Waiter>>()
  private timer: NodeJS.Timeout | undefined
  private looking = false

  constructor(private readonly options: WaitersOptions) {}

  wait(partition: number, key: string): Waiting {
    const { timeoutMs, lookupMs } = this.options
    let resolve!: (outcome: Outcome) => void
    const outcome = new Promise<Outcome>((settle) => (resolve = settle))
    const now = performance.now()
    const waiter: Waiter = { partition, until: now + timeoutMs, lookAt: now + lookupMs, resolve }
    const together = this.keys.get(key)
    if (together) together.add(waiter)
    else this.keys.set(key, new Set([waiter]))
    this.timer ??= setInterval(() => this.sweep(), Math.min(250, Math.max(20, lookupMs / 4))).unref()
    return {
      outcome,
      settle: (given) => {
        this.drop(key, waiter)
        resolve(given)
      },
    }
  }

  answer(key: string, outcome: Outcome): void {
    const together = this.keys.get(key)
    if (!together) return
    this.keys.delete(key)
    let first = true
    for (const { resolve } of together) {
      // One of them was committed, the others are repetitions of it.
      resolve(first || 'failure' in outcome ? outcome : { ...outcome, repeated: true })
      first = false
    }
  }

  /** Hints may have been missed: everybody is looked up now. */
  lookAgain(): void {
    for (const together of this.keys.values()) for (const waiter of together) waiter.lookAt = 0
    this.sweep()
  }

  close(): void {
    this.rest()
    for (const key of [...this.keys.keys()]) this.answer(key, { failure: new HubError('OUTCOME_UNKNOWN') })
  }

  /** Gives up whoever waited too long, looks up whoever waited long enough. */
  private sweep(): void {
    const now = performance.now()
    const due = new Map<number, string[]>()
    for (const [key, together] of this.keys) {
      for (const waiter of together) {
        if (waiter.until <= now) {
          this.drop(key, waiter)
          waiter.resolve({ failure: new HubError('OUTCOME_UNKNOWN') })
        } else if (waiter.lookAt <= now && !this.looking) {
          waiter.lookAt = now + this.options.lookupMs
          const keys = due.get(waiter.partition)
          if (keys) keys.push(key)
          else due.set(waiter.partition, [key])
        }
      }
    }
    if (this.keys.size === 0) this.rest()
    if (due.size > 0) void this.look(due)
  }

  private async look(due: ReadonlyMap<number, readonly string[]>): Promise<void> {
    this.looking = true
    try {
      for (const [partition, keys] of due) {
        for (let from = 0; from < keys.length; from += LOOKUP_KEYS) {
          const page = keys.slice(from, from + LOOKUP_KEYS)
          const outcomes = await this.options.store.seen(partition, page)
          outcomes.forEach((outcome, place) => outcome !== null && this.answer(page[place]!, readOutcome(outcome)))
        }
      }
    } catch (error) {
      this.options.log.warn({ err: error }, 'looking up publishes failed')
    } finally {
      this.looking = false
    }
  }

  private drop(key: string, waiter: Waiter): void {
    const together = this.keys.get(key)
    together?.delete(waiter)
    if (together?.size === 0) this.keys.delete(key)
  }

  private rest(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }
}
