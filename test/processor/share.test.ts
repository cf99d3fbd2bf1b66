import { fairShare } from '../../server/src/processor/share.js'

describe('the fair share of partitions', () => {
  test('is everything for a single processor', () => {
    expect(fairShare(4, ['a'], 'a')).toBe(4)
  })

  test('differs by one at most, and the first members take the rest', () => {
    const members = ['a', 'b', 'c']
    expect(members.map((me) => fairShare(8, members, me))).toEqual([3, 3, 2])
  })

  test.each([1, 2, 3, 5, 8, 13])('adds up to all partitions with %i processors', (count) => {
    const members = Array.from({ length: count }, (_, at) => `p${at}`)
    const shares = members.map((me) => fairShare(7, members, me))
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(7)
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
  })

  test('is nothing for who is not among the living', () => {
    expect(fairShare(4, ['a', 'b'], 'c')).toBe(0)
    expect(fairShare(4, [], 'c')).toBe(0)
  })
})
