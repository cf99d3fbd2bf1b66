/** Limits that several wires share. */
import type { Settings } from '../settings/table.js'

/** A message may carry a batch; whatever is larger than this closes the connection, bytes. */
export const messageLimit = (settings: Settings): number => Math.max(2 * settings.maxSnapshotBytes, 2_000_000)
