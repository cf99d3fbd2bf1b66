/** What the long run judges by is judged itself: growth and findings that are planted are told. */
import { FAILURES, HubError, type FailureCode } from '@hubbub/protocol'
import { createRandom } from '../faults/random.js'
import { GrowthRecord } from './growth.js'
import { outcomeOf } from './judge.js'
import { Outcomes } from './outcomes.js'
import { requireCleanPrototypes } from './report.js'
import { often } from './seed.js'

function recorded(megabytes: (tenth: number) => number): GrowthRecord {
  const growth = new GrowthRecord('heap')
  for (let tenth = 1; tenth <= 10; tenth++) growth.note(megabytes(tenth))
  return growth
}

describe('growth', () => {
  test('is told of what grows by a part of itself with each tenth, and not of what fills up or swings', () => {
    expect(recorded((tenth) => 50 + 10 * tenth).excess()).toMatch(/grew to 130\.0 MB/)
    expect(recorded((tenth) => 50 * (1 - 1 / (tenth + 1)) + (tenth % 2) * 5).excess()).toBeUndefined()
    expect(recorded((tenth) => (tenth === 10 ? 500 : 50)).excess()).toBeUndefined()
  })
})

describe('a finding', () => {
  test('is whatever is thrown and no refusal, and a refusal that is the hub\'s own fault', () => {
    expect(() => outcomeOf(() => JSON.parse('{') as unknown)).toThrow(SyntaxError)
    for (const code of Object.keys(FAILURES) as FailureCode[]) {
      const judge = () => outcomeOf(() => {
        throw new HubError(code)
      })
      if (FAILURES[code].status < 500) expect(judge()).toMatchObject({ taken: false, code })
      else expect(judge).toThrow('the hub\'s fault')
    }
  })

  test('is a prototype that has more than before', () => {
    // oxlint-disable-next-line no-extend-native
    Object.defineProperty(Object.prototype, 'planted', { value: 1, configurable: true })
    try {
      expect(requireCleanPrototypes).toThrow('polluted')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'planted')
    }
    requireCleanPrototypes()
  })

  test('names the seed, and the input is made again by it', () => {
    const made: number[] = []
    expect(() => often(50, (random) => random.integer(0, 1000), (value) => {
      made.push(value)
      if (value > 900) throw new Error('too much')
    })).toThrow(/FUZZ_SEED=\d+: fails after \d+ runs with \[\d+\]: too much/)
    expect(createRandom(7).integer(0, 1000)).toBe(createRandom(7).integer(0, 1000))
    expect(made.length).toBeGreaterThan(1)
  })

  test('of one kind is told three times, and the table counts all', () => {
    const outcomes = new Outcomes()
    for (let times = 0; times < 10; times++) {
      outcomes.count('/ws', times < 4 ? 'accepted' : 'INVALID_MESSAGE')
      outcomes.find({ gateway: '/ws', what: 'the same' })
    }
    expect(outcomes.findings).toHaveLength(3)
    expect(outcomes.table()).toContain('| /ws | 10 | 4 | INVALID_MESSAGE 6 |')
  })
})
