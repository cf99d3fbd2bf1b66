import { backoffDelay, nextState, TRANSITIONS, type ClientState, type StateInput } from '../../client-sdk/typescript/src/state.js'

describe('the state of a client', () => {
  it('goes from connecting to live by way of catching up', () => {
    expect(nextState('connecting', 'opened')).toBe('catching-up')
    expect(nextState('catching-up', 'filled')).toBe('live')
    expect(nextState('live', 'filling')).toBe('catching-up')
  })

  it('is offline after a dropped connection, and connecting with the next attempt', () => {
    for (const state of ['connecting', 'catching-up', 'live'] as const) expect(nextState(state, 'dropped')).toBe('offline')
    expect(nextState('offline', 'retry')).toBe('connecting')
  })

  it('cannot be called live without a connection', () => {
    for (const state of ['connecting', 'offline', 'closed'] as const) expect(nextState(state, 'filled')).toBe(state)
  })

  it('never leaves closed, and closes from anywhere', () => {
    for (const state of Object.keys(TRANSITIONS) as ClientState[]) expect(nextState(state, 'close')).toBe('closed')
    for (const input of Object.keys(TRANSITIONS.closed) as StateInput[]) expect(nextState('closed', input)).toBe('closed')
  })
})

describe('the delay before a new attempt', () => {
  const backoff = { minMs: 250, maxMs: 10_000, jitter: 0.5 }

  it('doubles up to its maximum', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 99].map((attempt) => backoffDelay(attempt, backoff, 0))).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  it('is left to chance downwards, by the jitter', () => {
    expect(backoffDelay(6, backoff, 0.999)).toBeGreaterThanOrEqual(5000)
    expect(backoffDelay(6, backoff, 0.999)).toBeLessThan(5010)
    expect(backoffDelay(6, { ...backoff, jitter: 0 }, 0.7)).toBe(10_000)
  })
})
