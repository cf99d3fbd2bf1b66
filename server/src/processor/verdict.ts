/** What decoding made of a source entry: an event that may be committed, or a refusal with its reason (I5). */
import { isFolded, type HubError, type HubEvent } from '@hubbub/protocol'
import { refusalOutcome } from '../store/outcome.js'
import { topicKey, type JournalAppend, type Refusal, type SourceEntry } from '../store/port.js'

export interface Accepted {
  entry: SourceEntry
  /** Dedupe key, `seenKey`. */
  seen: string
  event: HubEvent
  /** As it goes to the journal, unless the fold makes more of it. Made with the verdict, while the store is busy with the batch before. */
  append: JournalAppend
  /** Worker that waits for the answer. */
  replyTo?: string
  /** That took it in, as far as anybody vouches. */
  worker?: string
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

export function accept(entry: SourceEntry, seen: string, event: HubEvent, replyTo?: string, worker = replyTo): Accepted {
  const append: JournalAppend = isFolded(event.type)
    ? { seen, event: '', topics: [] }
    : { seen, event: JSON.stringify(event), topics: event.topics.map((topic) => topicKey(event.project, topic)) }
  if (replyTo === undefined) return { entry, seen, event, append, worker }
  append.replyTo = replyTo
  return { entry, seen, event, append, replyTo, worker }
}

/**
 * A rule forbids it as things stand. Whoever waits for the answer gets it; where nobody does, the dead letters keep it, for
 * otherwise nothing would tell of it.
 */
export function refuseByRule(entry: SourceEntry, error: HubError, seen: string, replyTo: string | undefined): Refused {
  const refused = refuse(entry, error, replyTo === undefined ? { seen } : { seen, replyTo })
  if (replyTo !== undefined) delete refused.refusal.dead
  return refused
}

/** The entry goes to the dead-letter stream, whoever wrote it: what fails here had passed no gateway, or a broken one. */
export function refuse(entry: SourceEntry, error: HubError, waiting: { seen?: string; replyTo?: string } = {}): Refused {
  const reason = error.details ? `${error.message} ${JSON.stringify(error.details)}` : error.message
  const message = reason.slice(0, MAX_REASON)
  const refusal: Refusal = {
    outcome: refusalOutcome(error.code, error.message.slice(0, MAX_REASON), error.details),
    dead: { stream: entry.stream, id: entry.id, code: error.code, message, fields: entry.fields },
  }
  if (waiting.replyTo !== undefined) refusal.replyTo = waiting.replyTo
  return waiting.seen === undefined ? { entry, refusal } : { entry, seen: waiting.seen, refusal }
}
