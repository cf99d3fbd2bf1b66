/**
 * What became of a source entry, as one line of text: remembered under its `seenKey` and hinted to whoever waits (I4).
 *
 * - `OFFSET`          committed there
 * - `=OFFSET`         had been committed there before; only in hints, where the processor repeats what it found
 * - `!CODE message`   refused
 */
import { HubError, isFailureCode, isOffset, type FailureCode, type Offset } from '@hubbub/protocol'

export type Outcome = { offset: Offset; repeated: boolean } | { failure: HubError }

/** One line: several outcomes travel in one hint, a line each. */
export function refusalOutcome(code: FailureCode, message: string): string {
  return `!${code} ${message.replace(/\s+/g, ' ')}`
}

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
    if (isFailureCode(code)) return { failure: new HubError(code, space < 0 ? undefined : text.slice(space + 1)) }
  }
  const repeated = text.startsWith('=')
  const offset = repeated ? text.slice(1) : text
  return isOffset(offset) ? { offset, repeated } : { failure: new HubError('INTERNAL_ERROR', 'The event\'s outcome is not readable.') }
}
