/** Which dialect a path asks for. */
import type { IncomingMessage } from 'node:http'

export interface Route {
  kind: 'topics' | 'task' | 'project'
  /** Of the query: another format on the same path. */
  dialect?: string
  /** Of the path, decoded. */
  name?: string
}

/** Undefined: the path is none of the plain WebSockets'. Never throws: a client may send anything as its target (`//`). */
export function routeOf({ url = '/' }: Pick<IncomingMessage, 'url'>, base: string): Route | undefined {
  if (base === 'none' || !URL.canParse(url, 'http://hub')) return undefined
  const { pathname: path, searchParams } = new URL(url, 'http://hub')
  if (path !== base && !path.startsWith(`${base}/`)) return undefined
  const pathname = path.slice(base.length)
  const dialect = searchParams.get('dialect') ?? undefined
  const asked = dialect === undefined ? {} : { dialect }
  if (pathname === '' || pathname === '/') return { kind: 'topics', ...asked }
  const task = /^\/tasks\/([^/]+)\/?$/.exec(pathname)
  const project = task ? undefined : /^\/([^/]+)\/?$/.exec(pathname)
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
