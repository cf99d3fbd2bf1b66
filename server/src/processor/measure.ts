/** What a committed batch says to the metrics, and to whoever watches single events. */
import { offsetMillis, type Offset } from '@hubbub/protocol'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Draft } from './batch.js'
import type { Verdict } from './verdict.js'

export function measure({ metrics, witness }: { metrics: Metrics; witness?: Witness }, partition: number, { batch, duplicates }: Draft, verdicts: readonly Verdict[], offsets: readonly Offset[]): void {
  const now = Date.now()
  metrics.committed.inc(batch.appends.length)
  if (duplicates > 0) metrics.duplicates.inc(duplicates)
  for (const { dead } of batch.refusals) if (dead) metrics.deadLetters.inc({ code: dead.code })
  // The oldest entry stands for its batch: an observation each costs as much as reading the entry.
  const oldest = verdicts[0]
  if (oldest) metrics.commitLatency.observe(Math.max(0, now - offsetMillis(oldest.entry.id)) / 1000)
  if (witness?.isOn) witness.committed(partition, batch, offsets)
}
