import { isOver, nextLease, type LeaseEvent, type LeaseState } from '../../server/src/processor/lease.js'

const after = (...events: LeaseEvent[]) => events.reduce<LeaseState>(nextLease, 'owning')

describe('the life of a lease', () => {
  test('a stop drains, then releases', () => {
    expect(after('stop')).toBe('draining')
    expect(after('stop', 'drained')).toBe('released')
  })

  test.each(['fenced', 'broken'] as const)('%s restarts, and a restart owns again', (event) => {
    expect(after(event)).toBe('restarting')
    expect(after(event, 'restarted')).toBe('owning')
    expect(after(event, 'expired')).toBe('lost')
    expect(after(event, 'stop', 'drained')).toBe('released')
  })

  test.each(['fenced', 'broken', 'expired'] as const)('%s while draining loses the partition without another try', (event) => {
    expect(after('stop', event)).toBe('lost')
  })

  test('what is over stays over', () => {
    for (const end of ['released', 'lost'] as const) {
      for (const event of ['broken', 'fenced', 'restarted', 'expired', 'stop', 'drained'] as const) {
        expect(nextLease(end, event)).toBe(end)
      }
      expect(isOver(end)).toBe(true)
    }
  })
})
