/** Transition tables: complete, closed, and what they promise of every way through them. */
import { FAILURES, isFailureCode, TASK_STEPS, type TaskStatus } from '@hubbub/protocol'
import * as fc from 'fast-check'
import { nextState, type SessionInput, type SessionState } from '../../server/src/fanout/session.js'
import { isOver, nextLease, type LeaseEvent, type LeaseState } from '../../server/src/processor/lease.js'
import { always } from './seed.js'

const LEASE_STATES: readonly LeaseState[] = ['owning', 'restarting', 'draining', 'released', 'lost']
const LEASE_EVENTS: readonly LeaseEvent[] = ['broken', 'fenced', 'restarted', 'expired', 'stop', 'drained']
const SESSION_STATES: readonly SessionState[] = ['live', 'catching-up', 'closed']
const SESSION_INPUTS: readonly SessionInput[] = ['reached', 'fell-behind', 'close']

describe('a lease of a partition', () => {
  test('stays in its table, ends for good, and never owns again what it gave back or lost', () => {
    always(3000, fc.array(fc.constantFrom(...LEASE_EVENTS), { maxLength: 30 }), (events) => {
      let state: LeaseState = 'owning'
      for (const event of events) {
        const next = nextLease(state, event)
        expect(LEASE_STATES).toContain(next)
        if (isOver(state)) expect(next).toBe(state)
        // I3: who was told that another fence stands must ask the store before it commits again.
        if (event === 'fenced' || event === 'broken') expect(next).not.toBe('owning')
        if (event === 'expired' && !isOver(state)) expect(next).toBe('lost')
        if (state === 'draining') expect(['draining', 'released', 'lost']).toContain(next)
        if (next === 'released' && state !== 'released') expect([state, event]).toEqual(['draining', 'drained'])
        state = next
      }
    })
  })
})

describe('a session', () => {
  test('goes live only by having reached the tail, and is closed for good', () => {
    always(3000, fc.array(fc.constantFrom(...SESSION_INPUTS), { maxLength: 30 }), (inputs) => {
      let state: SessionState = 'catching-up'
      for (const input of inputs) {
        const next = nextState(state, input)
        expect(SESSION_STATES).toContain(next)
        if (state === 'closed' || input === 'close') expect(next).toBe('closed')
        // I2: what it missed while it was behind is read before it is live.
        if (next === 'live' && state !== 'live') expect([state, input]).toEqual(['catching-up', 'reached'])
        if (input === 'fell-behind' && state !== 'closed') expect(next).toBe('catching-up')
        state = next
      }
    })
  })
})

describe('a managed task', () => {
  test('comes to an end from wherever a random walk leads it, and stays there', () => {
    const walk = fc.array(fc.nat({ max: 100 }), { maxLength: 40 })
    always(2000, walk, (choices) => {
      let status: TaskStatus = 'pending'
      for (const choice of choices) {
        const steps: readonly TaskStatus[] = TASK_STEPS[status]
        for (const to of steps) expect(Object.hasOwn(TASK_STEPS, to)).toBe(true)
        if (steps.length === 0) {
          expect(['completed', 'failed', 'cancelled']).toContain(status)
          break
        }
        expect(steps).toEqual(expect.arrayContaining(['failed', 'cancelled']))
        status = steps[choice % steps.length]!
      }
    })
  })
})

describe('the failure table', () => {
  test('is asked by any text without a throw, and knows its own codes alone', () => {
    always(1000, fc.oneof(fc.anything(), fc.constantFrom('__proto__', 'toString', 'constructor', ...Object.keys(FAILURES))), (given) => {
      expect(isFailureCode(given)).toBe(typeof given === 'string' && Object.keys(FAILURES).includes(given))
    })
  })
})
