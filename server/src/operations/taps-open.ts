/** Whoever watches single events: spans where an endpoint is set, debug taps while one is on. In every process alike. */
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import { Tap } from '../observe/tap.js'
import { openTracing } from '../observe/tracing-open.js'
import { Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import type { Roster } from '../store/port.js'
import { VERSION } from '../version.js'
import { TapDesk } from './taps.js'

export interface Watching {
  readonly witness: Witness
  readonly taps: TapDesk
  /** Spans that wait are handed over, for at most so many ms. */
  close(ms: number): Promise<void>
}

export async function openWatching(deps: { roster: Pick<Roster, 'update' | 'list'>; node: string; settings: Settings; metrics: Metrics; log: Logger }): Promise<Watching> {
  const { roster, node, settings, metrics, log } = deps
  const tap = new Tap(settings.tapLines, metrics, log)
  const tracing = await openTracing(settings, { node, role: settings.role, version: VERSION }, metrics, log)
  const taps = new TapDesk({ roster, tap, settings, log })
  taps.start()
  return {
    witness: new Witness(tap, tracing),
    taps,
    async close(ms) {
      await Promise.all([taps.close(), tracing?.close(ms)])
    },
  }
}
