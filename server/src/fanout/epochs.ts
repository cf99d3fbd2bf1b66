/**
 * Cursors against epochs (I2). An epoch is a period in which one chain of commits grew; a cursor of an unknown epoch,
 * or one beyond the point where the next epoch began, saw events that the store has since lost.
 */
import { formatCursor, isAfter, laterOf, ORIGIN, type Cursor, type Gap, type Offset } from '@hubbub/protocol'
import type { Epoch, JournalHead } from '../store/port.js'

export interface Resumption {
  /** Read on behind this offset. */
  after: Offset
  /** Present when something between the cursor and `after` cannot be had. */
  gap?: Gap
}

/** Where a reader that holds the cursor goes on. Pure: the journal's head decides. */
export function resume(cursor: { epoch: string; offset: Offset }, head: Pick<JournalHead, 'floor' | 'epochs'>): Resumption {
  const from = formatCursor(cursor.epoch, cursor.offset)
  const at = head.epochs.findIndex((epoch) => epoch.nonce === cursor.epoch)
  if (at < 0) return gapTo(head.floor, from, 'epoch', head.epochs)
  const next = head.epochs[at + 1]
  if (next && isAfter(cursor.offset, next.start)) return gapTo(laterOf(next.start, head.floor), from, 'epoch', head.epochs)
  if (isAfter(head.floor, cursor.offset)) return gapTo(head.floor, from, 'trimmed', head.epochs)
  return { after: cursor.offset }
}

/** The cursor for an offset that stands in the journal: its epoch is the last one that began at or before it. */
export function cursorAt(offset: Offset, epochs: readonly Epoch[]): Cursor {
  let nonce = epochs[0]?.nonce ?? '0'
  for (const epoch of epochs) {
    if (epoch.start !== ORIGIN && isAfter(epoch.start, offset)) break
    nonce = epoch.nonce
  }
  return formatCursor(nonce, offset)
}

function gapTo(after: Offset, from: Cursor, reason: Gap['reason'], epochs: readonly Epoch[]): Resumption {
  return { after, gap: { from, to: cursorAt(after, epochs), reason } }
}
