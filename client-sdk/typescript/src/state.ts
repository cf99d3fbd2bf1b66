/**
 * A client's life, as `client.state` shows it.
 *
 *                    opened                  filled
 *     connecting ------------> catching-up <---------> live
 *       ^    |                     |        filling      |
 *       |    | dropped             | dropped             | dropped
 *  retry|    v                     v                     |
 *       +-- offline <--------------+---------------------+
 *
 *     close, from anywhere: closed, for good
 *
 * `catching-up`: some subscription still reads what it missed, or the history that it asked for.
 */

export type ClientState = 'connecting' | 'catching-up' | 'live' | 'offline' | 'closed'
export type StateInput = 'retry' | 'opened' | 'filling' | 'filled' | 'dropped' | 'close'

/** Complete: a missing cell does not compile. An input that says nothing new in a state leads back to it. */
export const TRANSITIONS: Record<ClientState, Record<StateInput, ClientState>> = {
  connecting: { retry: 'connecting', opened: 'catching-up', filling: 'connecting', filled: 'connecting', dropped: 'offline', close: 'closed' },
  'catching-up': { retry: 'catching-up', opened: 'catching-up', filling: 'catching-up', filled: 'live', dropped: 'offline', close: 'closed' },
  live: { retry: 'live', opened: 'catching-up', filling: 'catching-up', filled: 'live', dropped: 'offline', close: 'closed' },
  offline: { retry: 'connecting', opened: 'catching-up', filling: 'offline', filled: 'offline', dropped: 'offline', close: 'closed' },
  closed: { retry: 'closed', opened: 'closed', filling: 'closed', filled: 'closed', dropped: 'closed', close: 'closed' },
}

export function nextState(state: ClientState, input: StateInput): ClientState {
  return TRANSITIONS[state][input]
}

export interface Backoff {
  minMs: number
  maxMs: number
  /** 0 to 1: the share of a delay that is left to chance, so that a fleet does not come back in one moment. */
  jitter: number
}

/** Exponential, jittered downwards: never longer than `maxMs`. `random` is in [0, 1). */
export function backoffDelay(attempt: number, { minMs, maxMs, jitter }: Backoff, random: number): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30))
  return Math.round(full * (1 - jitter * random))
}
