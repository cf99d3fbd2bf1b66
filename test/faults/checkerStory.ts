/** A short history told by hand, for tests that plant one fault in it: one project, one producer, subscribers of all events or of some. */
import { createChecker, type Checker } from './checker.js'
import { markOf, numberOf, type Mark, type Verdict } from './observer.js'

export const PROJECT = 'red'
const START_MS = 1_800_000_000_000

/** Offset of the entry with this number, in the first branch or in one that a failover began. */
export const offset = (number: number, branch = 0): string => `${START_MS + branch * 10_000 + number}-0`
export const mark = (number: number, producer = 0): Mark => markOf(producer, number)

export interface Story {
  checker: Checker
  all: number
  even: number
  clock: { ms: number }
  /** Handed in, committed and acknowledged. */
  commit(numbers: Iterable<number>, branch?: number): void
  /** To both subscribers, what each wants. */
  deliver(numbers: Iterable<number>, branch?: number): void
  epochGap(subscriber: number, from: string, to: string): void
  /** Invariants of the violations at the end, and whether the run was settled. */
  end(): { invariants: string[]; isSettled: boolean; verdict: Verdict }
}

export function tellStory(): Story {
  const clock = { ms: 0 }
  const checker = createChecker({ now: () => clock.ms })
  checker.producer(0, PROJECT)
  checker.producer(1, 'blue')
  const all = checker.subscriber('all', { project: PROJECT, wants: () => true })
  const even = checker.subscriber('even', { project: PROJECT, wants: (event) => numberOf(event) % 2 === 0 })
  for (const subscriber of [all, even]) checker.began(subscriber, offset(-1))
  const handedIn = new Set<number>()
  return {
    checker,
    all,
    even,
    clock,
    commit(numbers, branch = 0) {
      for (const number of numbers) {
        if (!handedIn.has(number)) checker.published(mark(number))
        handedIn.add(number)
        checker.committed(PROJECT, mark(number), offset(number, branch))
        checker.acked(mark(number), offset(number, branch), offset(number, branch))
      }
    },
    deliver(numbers, branch = 0) {
      for (const number of numbers) {
        checker.delivered(all, PROJECT, mark(number), offset(number, branch))
        if (number % 2 === 0) checker.delivered(even, PROJECT, mark(number), offset(number, branch))
      }
    },
    epochGap(subscriber, from, to) {
      checker.gap(subscriber, { from: `a.${from}`, to: `b.${to}`, reason: 'epoch' })
    },
    end() {
      const isSettled = checker.settled()
      const verdict = checker.verdict()
      return { invariants: verdict.violations.map(({ invariant }) => invariant), isSettled, verdict }
    },
  }
}

export function* range(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number
}
