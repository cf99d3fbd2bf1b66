/** `/`: the dashboard's files, as its package built them. Everybody may load them: they show nothing without a credential. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Router, type RequestHandler } from 'express'
import type { Settings } from '../../settings/table.js'
import { readDashboard } from './dashboard-files.js'

/** Its own scripts and styles alone, and this host's hub: text of events that became markup would still do nothing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = { 'Content-Security-Policy': POLICY, 'Cross-Origin-Opener-Policy': 'same-origin' }
const NOT_BUILT = 'The dashboard is not built here: `npm start` and `npm run build` build it. The hub itself is up; see /api/docs.\n'

export function createDashboard({ dashboard }: Pick<Settings, 'dashboard'>, folder = dashboardFolder()): Router {
  const router = Router()
  if (dashboard === 'off') return router
  const files = folder === undefined ? undefined : builtFiles(folder)
  if (!files) {
    router.get('/', (_request, response) => {
      response.status(404).type('text').send(NOT_BUILT)
    })
    return router
  }
  const serve: RequestHandler = (request, response, next) => {
    const file = ['GET', 'HEAD'].includes(request.method) ? files.get(request.path) : undefined
    if (!file) {
      next()
      return
    }
    const encoding = (['br', 'gzip'] as const).find((one) => file.packed[one] && request.acceptsEncodings(one))
    // Names under `assets/` carry a hash of their content; all others may be new with the next hub.
    response.set(HEADERS).set('Cache-Control', request.path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    response.set('ETag', file.etag).vary('Accept-Encoding').type(file.extension)
    if (encoding) response.set('Content-Encoding', encoding)
    response.send(encoding ? file.packed[encoding] : file.body)
  }
  router.get('/', serve)
  router.use(serve)
  return router
}

/** Undefined while somebody builds it anew. */
function builtFiles(folder: string): ReturnType<typeof readDashboard> | undefined {
  try {
    return readDashboard(folder)
  } catch {
    return undefined
  }
}

/** Undefined where the package is not there, or not built. */
export function dashboardFolder(): string | undefined {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve('@hubbub/dashboard/package.json')), 'dist')
    return existsSync(join(folder, 'index.html')) ? folder : undefined
  } catch {
    return undefined
  }
}
