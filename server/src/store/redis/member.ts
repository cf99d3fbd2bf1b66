import type { Offset } from '@hubbub/protocol'

const SEQ_MAX = 99_999_999

/** An offset as a member of a topic index: padded, so that the order of texts is the order of the journal. */
export function memberOf(offset: Offset): string {
  const dash = offset.indexOf('-')
  const seq = Math.min(Number(offset.slice(dash + 1)), SEQ_MAX)
  return format(offset.slice(0, dash), seq)
}

/** The greatest member before this one. */
export function memberBefore(member: string): string {
  const seq = Number(member.slice(17))
  return seq > 0 ? format(member.slice(0, 16), seq - 1) : format(String(Number(member.slice(0, 16)) - 1), SEQ_MAX)
}

function format(ms: string, seq: number): string {
  return `${ms.padStart(16, '0')}-${String(seq).padStart(8, '0')}`
}
