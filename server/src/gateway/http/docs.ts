/** `GET /api/docs`, `/api/openapi.json`, `/api/asyncapi.json`: the HTTP API and the messages. Open to everybody: they tell of no project. */
import { createHash } from 'node:crypto'
import { Router } from 'express'
import { asyncApi } from './asyncapi/document.js'
import { ENDPOINTS } from './endpoints.js'
import { openApi } from './openapi/document.js'
import { pageOf, STYLE } from './openapi/page.js'

/** The one style is named by its hash: nothing else of the page may be anything but text. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Made when first asked for, and kept: a process that nobody asks makes none. */
const kept = (make: () => string) => {
  let text: string | undefined
  return () => (text ??= make())
}
const OPENAPI = kept(() => JSON.stringify(openApi()))
const ASYNCAPI = kept(() => JSON.stringify(asyncApi()))
const PAGE = kept(() => pageOf(ENDPOINTS, openApi()))

export function createDocs(): Router {
  const router = Router()
  // Anybody's tool may read them from any page: they are the same for everybody.
  const open = { 'Access-Control-Allow-Origin': '*' }
  router.get('/api/openapi.json', (_request, response) => {
    response.set(open).type('json').send(OPENAPI())
  })
  router.get('/api/asyncapi.json', (_request, response) => {
    response.set(open).type('json').send(ASYNCAPI())
  })
  router.get('/api/docs', (_request, response) => {
    response.set('Content-Security-Policy', POLICY).type('html').send(PAGE())
  })
  router.get('/docs', (_request, response) => {
    response.redirect(308, '/api/docs')
  })
  return router
}
