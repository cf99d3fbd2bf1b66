/** What decoding made of a source entry: an event that may be committed, or a refusal with its reason (I5). */
import { HubError, type HubEvent } from '@hubbub/protocol'
import { refusalOutcome } from '../store/outcome.js'
import type { Refusal, SourceEntry } from '../store/port.js'

export interface Accepted {
  entry: SourceEntry
  /** Dedupe key, `seenKey`. */
  seen: string
  event: HubEvent
  /** Worker that waits for the outcome. */
  replyTo?: string
}

export interface Refused {
  entry: SourceEntry
  /** Absent when the entry has no id that could be asked for. */
  seen?: string
  refusal: Refusal
}

export type Verdict = Accepted | Refused

/** Longest reason in a dead letter, in characters; details name fields, and a producer chooses those. */
const MAX_REASON = 500

/** The entry goes to the dead-letter stream, whoever wrote it: what fails here had passed no gateway, or a broken one. */
export function refuse(entry: SourceEntry, error: HubError, waiting: { seen?: string; replyTo?: string } = {}): Refused {
  const reason = error.details ? `${error.message} ${JSON.stringify(error.details)}` : error.message
  const message = reason.slice(0, MAX_REASON)
  const refusal: Refusal = {
    outcome: refusalOutcome(error.code, message),
    dead: { stream: entry.stream, id: entry.id, code: error.code, message, fields: entry.fields },
  }
  if (waiting.replyTo !== undefined) refusal.replyTo = waiting.replyTo
  return waiting.seen === undefined ? { entry, refusal } : { entry, seen: waiting.seen, refusal }
}
