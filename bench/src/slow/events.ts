/**
 * Events whose id says where they stand: the number among all, the number among those that everybody gets, and when they were sent. Ids are
 * of one length, and stand first in an event, so that a reader finds them without parsing.
 */
import type { SourceAppend, Store } from '../../../server/dist/store/port.js'
import { micros } from './latency.js'

/** Within `42["task.progress",{"id":"b-...`. */
export const ID_AT = 26
const DIGITS = 9
const TIME_DIGITS = 16
const IDENTITY = { source: '/services/bench', project: 'default' }

export interface Place {
  all: number
  shared: number
  /** µs */
  sentAt: number
}

/** @param at where the id begins */
export function readPlace(bytes: Buffer, at: number): Place {
  const all = at + 2
  const shared = all + DIGITS + 1
  const sentAt = shared + DIGITS + 1
  return { all: numberAt(bytes, all, DIGITS), shared: numberAt(bytes, shared, DIGITS), sentAt: numberAt(bytes, sentAt, TIME_DIGITS) }
}

/** Writes to one source stream of one partition, so that the journal has them in this order. */
export class Author {
  all = 0
  shared = 0

  constructor(private readonly store: Store, private readonly partition: number) {}

  /** @param bytes of the message that it carries. @param isShared everybody gets it */
  async write(taskId: string, bytes: number, isShared: boolean, count = 1): Promise<void> {
    const batch = Array.from({ length: count }, () => this.next(taskId, bytes, isShared))
    await this.store.append(this.partition, batch)
  }

  private next(taskId: string, bytes: number, isShared: boolean): SourceAppend {
    this.all++
    if (isShared) this.shared++
    const digits = (value: number, length: number) => String(Math.floor(value)).padStart(length, '0')
    const id = `b-${digits(this.all, DIGITS)}-${digits(this.shared, DIGITS)}-${digits(micros(), TIME_DIGITS)}`
    return { stream: 'system', identity: IDENTITY, event: JSON.stringify({ id, type: 'task.progress', timestamp: Date.now(), data: { taskId, progress: this.all % 100, message: 'x'.repeat(bytes) } }) }
  }
}

function numberAt(bytes: Buffer, at: number, length: number): number {
  let value = 0
  for (let place = at; place < at + length; place++) value = value * 10 + bytes[place]! - 0x30
  return value
}
