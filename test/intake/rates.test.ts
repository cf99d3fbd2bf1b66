import { HubError } from '@hubbub/protocol'
import { createFamilyRates, type FamilyRates } from '../../server/src/intake/rates.js'

const note = { type: 'custom.note', data: {} }

function taken(rates: FamilyRates, client: string, input: unknown, tries: number): number {
  let count = 0
  for (let at = 0; at < tries; at++) {
    try {
      rates.take(client, input)
      count++
    } catch (error) {
      expect(error).toBeInstanceOf(HubError)
    }
  }
  return count
}

describe('the rates of type families', () => {
  test('let through twice the rate at once, each client and family on its own', () => {
    const rates = createFamilyRates('custom=1,*=2')
    expect(taken(rates, 'a', note, 10)).toBe(2)
    expect(taken(rates, 'b', note, 10)).toBe(2)
    expect(taken(rates, 'a', { type: 'task.progress' }, 10)).toBe(4)
    expect(taken(rates, 'a', { type: 'agent.log' }, 10)).toBe(4)
  })

  test('count an alias as its family', () => {
    const rates = createFamilyRates('task=1,*=100')
    expect(taken(rates, 'a', { type: 'task:progress' }, 5) + taken(rates, 'a', { event_type: 'task_completed' }, 5)).toBe(2)
  })

  test.each([[{ type: 'no.such' }], [{}], [null], [7], ['task.progress']])('hold %j, which is no event, to the rate of the rest', (input) => {
    expect(taken(createFamilyRates('custom=100,*=1'), 'a', input, 5)).toBe(2)
  })

  test('say when to come back', () => {
    const rates = createFamilyRates('custom=1,*=1')
    taken(rates, 'a', note, 2)
    const details = { scope: 'family', family: 'custom', retryAfterMs: expect.any(Number) as number, limit: 1, unit: 'events/s', setting: 'HUBBUB_FAMILY_RATES' }
    expect(() => rates.take('a', note)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', details }))
  })

  test('forget a client that has gone', () => {
    const rates = createFamilyRates('custom=1,*=1')
    taken(rates, 'a', note, 2)
    rates.forget('a')
    expect(taken(rates, 'a', note, 1)).toBe(1)
  })

  test('close a family of rate 0, and leave an unnamed one without a rate for the rest alone', () => {
    const rates = createFamilyRates('custom=0')
    expect(taken(rates, 'a', note, 3)).toBe(0)
    expect(taken(rates, 'a', { type: 'task.progress' }, 3)).toBe(3)
  })
})
