/**
 * Which way to the hub is tried next. The ways, best first, are the rungs of a ladder that is gone down when one does not hold, and
 * climbed again while a lower one does.
 *
 *                 opened                    climb
 *     trying ---------------> standing ----------------> climbing
 *      ^   ^                   |   ^                      |   |  |
 *      |   +-- failed: the     |   +--- climbed: there ---+   |  |
 *      |       same rung again |   +--- missed, no other -----+  |
 *      |       or the next one |        rung in between          |
 *      +-----------------------+---------------------------------+
 *        dropped, refused: the same rung; failed: counted as a try
 *
 * A rung has three tries. When the last rung fails, nothing answers at all: from then on each rung has one try, from the top.
 */

export interface Ladder {
  phase: 'trying' | 'standing' | 'climbing'
  /** 0 is the best. */
  rung: number
  /** The better one that is tried while `rung` holds. */
  target: number
  /** Failures of this rung in a row. */
  tries: number
  /** How often all of them failed in a row. */
  round: number
}

/**
 * `failed`: no connection came about, or none worth the name. `refused`: the hub itself said not now, so the way is good. `dropped`: a
 * connection that had held was lost. `climb`: it is time to try a better one; `climbed` and `missed`: it opened, or did not.
 */
export type LadderInput = 'opened' | 'failed' | 'refused' | 'dropped' | 'climb' | 'climbed' | 'missed'

type Step = (ladder: Ladder, rungs: number) => Ladder

const TRIES = 3

export const TOP: Ladder = { phase: 'trying', rung: 0, target: 0, tries: 0, round: 0 }

const stay: Step = (ladder) => ladder
const stand: Step = (ladder) => ({ ...ladder, phase: 'standing' })
const again: Step = (ladder) => ({ ...ladder, phase: 'trying', tries: 0, round: 0 })
const climb: Step = (ladder) => (ladder.rung === 0 ? ladder : { ...ladder, phase: 'climbing', target: 0 })
const arrive: Step = (ladder) => ({ phase: 'standing', rung: ladder.target, target: ladder.target, tries: 0, round: 0 })
const miss: Step = (ladder) => (ladder.target + 1 < ladder.rung ? { ...ladder, target: ladder.target + 1 } : stand(ladder, 0))

const fail: Step = (ladder, rungs) => {
  const { rung, round } = ladder
  const tries = ladder.tries + 1
  if (tries < (round === 0 ? TRIES : 1)) return { ...ladder, phase: 'trying', tries }
  const isLast = rung + 1 === rungs
  return { ...ladder, phase: 'trying', tries: 0, rung: isLast ? 0 : rung + 1, round: isLast ? round + 1 : round }
}

/** Complete: a missing cell does not compile. An input that says nothing in a phase leads back to it. */
export const STEPS: Record<Ladder['phase'], Record<LadderInput, Step>> = {
  trying: { opened: stand, failed: fail, refused: again, dropped: again, climb: stay, climbed: stay, missed: stay },
  standing: { opened: stay, failed: fail, refused: again, dropped: again, climb, climbed: stay, missed: stay },
  climbing: { opened: stay, failed: fail, refused: again, dropped: again, climb: stay, climbed: arrive, missed: miss },
}

export function step(ladder: Ladder, input: LadderInput, rungs: number): Ladder {
  return STEPS[ladder.phase][input](ladder, rungs)
}
