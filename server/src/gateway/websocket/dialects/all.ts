/** The dialects, and which route speaks which. */
import type { Dialect, DialectDeps } from '../dialect.js'
import type { Route } from '../routes.js'
import { TopicsDialect } from './topics.js'

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
