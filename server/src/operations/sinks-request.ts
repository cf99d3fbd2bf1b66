/** `POST /api/v1/sinks` as it came off the wire: checked, defaults filled in, and nothing else in it. Topics and the URL are checked apart. */
import { randomBytes } from 'node:crypto'
import { HubError } from '@hubbub/protocol'
import type { SinkRecord } from '../store/port.js'

export const SINK_FORMATS = ['hubbub', 'cloudevents', 'slack', 'discord'] as const

export type SinkSpec = Pick<SinkRecord, 'id' | 'format' | 'template' | 'headers' | 'secret'>

const FIELDS = new Set(['id', 'url', 'topics', 'types', 'filter', 'secret', 'format', 'template', 'since', 'headers'])
const ID = /^[A-Za-z0-9._-]{1,64}$/
/** Of the signing key, as Standard Webhooks bids; bytes. */
const KEY_BYTES = { least: 24, most: 64, made: 32 }
const LONGEST_TEMPLATE = 1000
const HEADERS = { most: 10, longest: 1024 }
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/
const HEADER_VALUE = /^[\t\u0020-\u007e]*$/
/** Of the connection, of the message, or ours: nobody else may set them. */
const OURS = /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|expect|content-.*|idempotency-key|hubbub-.*|webhook-.*|traceparent|tracestate)$/i

/** Throws INVALID_MESSAGE; `details.path` names the field. */
export function readSink(input: unknown): { spec: SinkSpec; input: Record<string, unknown> } {
  if (!isRecord(input)) throw new HubError('INVALID_MESSAGE', 'The body must be a JSON object.')
  // A misspelt `types` would send everything.
  const strange = Object.keys(input).find((field) => !FIELDS.has(field))
  if (strange !== undefined) throw wrong(strange, `is no field of a sink; there are ${[...FIELDS].join(', ')}`)
  const format = formatOf(input['format'])
  const template = templateOf(input['template'], format)
  const headers = headersOf(input['headers'])
  const spec: SinkSpec = { id: idOf(input['id']), format, secret: secretOf(input['secret']), ...(template !== undefined && { template }), ...(headers && { headers }) }
  return { spec, input }
}

function idOf(id: unknown): string {
  if (id === undefined) return `snk_${randomBytes(9).toString('hex')}`
  if (typeof id === 'string' && ID.test(id) && id !== '.' && id !== '..') return id
  throw wrong('id', 'must be 1 to 64 letters, digits, . _ -')
}

function formatOf(format: unknown = 'hubbub'): SinkRecord['format'] {
  const known = SINK_FORMATS.find((one) => one === format)
  if (!known) throw wrong('format', `must be one of ${SINK_FORMATS.join(', ')}`)
  return known
}

function templateOf(template: unknown, format: SinkRecord['format']): string | undefined {
  if (template === undefined) return undefined
  if (format !== 'slack' && format !== 'discord') throw wrong('template', 'goes with the formats slack and discord only')
  if (typeof template === 'string' && template.trim() !== '' && template.length <= LONGEST_TEMPLATE) return template
  throw wrong('template', `must be a text of 1 to ${LONGEST_TEMPLATE} characters`)
}

function secretOf(secret: unknown): string {
  if (secret === undefined) return `whsec_${randomBytes(KEY_BYTES.made).toString('base64')}`
  if (typeof secret === 'string' && /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) {
    const key = Buffer.from(secret.slice(6), 'base64')
    if (key.length >= KEY_BYTES.least && key.length <= KEY_BYTES.most && key.toString('base64') === secret.slice(6)) return secret
  }
  throw wrong('secret', `must be whsec_ and the base64 of ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes`)
}

function headersOf(headers: unknown): Record<string, string> | undefined {
  if (headers === undefined) return undefined
  if (!isRecord(headers) || Object.keys(headers).length > HEADERS.most) throw wrong('headers', `must be an object of at most ${HEADERS.most} headers`)
  const seen = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || OURS.test(name) || seen.has(name.toLowerCase())) throw wrong(`headers.${name.slice(0, 64)}`, 'is a header that cannot be set')
    if (typeof value !== 'string' || value.length > HEADERS.longest || !HEADER_VALUE.test(value)) throw wrong(`headers.${name}`, `must be at most ${HEADERS.longest} characters of ASCII`)
    seen.set(name.toLowerCase(), value)
  }
  return seen.size > 0 ? Object.fromEntries(seen) : undefined
}

function wrong(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `\`${path}\` ${problem}.`, { path, problem })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
