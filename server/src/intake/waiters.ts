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
  const { store, worker, lookupMs, timeoutMs, log } = options
  /** One key may be waited for several times: a client that publishes again before the first answer came. */
  const waiting = new Map<string, Set<Waiter>>()
  let timer: NodeJS.Timeout | undefined
  let looking = false

  const answer = (key: string, outcome: Outcome) => {
    const waiters = waiting.get(key)
    if (!waiters) return
    waiting.delete(key)
    let first = true
    for (const { resolve } of waiters) {
      // One of them was committed, the others are repetitions of it.
      resolve(first || 'failure' in outcome ? outcome : { ...outcome, repeated: true })
      first = false
    }
  }

  const look = async (due: Map<number, string[]>) => {
    for (const [partition, keys] of due) {
      for (let from = 0; from < keys.length; from += LOOKUP_KEYS) {
        const page = keys.slice(from, from + LOOKUP_KEYS)
        const outcomes = await store.seen(partition, page)
        outcomes.forEach((outcome, place) => outcome !== null && answer(page[place]!, readOutcome(outcome)))
      }
    }
  }

  const sweep = () => {
    const now = performance.now()
    const due = new Map<number, string[]>()
    for (const [key, waiters] of waiting) {
      for (const waiter of waiters) {
        if (waiter.until <= now) waiters.delete(waiter)
        if (waiter.until <= now) waiter.resolve({ failure: new HubError('OUTCOME_UNKNOWN') })
        else if (waiter.lookAt <= now) {
          waiter.lookAt = now + lookupMs
          due.set(waiter.partition, [...(due.get(waiter.partition) ?? []), key])
        }
      }
      if (waiters.size === 0) waiting.delete(key)
    }
    if (waiting.size === 0) stop()
    if (due.size === 0 || looking) return
    looking = true
    look(due)
      .catch((error: unknown) => log.warn({ err: error }, 'looking up publishes failed'))
      .finally(() => (looking = false))
  }

  const stop = () => {
    clearInterval(timer)
    timer = undefined
  }

  const unlisten = await store.listen(worker, [...Array(store.partitions).keys()], (pairs) => {
    if (pairs) return pairs.forEach(([key, outcome]) => answer(key, readOutcome(outcome)))
    for (const waiters of waiting.values()) for (const waiter of waiters) waiter.lookAt = 0
    sweep()
  })

  return {
    wait(partition, key) {
      let resolve!: (outcome: Outcome) => void
      const outcome = new Promise<Outcome>((settle) => (resolve = settle))
      const now = performance.now()
      const waiter: Waiter = { partition, until: now + timeoutMs, lookAt: now + lookupMs, resolve }
      const waiters = waiting.get(key)
      if (waiters) waiters.add(waiter)
      else waiting.set(key, new Set([waiter]))
      timer ??= setInterval(sweep, Math.min(250, Math.max(20, lookupMs / 4))).unref()
      return {
        outcome,
        settle(given) {
          const waiters = waiting.get(key)
          waiters?.delete(waiter)
          if (waiters?.size === 0) waiting.delete(key)
          resolve(given)
        },
      }
    },
    async close() {
      stop()
      for (const key of [...waiting.keys()]) answer(key, { failure: new HubError('OUTCOME_UNKNOWN') })
      await unlisten()
    },
  }
}
