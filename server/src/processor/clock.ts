/**
 * The partition's due times, by the store's clock: every processor means the same moment, wherever it runs. Only what is due is read;
 * when the next one is, is known from the last reading and from what the batches set since.
 */
import type { StateStore } from '../store/entities.js'
import { parseTimer } from './state/chain.js'

export interface Due {
  /** Names of what is due now. */
  names: string[]
  /** Due, but not yet to be judged: to be set again, to `until`. */
  held: string[]
  until: number
}

/** Due times of one commit. */
const MOST_DUE = 200
/** Whether somebody is heard of is not to be judged by a time at which nobody listened. */
const LIFE_SIGNS: ReadonlySet<string> = new Set(['accept', 'lease', 'agent', 'stalled'])

export class Clock {
  private skew = 0
  /** When to look next, ms by the store's clock; 0: at once. */
  private next = 0
  private until = 0

  /** @param holdMs for so long after the takeover nobody is given up: the beats of the time before are still on their way */
  constructor(private readonly state: StateStore, private readonly partition: number, private readonly holdMs: number) {}

  now(): number {
    return Date.now() + this.skew
  }

  /** ms until something is due; not positive: look. */
  wait(): number {
    return this.next - this.now()
  }

  /** A batch set a due time. */
  expect(due: number | undefined): void {
    if (due !== undefined && due < this.next) this.next = due
  }

  /** Rejects as the store does. */
  async due(): Promise<Due> {
    const { now, timers, next } = await this.state.due(this.partition, MOST_DUE)
    this.skew = now - Date.now()
    if (this.until === 0) this.until = now + this.holdMs
    this.next = timers.length === MOST_DUE ? 0 : (next ?? Number.MAX_SAFE_INTEGER)
    const held = now < this.until ? timers.filter(({ name }) => LIFE_SIGNS.has(parseTimer(name).what)) : []
    const waiting = new Set(held.map(({ name }) => name))
    this.expect(held.length > 0 ? this.until : undefined)
    return { names: timers.map(({ name }) => name).filter((name) => !waiting.has(name)), held: [...waiting], until: this.until }
  }
}
