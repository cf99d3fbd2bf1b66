/** What a committed batch says to the metrics. */
import { offsetMillis } from '@hubbub/protocol'
import type { Metrics } from '../observe/metrics.js'
import type { Draft } from './batch.js'
import type { Verdict } from './verdict.js'

export function measure(metrics: Metrics, { batch, duplicates }: Draft, verdicts: readonly Verdict[]): void {
  const now = Date.now()
  metrics.committed.inc(batch.appends.length)
  if (duplicates > 0) metrics.duplicates.inc(duplicates)
  for (const { dead } of batch.refusals) if (dead) metrics.deadLetters.inc({ code: dead.code })
  // The oldest entry stands for its batch: an observation each costs as much as reading the entry.
  const oldest = verdicts[0]
  if (oldest) metrics.commitLatency.observe(Math.max(0, now - offsetMillis(oldest.entry.id)) / 1000)
}
