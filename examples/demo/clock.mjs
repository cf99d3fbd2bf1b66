/** Time as the story counts it, and chance that comes out the same each time. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const MINUTE_MS = 60_000

/**
 * @typedef {object} Clock
 * @property {number} speed minutes of story in a minute
 * @property {() => number} minute minutes of story since the clock was started
 * @property {(minutes: number, signal?: AbortSignal) => Promise<void>} pass rejects when the signal is aborted
 * @property {(minute: number, signal?: AbortSignal) => Promise<void>} until at once, when it is later already
 */

/** @param {number} speed @returns {Clock} */
export function startClock(speed) {
  const began = performance.now()
  const minute = () => ((performance.now() - began) * speed) / MINUTE_MS
  /** @type {Clock['pass']} */
  const pass = (minutes, signal) => sleep(Math.max(0, (minutes * MINUTE_MS) / speed), undefined, { signal })
  return { speed, minute, pass, until: (to, signal) => pass(to - minute(), signal) }
}

/** `07:30` */
export function clockFace(/** @type {number} */ minute) {
  const seconds = Math.floor(minute * 60)
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}

/**
 * @typedef {object} Chance
 * @property {() => number} next from 0, below 1
 * @property {(least: number, most: number) => number} whole both of them possible
 * @property {<T>(list: readonly T[]) => T} one
 */

/**
 * The same words give the same numbers. Each task draws from its own: which agent is quicker then changes nothing for another one.
 * @param {...(string | number)} words @returns {Chance}
 */
export function chanceOf(...words) {
  let state = createHash('sha256').update(words.join('\n')).digest().readUInt32LE(0)
  // Mulberry32: small, and good enough for figures on a screen.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (/** @type {number} */ least, /** @type {number} */ most) => least + Math.floor(next() * (most - least + 1))
  /** @type {Chance['one']} */
  const one = (list) => {
    const found = list[whole(0, list.length - 1)]
    if (found === undefined) throw new RangeError('there is nothing to choose from')
    return found
  }
  return { next, whole, one }
}
