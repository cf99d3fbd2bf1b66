/**
 * Plants one fault in a run: the checker must find it, or it would not find the hub's either. It corrupts one call on the way from the
 * world to the checker, somewhere among the first thousands, as the seed says.
 */
import type { Gap } from '@hubbub/protocol'
import type { Mark, Observer } from './observer.js'

export const PLANTS = ['drop', 'swap', 'duplicate', 'leak', 'early-ack'] as const
export type Plant = (typeof PLANTS)[number]

export interface Planted extends Observer {
  /** What was done, in words; undefined until it was. */
  readonly done?: string
}

interface Delivery {
  subscriber: number
  project: string
  mark: Mark
  offset: string
}

/** A fault is planted in one of the calls that could bear it, from the `from`th to the `to`th. */
export function planted(observer: Observer, kind: Plant, seed: number, { from = 500, to = 3000 } = {}): Planted {
  const last = from + Math.floor(fraction(seed) * (to - from))
  let countdown = last
  let held: Delivery | undefined
  let done: string | undefined
  const deliver = ({ subscriber, project, mark, offset }: Delivery) => observer.delivered(subscriber, project, mark, offset)
  const say = (what: string) => (done = `${what}, call ${last}`)
  // Two deliveries with something else between them are no pair: then the next pair is swapped.
  const release = (subscriber: number) => {
    if (held?.subscriber !== subscriber) return
    deliver(held)
    held = undefined
    countdown = 1
  }

  function delivered(subscriber: number, project: string, mark: Mark, offset: string): void {
    const delivery = { subscriber, project, mark, offset }
    if (held?.subscriber === subscriber) {
      deliver(delivery)
      deliver(held)
      held = undefined
      say(`swapped ${offset} of subscriber ${subscriber} with the one before it`)
      return
    }
    if (kind === 'early-ack' || done || held || --countdown > 0) return deliver(delivery)
    if (kind === 'swap') held = delivery
    else if (kind === 'drop') say(`dropped ${offset} of subscriber ${subscriber}`)
    else if (kind === 'leak') {
      say(`gave ${offset} to subscriber ${subscriber} as another project's`)
      deliver({ ...delivery, project: `${project}-other` })
    } else {
      say(`gave ${offset} to subscriber ${subscriber} twice`)
      deliver(delivery)
      deliver(delivery)
    }
  }

  function acked(mark: Mark, offset: string, head: string): void {
    if (kind !== 'early-ack' || done || --countdown > 0) return observer.acked(mark, offset, head)
    say(`acknowledged ${offset} before it stood in the journal`)
    observer.acked(mark, offset, before(offset))
  }

  return {
    get done() {
      return done
    },
    producer: (producer, project, answered) => observer.producer(producer, project, answered),
    subscriber: (name, interest) => observer.subscriber(name, interest),
    published: (mark) => observer.published(mark),
    forbidden: (mark) => observer.forbidden(mark),
    acked,
    refused: (mark, code) => observer.refused(mark, code),
    committed: (project, mark, offset) => observer.committed(project, mark, offset),
    lost: (project, offset) => observer.lost(project, offset),
    trimmed: (project, offset) => observer.trimmed(project, offset),
    delivered,
    gap(subscriber: number, gap: Gap) {
      release(subscriber)
      observer.gap(subscriber, gap)
    },
    began(subscriber, offset) {
      release(subscriber)
      observer.began(subscriber, offset)
    },
    resumed: (subscriber, worker) => observer.resumed(subscriber, worker),
    left(subscriber) {
      release(subscriber)
      observer.left(subscriber)
    },
    faultBegan: (fault, what) => observer.faultBegan(fault, what),
    faultEnded: (fault) => observer.faultEnded(fault),
  }
}

/** An offset shortly before. */
function before(offset: string): string {
  const [ms, sequence] = offset.split('-').map(Number) as [number, number]
  return sequence > 0 ? `${ms}-${sequence - 1}` : `${ms - 1}-0`
}

/** Of a seed: in [0, 1), well mixed. */
function fraction(seed: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}
