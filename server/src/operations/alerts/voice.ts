/**
 * The hub's own voice: `system.alert` and `system.notification`, to the project of HUBBUB_SYSTEM_PROJECT, topic `system`. They go in as a
 * webhook's delivery does: the id is marked as used in the step that appends, so that what several processes tell, or one tells again
 * because an answer was lost, stands there once; and no processor need be up for it. Of other projects they say nothing but counts (I6).
 */
import type { EventInput } from '@hubbub/protocol'
import type { Logger } from '../../observe/log.js'
import type { Settings } from '../../settings/table.js'

export interface VoiceDeps {
  /** What it needs of intake. */
  intake: { deliver(project: string, source: string, input: EventInput, once: { key: string; ttlMs: number }): Promise<unknown> }
  settings: Pick<Settings, 'systemProject'>
  log: Logger
}

export const HUB_SOURCE = '/hub'
/** As HUBBUB_SYSTEM_PROJECT: the hub does not speak. */
export const NOWHERE = 'none'
/** Nobody tells the same so much later; ms. */
const ONCE_MS = 3_600_000
const MOST_ID = 128

export class Voice {
  constructor(private readonly deps: VoiceDeps) {}

  /** Resolves with true when it stands in its source stream (or nobody wants to hear it), with false when it could not be told now. */
  async tell(id: string, type: 'system.alert' | 'system.notification', data: Record<string, unknown>): Promise<boolean> {
    const { intake, settings, log } = this.deps
    if (settings.systemProject === NOWHERE) return true
    const cut = id.slice(0, MOST_ID)
    try {
      await intake.deliver(settings.systemProject, HUB_SOURCE, { id: cut, type, timestamp: Date.now(), data: given(data) }, { key: `hub:${cut}`, ttlMs: ONCE_MS })
      return true
    } catch (error) {
      log.warn({ err: error, id: cut, type }, 'the hub could not tell of itself; it will be tried again')
      return false
    }
  }
}

/** Without fields that have no value: a validator would take them for wrong ones. */
function given(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
}
