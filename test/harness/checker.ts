/**
 * Judges what a subscriber received against the invariants: order (I1), no gap (I2), once. It knows nothing of how the
 * events travelled; offsets are compared as offsets, sequences for each producer apart.
 */
import { compareOffsets, parseCursor, type HubEvent } from '@hubbub/protocol'

export interface Receipt {
  id: string
  /** Journal offset, or the cursor it came with. */
  offset: string
  producer?: string
  /** Number that the producer gave it, rising by any step. */
  seq?: number
}

/** Receipt of an event whose `data` says `producer` and `seq`, as `numbered` makes them. */
export function receiptOf(event: HubEvent, cursor: string): Receipt {
  const { producer, seq } = event.data as { producer?: unknown; seq?: unknown }
  return { id: event.id, offset: cursor, producer: typeof producer === 'string' ? producer : event.metadata.source, seq: typeof seq === 'number' ? seq : undefined }
}

/** `count` ids of a producer, `coder-1:0` onwards: what `problems` expects and what the test publishes. */
export function numbered(producer: string, count: number, from = 0): { id: string; producer: string; seq: number }[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${producer}:${from + index}`, producer, seq: from + index }))
}

/**
 * One line for each fault, empty when all is well. `expected` are the ids that must have come, in any order;
 * `more: true` allows others besides.
 */
export function problems(receipts: readonly Receipt[], expected: Iterable<string>, { more = false } = {}): string[] {
  const wanted = new Set(expected)
  const counts = new Map<string, number>()
  for (const { id } of receipts) counts.set(id, (counts.get(id) ?? 0) + 1)
  const missing = [...wanted].filter((id) => !counts.has(id))
  const twice = [...counts].filter(([, count]) => count > 1).map(([id, count]) => `${id} (${count} times)`)
  const strange = more ? [] : [...counts.keys()].filter((id) => !wanted.has(id))
  return [
    ...told(`missing of ${wanted.size}`, missing),
    ...told(`received more than once of ${receipts.length}`, twice),
    ...told('never expected', strange),
    ...told('out of journal order', outOfOrder(receipts)),
    ...told('out of their producer\'s order', outOfSequence(receipts)),
  ]
}

/** Same events, same order, same offsets. */
export function sameSequence(a: readonly Receipt[], b: readonly Receipt[]): boolean {
  return firstDifference(a, b) === undefined
}

/** Where two subscribers' sequences part, in words; undefined when they do not. */
export function firstDifference(a: readonly Receipt[], b: readonly Receipt[]): string | undefined {
  const name = (receipt: Receipt | undefined) => (receipt ? `${receipt.id} at ${place(receipt)}` : 'nothing')
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]]
    if (left?.id !== right?.id || (left && right && place(left) !== place(right))) return `number ${index}: ${name(left)} here, ${name(right)} there`
  }
  return undefined
}

function outOfOrder(receipts: readonly Receipt[]): string[] {
  const found: string[] = []
  for (const [index, receipt] of receipts.entries()) {
    const before = receipts[index - 1]
    if (before && compareOffsets(place(before), place(receipt)) >= 0) found.push(`${receipt.id} at ${place(receipt)} after ${before.id} at ${place(before)}`)
  }
  return found
}

function outOfSequence(receipts: readonly Receipt[]): string[] {
  const last = new Map<string, Receipt>()
  const found: string[] = []
  for (const receipt of receipts) {
    if (receipt.seq === undefined) continue
    const before = last.get(receipt.producer ?? '')
    if (before && before.seq! >= receipt.seq) found.push(`${receipt.producer} ${receipt.seq} after ${before.seq}`)
    last.set(receipt.producer ?? '', receipt)
  }
  return found
}

function place(receipt: Receipt): string {
  return parseCursor(receipt.offset)?.offset ?? receipt.offset
}

/** The first ten of them: enough to see the pattern in a test's report. */
function told(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return []
  return [`${which.length} ${what}: ${which.slice(0, 10).join(', ')}${which.length > 10 ? ', ...' : ''}`]
}
