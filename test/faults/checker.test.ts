/** The checker of the fault suite: a clean history passes, and each fault that it is there for is found, under the right invariant. */
import { mark, offset, PROJECT, range, tellStory, type Story } from './checkerStory.js'

/** Behind the entry with this number, before the next one. */
const between = (number: number): string => `${offset(number).slice(0, -1)}1`
const OK = { invariants: [], isSettled: true }

describe('a clean history', () => {
  test('may be delivered before the raw reader comes to it', () => {
    const { checker, all, even, end } = tellStory()
    for (const number of range(0, 2000)) {
      checker.published(mark(number))
      checker.acked(mark(number), offset(number), offset(number))
      checker.delivered(all, PROJECT, mark(number), offset(number))
      if (number % 2 === 0) checker.delivered(even, PROJECT, mark(number), offset(number))
    }
    expect(checker.settled()).toBe(false)
    for (const number of range(0, 2000)) checker.committed(PROJECT, mark(number), offset(number))
    expect(end()).toMatchObject({ ...OK, verdict: { checked: 2000, delivered: 3000, acked: 2000 } })
  })

  test('needs no delivery of what was committed before a subscription began, or after it was closed', () => {
    const { checker, commit, deliver, end } = tellStory()
    commit(range(0, 10))
    deliver(range(0, 10))
    const late = checker.subscriber('late', { project: PROJECT, wants: () => true })
    checker.began(late, offset(9))
    commit(range(10, 20))
    deliver(range(10, 20))
    for (const number of range(10, 15)) checker.delivered(late, PROJECT, mark(number), offset(number))
    expect(checker.outstanding()).toEqual([`late waits for event 0:15 at ${offset(15)}`])
    checker.left(late)
    expect(end()).toMatchObject(OK)
  })

  test('after lost writes: one epoch gap for whoever was given what was lost, and everything of the new branch', () => {
    const { checker, all, even, commit, deliver, epochGap, end } = tellStory()
    commit(range(0, 20))
    deliver(range(0, 19))
    checker.delivered(all, PROJECT, mark(19), offset(19))
    // What `even` was given last is what is left; its cursor may be of an event that it did not want.
    checker.lost(PROJECT, offset(18))
    epochGap(all, offset(19), offset(18))
    commit(range(20, 30), 1)
    deliver(range(20, 30), 1)
    expect(even).not.toBe(all)
    expect(end()).toMatchObject({ ...OK, verdict: { lost: 1, gaps: 1 } })
  })
})

describe('a planted fault', () => {
  /** Two thousand events, committed and delivered, but for what the case does at the thousandth. */
  function around(plant: (story: Story) => number | void) {
    const story = tellStory()
    story.commit(range(0, 1000))
    story.deliver(range(0, 1000))
    const next = plant(story) ?? 1000
    story.commit(range(next, 2000))
    story.deliver(range(next, 2000))
    return story.end().invariants
  }

  test.each<[string, string[], (story: Story) => number | void]>([
    ['a dropped event', ['I2'], ({ commit, checker, even }) => {
      commit([1000])
      checker.delivered(even, PROJECT, mark(1000), offset(1000))
      return 1001
    }],
    ['a swapped pair', ['I1'], ({ commit, checker, all, even }) => {
      commit([1000, 1001])
      checker.delivered(even, PROJECT, mark(1000), offset(1000))
      for (const number of [1001, 1000]) checker.delivered(all, PROJECT, mark(number), offset(number))
      return 1002
    }],
    ['a delivery given twice', ['I2'], ({ checker, all }) => checker.delivered(all, PROJECT, mark(999), offset(999))],
    ['a delivery given twice, long ago', ['I2'], ({ checker, all }) => checker.delivered(all, PROJECT, mark(1), offset(1))],
    ['a delivery of what never stood in the journal', ['I2'], ({ checker, all }) => {
      checker.published(mark(1000))
      checker.delivered(all, PROJECT, mark(1000), between(999))
      checker.refused(mark(1000), 'VALIDATION_ERROR')
      return 1001
    }],
    ['a leaked project, by its name', ['I6'], ({ checker, all }) => checker.delivered(all, 'blue', mark(999), offset(999))],
    ['a leaked project, by its event', ['I6'], ({ checker, all }) => {
      checker.published(mark(0, 1))
      checker.committed('blue', mark(0, 1), offset(999))
      checker.acked(mark(0, 1), offset(999), offset(999))
      checker.delivered(all, PROJECT, mark(0, 1), offset(999))
    }],
    ['an event committed in another project', ['I4', 'I6'], ({ checker }) => {
      checker.published(mark(0, 1))
      checker.acked(mark(0, 1), offset(999), offset(999))
      checker.committed(PROJECT, mark(0, 1), between(999))
    }],
    ['a leaked topic', ['I6'], ({ checker, even }) => checker.delivered(even, PROJECT, mark(999), offset(999))],
    ['a commit twice', ['I3'], ({ checker, all }) => {
      checker.committed(PROJECT, mark(999), between(999))
      checker.delivered(all, PROJECT, mark(999), between(999))
    }],
    ['a commit that nobody handed in', ['I3'], ({ checker }) => checker.committed(PROJECT, mark(5, 1), between(999))],
    ['a delivery that nobody handed in', ['I2'], ({ checker, all }) => checker.delivered(all, PROJECT, mark(1000), offset(1000))],
    ['producer\'s order broken in the journal', ['I3'], ({ checker, all, even }) => {
      for (const number of [1000, 1001]) checker.published(mark(number))
      for (const [number, at] of [[1001, 1000], [1000, 1001]] as const) {
        checker.committed(PROJECT, mark(number), offset(at))
        checker.acked(mark(number), offset(at), offset(at))
        checker.delivered(all, PROJECT, mark(number), offset(at))
        if (number % 2 === 0) checker.delivered(even, PROJECT, mark(number), offset(at))
      }
      return 1002
    }],
    ['a journal that goes back', ['I1'], ({ checker }) => checker.committed(PROJECT, undefined, offset(998))],
    ['an early acknowledgement', ['I4'], ({ checker, commit, deliver }) => {
      checker.published(mark(1000))
      checker.acked(mark(1000), offset(1000), offset(999))
      checker.committed(PROJECT, mark(1000), offset(1000))
      deliver([1000])
      commit([1001])
      deliver([1001])
      return 1002
    }],
    ['an acknowledgement with another offset', ['I4'], ({ checker, deliver }) => {
      checker.published(mark(1000))
      checker.committed(PROJECT, mark(1000), offset(1000))
      checker.acked(mark(1000), offset(999), offset(1000))
      deliver([1000])
      return 1001
    }],
    ['an acknowledgement of what was never committed', ['I4'], ({ checker }) => {
      checker.published(mark(1000))
      checker.acked(mark(1000), offset(1000), offset(1000))
      return 1001
    }],
    ['a publish that is never answered', ['I3'], ({ checker }) => {
      checker.published(mark(1000))
      return 1001
    }],
    ['a forbidden event, committed', ['I5'], ({ checker }) => {
      checker.forbidden(mark(1000))
      checker.committed(PROJECT, mark(1000), offset(1000))
      return 1001
    }],
    ['a forbidden event, acknowledged', ['I5'], ({ checker }) => {
      checker.forbidden(mark(1000))
      checker.acked(mark(1000), offset(999), offset(999))
      return 1001
    }],
    ['a forbidden event, delivered', ['I5'], ({ checker, all }) => {
      checker.forbidden(mark(1000))
      checker.delivered(all, PROJECT, mark(1000), offset(999))
      return 1001
    }],
    ['a refused event, committed', ['I5'], ({ checker, deliver }) => {
      checker.published(mark(1000))
      checker.refused(mark(1000), 'QUOTA')
      checker.committed(PROJECT, mark(1000), offset(1000))
      deliver([1000])
      return 1001
    }],
    ['an epoch gap without lost writes', ['I2'], ({ epochGap, all }) => epochGap(all, offset(999), offset(999))],
    ['a trimmed gap without retention', ['I2'], ({ checker, all }) => checker.gap(all, { from: `a.${offset(999)}`, to: `a.${offset(999)}`, reason: 'trimmed' })],
    ['a trimmed gap that skips what is still there', ['I2'], ({ checker, all, even, commit }) => {
      commit([1000])
      checker.delivered(even, PROJECT, mark(1000), offset(1000))
      checker.trimmed(PROJECT, offset(999))
      checker.gap(all, { from: `a.${offset(999)}`, to: `a.${offset(1000)}`, reason: 'trimmed' })
      return 1001
    }],
    ['a trimmed gap behind what was never given', ['I2'], ({ checker, all, even, commit, deliver }) => {
      commit([1000, 1001])
      checker.trimmed(PROJECT, offset(1001))
      checker.gap(all, { from: `a.${offset(1000)}`, to: `a.${offset(1001)}`, reason: 'trimmed' })
      checker.delivered(even, PROJECT, mark(1000), offset(1000))
      commit([1002])
      deliver([1002])
      return 1003
    }],
    ['a session that is not known any more', ['I8'], ({ checker, all }) => {
      checker.gap(all, { from: `a.${offset(999)}`, to: `a.${offset(999)}`, reason: 'session' })
      checker.began(all, offset(999))
    }],
    ['a new beginning that leaves something out, without a gap', ['I2'], ({ checker, commit, all, even }) => {
      commit([1000])
      checker.delivered(even, PROJECT, mark(1000), offset(1000))
      checker.began(all, offset(1000))
      return 1001
    }],
  ])('%s is found', (_, invariants, plant) => {
    expect([...new Set(around(plant))].sort()).toEqual(invariants)
  })

  function afterLoss(told: (story: Story) => void) {
    const story = tellStory()
    story.commit(range(0, 20))
    story.deliver(range(0, 20))
    story.checker.lost(PROJECT, offset(9))
    told(story)
    story.commit(range(20, 30), 1)
    story.deliver(range(20, 30), 1)
    return story.end().invariants
  }
  const both = ({ epochGap, all, even }: Story) => [all, even].map((subscriber) => epochGap(subscriber, offset(19), offset(9)))

  test.each<[string, string[], (story: Story) => void]>([
    ['the gap that is owed, told to both: nothing', [], (story) => void both(story)],
    ['no gap for one of them', ['I2'], ({ epochGap, even }) => epochGap(even, offset(19), offset(9))],
    ['two gaps for the same loss', ['I2'], (story) => {
      both(story)
      both(story)
    }],
    ['a gap that leaves out what survived', ['I2'], ({ checker, even, epochGap, all }) => {
      epochGap(all, offset(19), offset(9))
      const late = checker.subscriber('late', { project: PROJECT, wants: (event) => event < 10 })
      checker.began(late, offset(-1))
      epochGap(even, offset(19), offset(9))
      epochGap(late, offset(19), offset(9))
    }],
    ['what was lost, delivered after the gap', ['I2'], (story) => {
      both(story)
      story.checker.delivered(story.all, PROJECT, mark(19), offset(19))
    }],
  ])('after lost writes: %s', (_, invariants, told) => {
    expect([...new Set(afterLoss(told))]).toEqual(invariants)
  })

  test('never told of what was lost: not settled, and found at the end', () => {
    const { checker, commit, deliver, end } = tellStory()
    commit(range(0, 20))
    deliver(range(0, 20))
    checker.lost(PROJECT, offset(9))
    expect(checker.outstanding()).toEqual(['all was not told of what was lost', 'even was not told of what was lost'])
    expect(end()).toMatchObject({ invariants: ['I2', 'I2'], isSettled: false })
  })
})

describe('a neighbour that is stalled', () => {
  function stall(kind: 'slow-client' | 'freeze', what: string, ms: number) {
    const story = tellStory()
    const { checker, all, clock } = story
    const fault = checker.faultBegan(kind, what)
    for (const number of range(0, ms / 10)) {
      clock.ms += 10
      story.commit([number])
      checker.delivered(all, PROJECT, mark(number), offset(number))
    }
    checker.faultEnded(fault)
    for (const number of range(0, ms / 10)) if (number % 2 === 0) checker.delivered(story.even, PROJECT, mark(number), offset(number))
    return story.end().invariants
  }

  test('is found beside a slow client', () => expect(stall('slow-client', 'all', 8000)).toEqual(['I7']))
  test('is found whatever goes on, if it lasts', () => expect(stall('freeze', 'worker 1', 125_000)).toEqual(['I7']))
  test('is none that is slow itself', () => expect(stall('slow-client', 'all, even', 8000)).toEqual([]))
  test('is none while something else is broken', () => expect(stall('freeze', 'worker 1', 60_000)).toEqual([]))
})
