import type { Settings } from '../settings/table.js'
import type { Logger } from './log.js'
import type { Metrics } from './metrics.js'
import { isTracing, Tracing } from './tracing.js'

/** Undefined where no endpoint is set: then nothing of OpenTelemetry is loaded. Does not reject for want of a receiver. */
export async function openTracing(settings: Settings, process: { node: string; role: string; version: string }, metrics: Pick<Metrics, 'spans'>, log: Logger): Promise<Tracing | undefined> {
  if (!isTracing(settings)) return undefined
  const { openSpanSink } = await import('./tracing-sdk.js')
  return new Tracing(openSpanSink(settings, process, metrics, log))
}
