/** How connections are ended: close codes and reasons. */
import type { Failure } from '@hubbub/protocol'
import type { Dialect } from './dialect.js'

const POLICY = 1008
const INTERNAL = 1011
const TRY_AGAIN_LATER = 1013
/** A close frame has room for 123, bytes. */
const LONGEST_REASON = 120

/** The close frame behind a failure that ends a connection. A client should stay away after 1008, and come back after the others. */
export function endingOf(dialect: Dialect, failure: Failure): { code: number; reason: string } {
  const { code, message, retryable } = failure
  const ending = dialect.ending?.(failure) ?? { code: code === 'INTERNAL_ERROR' ? INTERNAL : retryable ? TRY_AGAIN_LATER : POLICY, reason: message }
  return { code: ending.code, reason: shortened(ending.reason) }
}

/** Reasons may hold what a client sent: cut by bytes, never inside a character, for a longer one is thrown at whoever closes. */
export function shortened(reason: string): string {
  if (Buffer.byteLength(reason) <= LONGEST_REASON) return reason
  return Buffer.from(reason).subarray(0, LONGEST_REASON).toString('utf8').replace(/\uFFFD$/, '')
}
