/** The dialects, and which route speaks which. */
import type { Metrics } from '../../../observe/metrics.js'
import type { Settings } from '../../../settings/table.js'
import type { Dialect } from '../dialect.js'
import type { Route } from '../routes.js'
import { TopicsDialect } from './topics.js'

export interface DialectDeps {
  settings: Settings
  metrics: Metrics
}

/** Undefined: the path knows no such dialect. */
export function createDialects(deps: DialectDeps): { get(route: Route): Dialect | undefined } {
  const topics = new TopicsDialect(deps)
  const byName: Readonly<Record<string, Dialect>> = { topics }
  return {
    get({ kind, dialect }) {
      if (dialect !== undefined) return Object.hasOwn(byName, dialect) ? byName[dialect] : undefined
      return kind === 'topics' ? topics : undefined
    },
  }
}
