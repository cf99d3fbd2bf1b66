/** The dialects, and which route speaks which. */
import type { Dialect, DialectDeps } from '../dialect.js'
import type { Route } from '../routes.js'
import { AutosdlcDialect } from './autosdlc.js'
import { McpDialect } from './mcp.js'
import { ProjectDialect } from './project.js'
import { TaskDialect } from './task.js'
import { TopicsDialect } from './topics.js'

/** Undefined: the path knows no such dialect. */
export function createDialects(deps: DialectDeps): { get(route: Route): Dialect | undefined } {
  const byPath: Readonly<Record<Route['kind'], Dialect>> = { topics: new TopicsDialect(deps), task: new TaskDialect(deps), project: new ProjectDialect(deps) }
  /** By `?dialect=`, on `/ws` only. */
  const byName: Readonly<Record<string, Dialect>> = { topics: byPath.topics, autosdlc: new AutosdlcDialect(deps), mcp: new McpDialect(deps) }
  return {
    get({ kind, dialect }) {
      if (dialect === undefined) return byPath[kind]
      return kind === 'topics' && Object.hasOwn(byName, dialect) ? byName[dialect] : undefined
    },
  }
}
