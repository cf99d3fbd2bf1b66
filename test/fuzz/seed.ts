/**
 * How the property tests are run: a fixed seed, so that a failure is one for everybody. `FUZZ_SEED=7 FUZZ_RUNS=20` tries others, and
 * twenty times as many; what fails says both.
 */
import { check, integer, property, type Arbitrary, type IProperty } from 'fast-check'
import { createRandom, type Random } from '../faults/random.js'
import { clipped, requireCleanPrototypes, shown } from './report.js'

export const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_301)
const TIMES = Number(process.env['FUZZ_RUNS'] ?? 1)

/** Holds a property for `runs` inputs. @throws with the smallest input that it does not hold for, and the seed */
export function holds<T>(runs: number, of: IProperty<T>): void {
  const result = check(of, { seed: SEED, numRuns: runs * TIMES, endOnFailure: false })
  requireCleanPrototypes()
  if (!result.failed) return
  const { counterexample, numRuns, errorInstance } = result
  throw new Error(`FUZZ_SEED=${SEED}: fails after ${numRuns} runs with ${shown(counterexample)}: ${brief(errorInstance)}`)
}

/** Of one argument. */
export function always<T>(runs: number, arbitrary: Arbitrary<T>, judge: (value: T) => void): void {
  holds(runs, property(arbitrary, judge))
}

/** Chance by the seed, for what is made by hand: `make` and `judge` once for each of `runs` draws. */
export function often<T>(runs: number, make: (random: Random) => T, judge: (made: T) => void): void {
  always(runs, integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
    const made = make(createRandom(seed))
    try {
      judge(made)
    } catch (error) {
      throw new Error(`${brief(error)}\nmade: ${shown(made)}`, { cause: error })
    }
  })
}

/** What was thrown, and where. */
function brief(error: unknown): string {
  if (!(error instanceof Error)) return clipped(String(error))
  const own = error.cause instanceof Error ? error.cause : error
  return `${clipped(error.message)}\n${(own.stack ?? '').split('\n').filter((line) => /^ +at /.test(line) && !line.includes('node_modules')).slice(0, 6).join('\n')}`
}

beforeAll(() => {
  // Of a test file, not of a library: on the way in, so that a hanging run can be had again, too.
  if (process.env['FUZZ_SEED'] !== undefined || TIMES !== 1) process.stdout.write(`FUZZ_SEED=${SEED} FUZZ_RUNS=${TIMES}\n`)
})
