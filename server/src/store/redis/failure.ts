import { ErrorReply } from 'redis'
import { StoreFull } from '../failure.js'
import { StoreUnavailable } from '../port.js'

/**
 * Refused for want of memory (`maxmemory`) or of disk (an append-only file or snapshot that cannot be written). Redis decides so
 * before a command or a script writes anything, and lets a script that has written go on: no half of a batch stays behind (I3).
 */
const FULL = /^-?(OOM|MISCONF|ERR .*\bOOM command not allowed)\b/

/** Replies with which Redis refuses for want of role or time: the same command may succeed later. */
const PASSING = /^-?(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|UNBLOCKED|ERR max number of clients)\b/

/**
 * What a caller sees of a failed command: `StoreFull` when Redis has no room, `StoreUnavailable` when the connection or Redis's
 * other resources failed, a plain error with the operation's name when the command itself was wrong.
 */
export function storeError(operation: string, error: unknown): Error {
  if (error instanceof StoreUnavailable) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof ErrorReply && FULL.test(message)) return new StoreFull(`${operation}: ${message.trim()}`, { cause: error })
  const wrong = error instanceof ErrorReply ? !PASSING.test(message) : error instanceof TypeError || error instanceof RangeError
  return wrong ? new Error(`${operation}: ${message}`, { cause: error }) : new StoreUnavailable(`${operation}: ${message}`, { cause: error })
}
