/**
 * The life of one partition in the hands of one processor, from takeover to the end. Pure: `owner.ts` acts on it.
 *
 * ```
 *   takeover             restarted
 *      |     .------------------------------.
 *      v     v   broken, fenced             |     expired
 *     [ owning ] ---------------> [ restarting ] ---------> [ lost ]
 *       |  |  expired                  |                       ^
 *       |  '-------------------------- | ----------------------|
 *       | stop                         | stop                  | fenced, broken, expired
 *       v                              v                       |
 *     [ draining ] <-------------------'      [ draining ] ----'
 *          | drained
 *          v
 *     [ released ]
 * ```
 *
 * - `broken`: the commit answered LOST, or the store's script failed: nothing held in memory can be trusted.
 * - `fenced`: another fence stands in the ledger. Whether the lease went too, only a restart can tell.
 * - `expired`: the store says that the lease is no longer ours.
 * - `drained`: the batch in hand was answered, or given up: the next owner reads the positions and knows (I3).
 */
export type LeaseState = 'owning' | 'restarting' | 'draining' | 'released' | 'lost'
export type LeaseEvent = 'broken' | 'fenced' | 'restarted' | 'expired' | 'stop' | 'drained'

/** Complete: a missing cell does not compile. What cannot happen in a state leaves it as it is. */
const TABLE: Record<LeaseState, Record<LeaseEvent, LeaseState>> = {
  owning: { broken: 'restarting', fenced: 'restarting', restarted: 'owning', expired: 'lost', stop: 'draining', drained: 'owning' },
  restarting: { broken: 'restarting', fenced: 'restarting', restarted: 'owning', expired: 'lost', stop: 'draining', drained: 'restarting' },
  draining: { broken: 'lost', fenced: 'lost', restarted: 'draining', expired: 'lost', stop: 'draining', drained: 'released' },
  released: { broken: 'released', fenced: 'released', restarted: 'released', expired: 'released', stop: 'released', drained: 'released' },
  lost: { broken: 'lost', fenced: 'lost', restarted: 'lost', expired: 'lost', stop: 'lost', drained: 'lost' },
}

export function nextLease(state: LeaseState, event: LeaseEvent): LeaseState {
  return TABLE[state][event]
}

export function isOver(state: LeaseState): boolean {
  return state === 'released' || state === 'lost'
}
