/** Script replies arrive untyped; a reply of another shape than its script's head says is a fault of ours, said at once. */
import type { JournalEntry } from '../port.js'

export function listOf(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new TypeError(`script replied ${typeof reply}, not a list`)
  return reply
}

export function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (typeof reply === 'number') return String(reply)
  throw new TypeError(`script replied ${reply === null ? 'nothing' : typeof reply}, not a text`)
}

export function textsOf(reply: unknown): string[] {
  return listOf(reply).map(textOf)
}

/** Journal entries lie flat in a reply: id, event, previous, epoch, id, event, ... */
export function entriesOf(flat: readonly string[], from: number): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (let at = from; at + 3 < flat.length; at += 4) {
    entries.push({ offset: flat[at]!, event: flat[at + 1]!, previous: flat[at + 2]!, epoch: flat[at + 3]! })
  }
  return entries
}
