/**
 * What became of a source entry, as one line of text: remembered under its `seenKey` and hinted to whoever waits (I4).
 *
 * - `OFFSET`          committed there
 * - `=OFFSET`         had been committed there before; only in hints, where the processor repeats what it found
 * - `!CODE message`   refused; details follow behind a tab, as JSON
 */
import { HubError, isFailureCode, isOffset, type FailureCode, type Offset } from '@hubbub/protocol'

export type Outcome = { offset: Offset; repeated: boolean } | { failure: HubError }

/** One line: several outcomes travel in one hint, a line each. */
export function refusalOutcome(code: FailureCode, message: string, details?: Record<string, unknown>): string {
  const line = `!${code} ${message.replace(/\s+/g, ' ')}`
  const more = details === undefined ? '' : JSON.stringify(details)
  return more === '' || more.length > MOST_DETAILS ? line : `${line}\t${more}`
}

/** Characters; every waiting refusal is kept as long as an event's key. */
const MOST_DETAILS = 2000

/** A remembered outcome as it is hinted to somebody who sent the same event again. */
export function repeatedOutcome(remembered: string): string {
  return remembered.startsWith('!') ? remembered : `=${remembered}`
}

export function isRefusal(outcome: string): boolean {
  return outcome.startsWith('!')
}

/** A text of neither form, by a newer or broken processor, is a failure: an ack is never made up (I4). */
export function readOutcome(text: string): Outcome {
  if (isRefusal(text)) {
    const space = text.indexOf(' ')
    const code = text.slice(1, space < 0 ? undefined : space)
    const [message, details] = space < 0 ? [] : text.slice(space + 1).split('\t', 2)
    if (isFailureCode(code)) return { failure: new HubError(code, message, readDetails(details)) }
  }
  const repeated = text.startsWith('=')
  const offset = repeated ? text.slice(1) : text
  return isOffset(offset) ? { offset, repeated } : { failure: new HubError('INTERNAL_ERROR', 'The event\'s outcome is not readable.') }
}

function readDetails(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined
  try {
    const details: unknown = JSON.parse(text)
    return typeof details === 'object' && details !== null ? (details as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
