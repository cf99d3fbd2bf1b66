/** How long to wait behind a failed attempt, and when to give up. Pure: `delivery.ts` acts on it. */
import type { Settings } from '../../settings/table.js'
import type { SinkFailure } from '../../store/port.js'

export type BackoffSettings = Pick<Settings, 'sinkTries' | 'sinkGiveUpMs' | 'sinkRetryMs' | 'sinkRetryMostMs'>

/** The failure as it stands behind one more attempt. */
export function failedAgain(before: SinkFailure | undefined, event: string, message: string, now: number): SinkFailure {
  const same = before?.event === event ? before : undefined
  return { event, attempts: (same?.attempts ?? 0) + 1, since: same?.since ?? now, at: now, message }
}

/** A reason, in words; undefined: go on. */
export function givenUp({ attempts, since, at, message }: SinkFailure, settings: BackoffSettings): string | undefined {
  if (attempts >= settings.sinkTries) return `${attempts} attempts to deliver one event failed. ${message}`
  if (at - since >= settings.sinkGiveUpMs) return `One event could not be delivered for ${at - since} ms. ${message}`
  return undefined
}

/**
 * ms: doubled with each attempt, and less a random part, or all sinks of a receiver that comes back would find it at once. The last
 * attempt falls on the time of giving up. What the receiver asked for counts before all of it.
 */
export function waitBehind({ attempts, since, at }: SinkFailure, settings: BackoffSettings, retryAfterMs = 0, random = Math.random()): number {
  const { sinkRetryMs, sinkRetryMostMs, sinkGiveUpMs } = settings
  const whole = Math.min(sinkRetryMs * 2 ** Math.min(attempts - 1, 30), Math.max(sinkRetryMs, sinkRetryMostMs))
  const own = Math.min(whole * (1 - random / 2), Math.max(1, since + sinkGiveUpMs - at))
  return Math.max(own, retryAfterMs)
}
