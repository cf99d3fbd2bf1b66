/** Chance that can be had again: everything that a run leaves to chance comes from its seed. */

export interface Random {
  /** From 0 to below 1. */
  next(): number
  /** From `least` to `most`, both included. */
  integer(least: number, most: number): number
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  /** Another order of the same. */
  shuffle<T>(list: readonly T[]): T[]
  /** A chance of its own, which no draw from this one changes later. */
  fork(): Random
}

/** Mulberry32: 32 bits of state are plenty for a schedule, and its draws are the same on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const random: Random = {
    next,
    integer: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (share) => next() < share,
    pick: (list) => list[random.integer(0, list.length - 1)]!,
    shuffle(list) {
      const shuffled = [...list]
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = random.integer(0, at)
        ;[shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!]
      }
      return shuffled
    },
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  }
  return random
}
