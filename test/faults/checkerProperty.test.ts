/** The checker against a model: what a correct hub may do passes, and one thing altered in it does not. */
import { array, assert, nat, pre, property } from 'fast-check'
import { createChecker } from './checker.js'
import { Model, play, type Call } from './checkerModel.js'

const steps = array(nat({ max: 2 ** 31 - 1 }), { minLength: 30, maxLength: 400 })

function history(choices: readonly number[], options: { losses?: boolean; trims?: boolean }): Model {
  const model = new Model(options)
  for (const choice of choices) model.step(choice)
  model.finish()
  return model
}

function judge(calls: readonly Call[]) {
  const checker = createChecker({ now: () => 0 })
  play(calls, checker)
  const isSettled = checker.settled()
  return { isSettled, verdict: checker.verdict() }
}

const show = (calls: readonly Call[]) => calls.map(({ name, args }) => `${name} ${JSON.stringify(args)}`).join('\n')

describe('a correct history', () => {
  test.each([
    ['of commits, lags and lost answers', {}],
    ['with failovers that lose writes', { losses: true }],
    ['with retention and failovers', { losses: true, trims: true }],
  ])('%s passes', (_, options) => {
    assert(
      property(steps, (choices) => {
        const { calls } = history(choices, options)
        const { isSettled, verdict } = judge(calls)
        if (!isSettled || verdict.violationCount > 0) throw new Error(`settled: ${isSettled}; ${verdict.violations.map(({ invariant, what }) => `${invariant} ${what}`).join('; ')}:\n${show(calls)}`)
      }),
      { numRuns: 200 },
    )
  })
})

type Mutation = (model: Model, choice: number) => Call[] | undefined

/** One delivery of what stands in the journal in the end: what was lost may go missing. */
function altered(alter: (calls: Call[], at: number) => boolean): Mutation {
  return (model, choice) => {
    const places = model.surviving()
    if (places.length === 0) return undefined
    const calls = [...model.calls]
    return alter(calls, places[choice % places.length]!) ? calls : undefined
  }
}

const MUTATIONS: [string, string[], Mutation][] = [
  ['a dropped delivery', ['I2'], altered((calls, at) => calls.splice(at, 1).length === 1)],
  ['a delivery given twice', ['I2'], altered((calls, at) => calls.splice(at, 0, ...calls.slice(at, at + 1)).length === 0)],
  ['a delivery of another project', ['I6'], altered((calls, at) => {
    const call = calls[at]!
    if (call.name === 'delivered') calls[at] = { name: 'delivered', args: [call.args[0], 'green', call.args[2], call.args[3]] }
    return true
  })],
  // I2: one of them may come before it is handed in.
  ['a swapped pair', ['I1', 'I2'], altered((calls, at) => {
    const subscriber = calls[at]!.args[0]
    const next = calls.findIndex(({ name, args }, place) => place > at && ['delivered', 'gap', 'began'].includes(name) && args[0] === subscriber)
    if (next < 0 || calls[next]!.name !== 'delivered') return false
    calls.splice(at, 1, ...calls.splice(next, 1, ...calls.slice(at, at + 1)))
    return true
  })],
]

describe('a history with one thing altered', () => {
  test.each(MUTATIONS)('%s is caught', (_, invariants, mutate) => {
    assert(
      property(steps, nat(), (choices, choice) => {
        const model = history(choices, { losses: true, trims: true })
        const calls = mutate(model, choice)
        pre(calls !== undefined)
        const { verdict } = judge(calls)
        if (verdict.violationCount === 0) throw new Error(`not caught:\n${show(calls)}`)
        expect(verdict.violations.some(({ invariant }) => invariants.includes(invariant))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('an early acknowledgement is caught', () => {
    assert(
      property(steps, nat(), (choices, choice) => {
        const model = history(choices, { losses: true, trims: true })
        const places = model.survivingAcks()
        pre(places.length > 0)
        const calls = [...model.calls]
        const at = places[choice % places.length]!
        const call = calls[at]!
        if (call.name === 'acked') calls[at] = { name: 'acked', args: [call.args[0], call.args[1], '1799999999999-0'] }
        const { verdict } = judge(calls)
        if (verdict.violationCount !== 1 || verdict.violations[0]!.invariant !== 'I4') throw new Error(`not caught:\n${show(calls)}`)
      }),
      { numRuns: 200 },
    )
  })
})
