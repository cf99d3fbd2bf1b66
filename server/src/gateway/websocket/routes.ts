/** Which dialect a path asks for. */
import type { IncomingMessage } from 'node:http'

export interface Route {
  kind: 'topics' | 'task' | 'project'
  /** Of the query: another format on the same path. */
  dialect?: string
  /** Of the path, decoded. */
  name?: string
}

/** Undefined: the path is none of the plain WebSockets'. */
export function routeOf({ url }: Pick<IncomingMessage, 'url'>): Route | undefined {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://hub')
  const dialect = searchParams.get('dialect') ?? undefined
  const asked = dialect === undefined ? {} : { dialect }
  if (pathname === '/ws' || pathname === '/ws/') return { kind: 'topics', ...asked }
  const task = /^\/ws\/tasks\/([^/]+)\/?$/.exec(pathname)
  const project = task ? undefined : /^\/ws\/([^/]+)\/?$/.exec(pathname)
  const part = task?.[1] ?? project?.[1]
  const name = part === undefined ? undefined : decoded(part)
  return name === undefined ? undefined : { kind: task ? 'task' : 'project', name, ...asked }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
