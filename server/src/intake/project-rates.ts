/**
 * Events a project may have published on this worker: `HUBBUB_PROJECT_RATE` for each, `HUBBUB_PROJECT_RATES` for those named there,
 * bursts of twice that. One project's flood would otherwise stand in the source streams in front of whoever shares its partition.
 */
import { HubError } from '@hubbub/protocol'
import { createBuckets, type Buckets } from '../access/rate.js'
import type { Settings } from '../settings/table.js'

export interface ProjectRates {
  /** Of an event that would be written now: one that is refused for its own sake costs its project nothing. Throws RATE_LIMITED. */
  take(project: string): void
  /**
   * Of what the hub says for somebody (tasks, registrations, connections): it is never refused, for half of what was done would then be
   * told; what is published next pays for it.
   */
  charge(project: string): void
}

export function createProjectRates(settings: Pick<Settings, 'projectRate' | 'projectRates'>): ProjectRates {
  const named = new Map(parts(settings.projectRates).map(([project, rate]) => [project, bucketsOf(rate, 'HUBBUB_PROJECT_RATES')]))
  const general = bucketsOf(settings.projectRate, 'HUBBUB_PROJECT_RATE')
  // A map: a project may be called `constructor`.
  const limitOf = (project: string): Limit | undefined => (named.has(project) ? named.get(project) : general)
  return {
    take(project) {
      const limit = limitOf(project)
      const retryAfterMs = limit?.buckets.take(project) ?? 0
      if (!limit || retryAfterMs === 0) return
      const { rate, setting } = limit
      throw new HubError('RATE_LIMITED', 'Too many events of the project.', { scope: 'project', project, retryAfterMs, limit: rate, unit: 'events/s', setting })
    },
    charge(project) {
      limitOf(project)?.buckets.charge(project)
    },
  }
}

interface Limit {
  rate: number
  setting: string
  buckets: Buckets
}

/** Undefined: no limit. */
function bucketsOf(rate: number, setting: string): Limit | undefined {
  return rate === 0 ? undefined : { rate, setting, buckets: createBuckets(rate, 2 * rate) }
}

function parts(text: string): [project: string, rate: number][] {
  return text === '' ? [] : text.split(',').map((part) => [part.slice(0, part.indexOf('=')), Number(part.slice(part.indexOf('=') + 1))])
}
