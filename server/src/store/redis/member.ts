import type { Offset } from '@hubbub/protocol'

/** An offset as a member of a topic index: padded, so that the order of texts is the order of the journal. */
export function memberOf(offset: Offset): string {
  const dash = offset.indexOf('-')
  const seq = Math.min(Number(offset.slice(dash + 1)), 99_999_999)
  return `${offset.slice(0, dash).padStart(16, '0')}-${String(seq).padStart(8, '0')}`
}
