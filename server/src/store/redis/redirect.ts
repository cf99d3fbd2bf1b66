/**
 * Replies by which a node says that the command is not for it, or not now. None of them was executed, so the same command may be sent
 * again, elsewhere; whoever cannot do so sees the store out of reach.
 */
import { StoreUnavailable } from '../port.js'
import type { Endpoint } from './address.js'

export type Redirect =
  /** The slot is another node's (`moved`), or its key was taken to another node ahead of its slot (`ask`). Host empty: the same as of whoever says it. */
  | { kind: 'moved' | 'ask'; slot: number; endpoint: Endpoint }
  /** Not the master, or the Cluster is not settled. */
  | { kind: 'unsettled' }

const ELSEWHERE = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})/
const UNSETTLED = /^-?(READONLY|UNBLOCKED|CLUSTERDOWN|TRYAGAIN)\b/

export class Elsewhere extends StoreUnavailable {
  constructor(message: string, readonly redirect: Redirect, options?: ErrorOptions) {
    super(message, options)
  }
}

export function redirectOf(error: unknown): Redirect | undefined {
  const text = error instanceof Error ? error.message : ''
  const [, word, slot, host, port] = ELSEWHERE.exec(text) ?? []
  if (word) return { kind: word === 'ASK' ? 'ask' : 'moved', slot: Number(slot), endpoint: { host: host!, port: Number(port) } }
  return UNSETTLED.test(text) ? { kind: 'unsettled' } : undefined
}
