/** The checker over long histories: as a correct hub makes them, and with one fault planted in them, as `--plant` does in a real run. */
import { createChecker } from './checker.js'
import { choices, Model, play } from './checkerModel.js'
import { planted, PLANTS, type Plant } from './plant.js'

describe('a history of 100,000 events', () => {
  const long = (seed: number, steps: number, options: { losses?: boolean; trims?: boolean }) => {
    const model = new Model(options)
    for (const choice of choices(seed, steps)) model.step(choice)
    const calls = model.finish()
    const checker = createChecker()
    play(calls, checker)
    expect(checker.outstanding()).toEqual([])
    const verdict = checker.verdict()
    expect(verdict.violations).toEqual([])
    return { verdict, count: (name: string) => calls.filter((call) => call.name === name).length }
  }

  test('with lags, lost answers and faults passes, and every event is checked', () => {
    const { verdict, count } = long(7, 140_000, {})
    expect(verdict.published).toBeGreaterThan(90_000)
    expect(verdict).toMatchObject({ published: count('published'), committed: count('published') - count('refused'), checked: verdict.committed })
    expect(verdict).toMatchObject({ acked: count('acked'), delivered: count('delivered'), gaps: 0, lost: 0 })
    expect(verdict.duringFaults).toBeGreaterThan(verdict.checked * 0.3)
    expect(Object.values(verdict.faults).every(({ count: many, eventsDuring }) => many > 10 && eventsDuring > 0)).toBe(true)
  })

  test('with failovers and retention passes, too', () => {
    const { verdict, count } = long(8, 80_000, { losses: true, trims: true })
    expect(verdict).toMatchObject({ delivered: count('delivered'), gaps: count('gap') })
    expect(verdict.gaps).toBeGreaterThan(1000)
    expect(verdict.lost).toBeGreaterThan(1000)
    expect(verdict.checked).toBeGreaterThan(20_000)
  })
})

describe('a fault planted in a running history', () => {
  const INVARIANTS: Record<Plant, string[]> = { drop: ['I2'], swap: ['I1'], duplicate: ['I2'], leak: ['I6', 'I2'], 'early-ack': ['I4'] }

  test.each(PLANTS.flatMap((kind) => [1, 2, 3].map((seed) => [kind, seed] as const)))('%s with seed %i is found, and nothing else', (kind, seed) => {
    const model = new Model()
    for (const choice of choices(seed, 10_000)) model.step(choice)
    const checker = createChecker()
    const observer = planted(checker, kind, seed)
    play(model.finish(), observer)
    expect(observer.done).toMatch(/, call \d+$/)
    const { violations } = checker.verdict()
    expect([...new Set(violations.map(({ invariant }) => invariant))].sort()).toEqual([...INVARIANTS[kind]].sort())
    expect(violations.length).toBe(INVARIANTS[kind].length)
  })
})
