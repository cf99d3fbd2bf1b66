/** The OpenAPI document as a page for people: it loads nothing, runs nothing, and leads nowhere but to its own parts. */
import { CATALOGUE, dataName } from '@hubbub/protocol/catalogue'
import { FAILURES } from '@hubbub/protocol'
import { VERSION } from '../../../version.js'
import type { Endpoint, Example, Group } from '../endpoint.js'
import { pathOf, statusOf, type OpenApi, type Operation } from './document.js'
import { escaped, prose } from './html.js'
import type { Read } from './sample.js'
import { shapeText } from './shape-text.js'

export const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .75rem .2rem 0;vertical-align:top;border-top:1px solid #ddd;font-weight:400}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f6;padding:.6rem .8rem;border-radius:4px}i{color:#666}
details{border-top:1px solid #ddd;padding:.35rem 0}summary{cursor:pointer}summary b{display:inline-block;width:4.5rem}.access,.where{color:#555}a{color:#0b57b0}
@media (prefers-color-scheme:dark){body{color:#e6e6ea;background:#17171a}pre{background:#222227}td,th,details{border-color:#333}i,.access,.where{color:#aaa}a{color:#8ab8ff}}`

export function pageOf(groups: readonly Group[], document: OpenApi): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Hubbub: HTTP API</title><style>${STYLE}</style></head>
<body>
<h1>Hubbub ${escaped(VERSION)}</h1>
<p>Credentials go into <code>Authorization: Bearer TOKEN</code>. Answers are JSON: <code>{ "ok": true, ... }</code>, or
<code>{ "ok": false, "error": { "code", "message", "retryable", "details"? } }</code> with the status of the <a href="#failures">code</a>. Live events come over
Socket.IO at <code>/socket.io/</code>. For machines: <code>/api/openapi.json</code>, <code>/api/asyncapi.json</code>.</p>
<p>${groups.map(({ title }) => `<a href="#${anchor(title)}">${escaped(title)}</a>`).join(' · ')} · <a href="#types">Types of events</a> · <a href="#schemas">Schemas</a> · <a href="#failures">Failures</a></p>
${groups.map((group) => section(group, document)).join('\n')}
${types()}
${schemas(document)}
${failures()}
</body>
</html>
`
}

function anchor(text: string): string {
  return text.toLowerCase().replaceAll(/\W+/g, '-').replaceAll(/^-|-$/g, '')
}

function section(group: Group, document: OpenApi): string {
  const parts = group.endpoints.map((endpoint) => details(endpoint, document.paths[pathOf(endpoint)]![endpoint.method.toLowerCase()]!, group.open === true))
  return `<h2 id="${anchor(group.title)}">${escaped(group.title)}</h2>\n<p class="access">${escaped(group.access)}</p>\n${parts.join('\n')}`
}

function details(endpoint: Endpoint, operation: Operation, open: boolean): string {
  const { method, path, about, example } = endpoint
  return `<details id="${escaped(operation.operationId)}"><summary><b>${method}</b> <code>${escaped(path)}</code> ${prose(about)}</summary>
<p class="access">${prose(operation.description)}</p>
${parameters(operation)}${body(operation)}${answers(operation)}${example ? exampleText(endpoint, example, open) : ''}</details>`
}

function parameters({ parameters: all = [] }: Operation): string {
  if (all.length === 0) return ''
  const rows = all.map(({ name, in: place, required, schema, description }) =>
    `<tr><td><code>${escaped(name)}</code></td><td class="where">${place}${required ? ', required' : ''}</td><td><code>${shapeText(schema as Read)}</code></td><td>${prose(description)}</td></tr>`)
  return `<h4>Parameters</h4><table>${rows.join('')}</table>\n`
}

function body({ requestBody }: Operation): string {
  if (!requestBody) return ''
  return `<h4>Body${requestBody.required ? '' : ' (optional)'}</h4>${content(requestBody.content)}\n`
}

function content(of: Readonly<Record<string, { schema: object }>>): string {
  return Object.entries(of).map(([type, { schema }]) => `<p class="where"><code>${escaped(type)}</code></p><pre>${shapeText(schema as Read)}</pre>`).join('')
}

function answers({ responses }: Operation): string {
  const successes = Object.entries(responses).filter(([status]) => Number(status) < 400)
  const refusals = Object.entries(responses).filter(([status]) => Number(status) >= 400)
  const taken = successes.map(([status, { description, content: of = {} }]) => `<p><b>${status}</b> ${prose(description)}</p>${content(of)}`)
  const refused = refusals.map(([status, { description }]) => `<tr><td>${status}</td><td>${prose(description)}</td></tr>`)
  return `<h4>Answers</h4>${taken.join('')}${refused.length > 0 ? `<table>${refused.join('')}</table>` : ''}\n`
}

function exampleText(endpoint: Endpoint, example: Example, open: boolean): string {
  const { as, answer } = example
  const shown = answer === undefined ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2)
  const whose = as === undefined ? '' : `, with the token of ${as === 'agent' ? 'an agent' : 'an admin of all projects'}`
  return `<h4>Example${whose}</h4><pre>${escaped(curlOf(endpoint, example, open))}</pre><p><b>${statusOf(example, endpoint.answers)}</b></p>${shown === '' ? '' : `<pre>${escaped(shown)}</pre>`}`
}

/** A line for a shell: whatever the example holds stands in single quotes. */
export function curlOf({ method, path }: Endpoint, { path: places = {}, query = {}, headers = {}, body: sent }: Example, open: boolean): string {
  const where = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(places[name] ?? name))
  const asked = Object.entries(query).map(([name, value]) => `${name}=${value}`).join('&')
  const all = { ...(sent !== undefined && { 'Content-Type': 'application/json' }), ...headers }
  const given = Object.entries(all).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`)
  // Double quotes: the shell fills in the token.
  const credential = open ? '' : ` -H "Authorization: Bearer $HUBBUB_TOKEN"`
  const data = sent === undefined ? '' : ` -d ${quoted(JSON.stringify(sent))}`
  return `curl${method === 'GET' ? '' : ` -X ${method}`}${credential}${given.join('')}${data} ${quoted(`http://127.0.0.1:4000${where}${asked === '' ? '' : `?${asked}`}`)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`
}

function types(): string {
  const rows = CATALOGUE.map(({ type, about, topics, by }) =>
    `<tr><td><a href="#schema-${escaped(dataName(type))}"><code>${escaped(type)}</code></a></td><td>${prose(about)}${by === 'hub' ? ' By the hub only.' : ''}</td><td><code>${escaped(topics.join(', '))}</code></td></tr>`)
  return `<h2 id="types">Types of events</h2>\n<table>${rows.join('\n')}</table>`
}

function schemas({ components }: OpenApi): string {
  const each = Object.entries(components.schemas).map(([name, schema]) =>
    `<details id="schema-${escaped(name)}"><summary><code>${escaped(name)}</code> ${prose((schema as Read).description ?? '')}</summary><pre>${shapeText(schema as Read)}</pre></details>`)
  return `<h2 id="schemas">Schemas</h2>\n${each.join('\n')}`
}

function failures(): string {
  const rows = Object.entries(FAILURES).map(([code, { status, meaning, remedy, retryable }]) => `<tr><td><code>${code}</code></td><td>${status}</td><td>${prose(meaning)} ${prose(remedy)}${retryable ? ' May be tried again.' : ''}</td></tr>`)
  return `<h2 id="failures">Failures</h2>\n<table>${rows.join('\n')}</table>`
}
