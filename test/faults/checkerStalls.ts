/**
 * Who gets nothing though there is something for them (I7). Looked at a few times a second; a look counts for at most half a second, so
 * that a runner that was held up itself, or has nothing to observe, accuses nobody.
 */
import type { Findings } from './checkerFindings.js'
import type { Subscriber } from './checkerSubscriber.js'

export interface Patience {
  /** Beside a slow neighbour, with nothing else broken; ms. */
  besideSlowMs: number
  /** With nothing broken; ms. */
  clearMs: number
  /** Whatever goes on, short of being slow itself; ms. */
  anyMs: number
}

/** A slow client stops for up to 10 s: waiting as long as it stops would see nothing. */
export const PATIENCE: Patience = { besideSlowMs: 5000, clearMs: 30_000, anyMs: 120_000 }

const EVERY_MS = 250
const MOST_MS = 500

interface Waiting {
  delivered: number
  besideSlowMs: number
  clearMs: number
  anyMs: number
}

export class Stalls {
  private lookedMs = 0
  private readonly waiting = new Map<Subscriber, Waiting>()

  constructor(private readonly findings: Findings, private readonly patience: Patience) {}

  look(subscribers: readonly Subscriber[]): void {
    const { atMs, faults } = this.findings
    const passedMs = atMs - this.lookedMs
    if (passedMs < EVERY_MS) return
    this.lookedMs = atMs
    const stepMs = Math.min(passedMs, MOST_MS)
    const isDisturbed = faults.isDisturbed(atMs)
    const slow = faults.slow(atMs)
    for (const subscriber of subscribers) {
      const waiting = this.of(subscriber)
      // What it was given ahead of the raw reader counts, too: it is not stuck.
      const isMoving = subscriber.delivered !== waiting.delivered || subscriber.queue.length > 0 || !subscriber.isWaiting()
      if (isMoving || slow.has(subscriber.name)) this.reset(waiting, subscriber.delivered)
      else this.wait(subscriber, waiting, stepMs, isDisturbed)
    }
  }

  private wait(subscriber: Subscriber, waiting: Waiting, stepMs: number, isDisturbed: boolean): void {
    waiting.anyMs += stepMs
    waiting.clearMs = isDisturbed ? 0 : waiting.clearMs + stepMs
    waiting.besideSlowMs = !isDisturbed && this.findings.faults.isAnyoneSlow ? waiting.besideSlowMs + stepMs : 0
    const { patience } = this
    const why =
      waiting.besideSlowMs > patience.besideSlowMs ? `${patience.besideSlowMs} ms beside a slow client`
      : waiting.clearMs > patience.clearMs ? `${patience.clearMs} ms with nothing broken`
      : waiting.anyMs > patience.anyMs ? `${patience.anyMs} ms`
      : undefined
    if (!why) return
    this.findings.violate('I7', `${subscriber.name} was given nothing for ${why}: ${subscriber.outstanding()}`, { project: subscriber.journal.number, subscriber: subscriber.number })
    this.reset(waiting, subscriber.delivered)
  }

  private of(subscriber: Subscriber): Waiting {
    let waiting = this.waiting.get(subscriber)
    if (!waiting) this.waiting.set(subscriber, (waiting = { delivered: 0, besideSlowMs: 0, clearMs: 0, anyMs: 0 }))
    return waiting
  }

  private reset(waiting: Waiting, delivered: number): void {
    waiting.delivered = delivered
    waiting.besideSlowMs = waiting.clearMs = waiting.anyMs = 0
  }
}
