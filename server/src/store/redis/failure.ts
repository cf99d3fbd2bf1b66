import { ErrorReply } from 'redis'
import { StoreUnavailable } from '../port.js'

/** Replies with which Redis refuses for want of resources or role: the same command may succeed later. */
const PASSING = /^(-?)(OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|NOREPLICAS|UNBLOCKED|ERR max number of clients|ERR .*\bOOM command not allowed)\b/

/**
 * What a caller sees of a failed command: `StoreUnavailable` when the connection or Redis's resources failed,
 * a plain error with the operation's name when the command itself was wrong.
 */
export function storeError(operation: string, error: unknown): Error {
  if (error instanceof StoreUnavailable) return error
  const message = error instanceof Error ? error.message : String(error)
  const wrong = error instanceof ErrorReply ? !PASSING.test(message) : error instanceof TypeError || error instanceof RangeError
  return wrong ? new Error(`${operation}: ${message}`, { cause: error }) : new StoreUnavailable(`${operation}: ${message}`, { cause: error })
}
