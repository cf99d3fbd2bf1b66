/** `GET /docs`: the table of endpoints as a page that loads nothing and runs nothing. Open to everybody: it tells of no project. */
import { createHash } from 'node:crypto'
import { Router } from 'express'
import { VERSION } from '../../version.js'
import { ENDPOINTS, type Endpoint, type Group } from './endpoints.js'

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
table{border-collapse:collapse;width:100%}td{padding:.25rem .75rem .25rem 0;vertical-align:top;border-top:1px solid #ddd}
td:first-child{width:5rem;font-weight:600}code{font:14px ui-monospace,monospace}.access{color:#555;margin-top:-.5rem}
@media (prefers-color-scheme:dark){body{color:#e6e6ea;background:#17171a}td{border-color:#333}.access{color:#aaa}}`

/** The one style is named by its hash: nothing else of the page may be anything but text. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Hubbub: HTTP endpoints</title><style>${STYLE}</style></head>
<body>
<h1>Hubbub ${escaped(VERSION)}</h1>
<p>Credentials go into <code>Authorization: Bearer TOKEN</code>. Answers are JSON: <code>{ "ok": true, ... }</code>, or
<code>{ "ok": false, "error": { "code", "message", "retryable", "details"? } }</code> with the status of the code. Live events come over
Socket.IO at <code>/socket.io/</code>.</p>
${ENDPOINTS.map(section).join('\n')}
</body>
</html>
`

export function createDocs(): Router {
  const router = Router()
  router.get('/docs', (_request, response) => {
    response.set({ 'Content-Security-Policy': POLICY, 'Referrer-Policy': 'no-referrer' }).type('html').send(PAGE)
  })
  return router
}

function section({ title, access, endpoints }: Group): string {
  return `<h2>${escaped(title)}</h2>\n<p class="access">${escaped(access)}</p>\n<table>\n${endpoints.map(line).join('\n')}\n</table>`
}

function line({ method, path, about }: Endpoint): string {
  return `<tr><td>${method}</td><td><code>${escaped(path)}</code></td><td>${escaped(about)}</td></tr>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
