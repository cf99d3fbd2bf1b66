import type { HubEvent } from '@hubbub/protocol'
import { firstDifference, numbered, problems, receiptOf, sameSequence, type Receipt } from './checker.js'

/** Receipts of `coder:0` onwards at offsets 1-0, 2-0, ... */
function received(...seqs: number[]): Receipt[] {
  return seqs.map((seq, index) => ({ id: `coder:${seq}`, producer: 'coder', seq, offset: `e1.${index + 1}-0` }))
}
const ids = (count: number) => numbered('coder', count).map(({ id }) => id)

describe('the sequence checker', () => {
  test('finds nothing in a complete sequence', () => {
    expect(problems(received(0, 1, 2), ids(3))).toEqual([])
  })

  test('names what is missing', () => {
    expect(problems(received(0, 2), ids(3))).toEqual(['1 missing of 3: coder:1'])
  })

  test('names what came twice, in every order it breaks', () => {
    const found = problems(received(0, 1, 1), ids(2))
    expect(found).toEqual(['1 received more than once of 3: coder:1 (2 times)', '1 out of their producer\'s order: coder 1 after 1'])
  })

  test('names a producer whose events changed places', () => {
    expect(problems(received(1, 0), ids(2))).toEqual(['1 out of their producer\'s order: coder 0 after 1'])
  })

  test('lets producers interleave', () => {
    const [a, b] = received(0, 1)
    const other: Receipt = { id: 'tester:0', producer: 'tester', seq: 0, offset: 'e1.1-1' }
    expect(problems([a!, other, b!], [...ids(2), 'tester:0'])).toEqual([])
  })

  test('names what stands against the journal order, as numbers and across epochs', () => {
    const [a, b] = received(0, 1)
    const found = problems([{ ...a!, offset: 'e1.10-0' }, { ...b!, offset: 'e2.9-0' }], ids(2))
    expect(found).toEqual(['1 out of journal order: coder:1 at 9-0 after coder:0 at 10-0'])
  })

  test('names strangers unless others are allowed', () => {
    expect(problems(received(0, 1), ids(1))).toEqual(['1 never expected: coder:1'])
    expect(problems(received(0, 1), ids(1), { more: true })).toEqual([])
  })

  test('shows ten of many', () => {
    expect(problems([], ids(12))[0]).toBe('12 missing of 12: coder:0, coder:1, coder:2, coder:3, coder:4, coder:5, coder:6, coder:7, coder:8, coder:9, ...')
  })

  test('compares two subscribers by id and offset, whatever cursor form they hold', () => {
    const bare = received(0, 1).map((receipt) => ({ ...receipt, offset: receipt.offset.slice(3) }))
    expect(sameSequence(received(0, 1), bare)).toBe(true)
    expect(firstDifference(received(0, 1), received(0))).toBe('number 1: coder:1 at 2-0 here, nothing there')
    expect(firstDifference(received(0, 1), received(1, 0))).toBe('number 0: coder:0 at 1-0 here, coder:1 at 1-0 there')
  })

  test('reads producer and number from an event', () => {
    const event: HubEvent = { id: 'x', type: 'task.progress', timestamp: 1, project: 'default', topics: ['task:1'], data: { producer: 'coder', seq: 7 }, metadata: { version: '1.0', source: '/agents/a', recordedAt: 1 } }
    expect(receiptOf(event, 'e1.5-0')).toEqual({ id: 'x', producer: 'coder', seq: 7, offset: 'e1.5-0' })
    expect(receiptOf({ ...event, data: {} }, 'e1.5-0').producer).toBe('/agents/a')
  })
})
