/** The table of endpoints as an OpenAPI 3.1 document. Its schemas are those that validate; it says nothing that the table does not. */
import { FAILURES, type FailureCode } from '@hubbub/protocol'
import { CATALOGUE, dataName, named, NAMED_SHAPES } from '@hubbub/protocol/catalogue'
import { VERSION } from '../../../version.js'
import type { Answered, Endpoint, Example, Group, Parameter, Schema } from '../endpoint.js'
import { JSON_TYPE } from '../endpoint.js'
import { ENDPOINTS } from '../endpoints.js'
import { sample, type Read } from './sample.js'

/** What any request with a credential may meet. */
const COMMON: readonly FailureCode[] = [
  'AUTH_MISSING_TOKEN', 'AUTH_INVALID_FORMAT', 'AUTH_TOKEN_EXPIRED', 'AUTH_INVALID_TOKEN', 'AUTH_REVOKED', 'AUTH_FAILED', 'WRONG_PROJECT', 'ORIGIN_NOT_ALLOWED', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL_ERROR',
]

const PATH_PARAMETERS: Readonly<Record<string, Parameter>> = {
  id: { about: 'Its id, %-escaped.' },
  type: { about: 'The type\'s name.' },
  format: { about: 'Of the file.', schema: { enum: ['json', 'csv'] } },
  project: { about: 'Whose secret signs.' },
  partition: { about: 'The letter\'s partition.', schema: { type: 'integer' } },
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A JWT, or an API key.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  cookie: { type: 'apiKey', in: 'cookie', name: 'hubbub_token' },
  query: { type: 'apiKey', in: 'query', name: 'token', description: 'For those who can set no header; it shows up in logs on the way.' },
}

export interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; securitySchemes: object }
  [more: string]: unknown
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  parameters?: { name: string; in: string; required: boolean; description: string; schema: Schema; example?: string }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema; example?: unknown }> }
  responses: Record<string, { description: string; headers?: object; content?: Record<string, { schema: Schema; example?: unknown }> }>
  security?: object[]
}

export function openApi(groups: readonly Group[] = ENDPOINTS): OpenApi {
  const paths: OpenApi['paths'] = {}
  for (const group of groups) {
    for (const endpoint of group.endpoints) (paths[pathOf(endpoint)] ??= {})[endpoint.method.toLowerCase()] = operationOf(group, endpoint)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hubbub', version: VERSION, license: { name: 'MIT', identifier: 'MIT' },
      description: 'A real-time hub for fleets of AI agents, over HTTP. Live events come over Socket.IO: /api/asyncapi.json. Answers are `{ ok: true, ... }`, or `{ ok: false, error }` with the status of the code.',
    },
    servers: [{ url: '/' }],
    security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    tags: groups.map(({ title, access }) => ({ name: title, description: `Needs: ${access}.` })),
    paths,
    components: { schemas: schemas(), securitySchemes: SECURITY_SCHEMES },
  }
}

/** Every named shape; the data of each type with the least that it takes. */
export function schemas(): Record<string, Schema> {
  const data = Object.fromEntries(CATALOGUE.map(({ type, schema }) => [dataName(type), { ...NAMED_SHAPES[dataName(type)], examples: [sample(schema as Read)] }]))
  return { ...NAMED_SHAPES, ...data }
}

export function pathOf({ path }: Pick<Endpoint, 'path'>): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

function operationOf(group: Group, endpoint: Endpoint): Operation {
  const { method, path, about, body, example } = endpoint
  const parameters = parametersOf(endpoint)
  return {
    operationId: [method.toLowerCase(), ...path.replace(/^\/api\/v1/, '').split(/\W+/).filter((word) => word !== '')].join('_'),
    summary: about,
    description: `Needs: ${endpoint.access ?? group.access}.`,
    tags: [group.title],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: body.optional !== true, content: contentOf(body.content, example?.body) } }),
    responses: { ...successesOf(endpoint), ...failuresOf([...(endpoint.failures ?? []), ...(group.open ? [] : COMMON)]) },
    ...(group.open && { security: [] }),
  }
}

function parametersOf({ path, query = {}, headers = {}, example }: Endpoint): NonNullable<Operation['parameters']> {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)
  const one = (place: string, name: string, { about, schema = { type: 'string' }, required = false }: Parameter, given?: string) => ({
    name, in: place, required, description: about, schema, ...(given !== undefined && { example: given }),
  })
  return [
    ...names.map((name) => one('path', name, { about: `The ${name}, %-escaped.`, ...PATH_PARAMETERS[name], required: true }, example?.path?.[name])),
    ...Object.entries(query).map(([name, parameter]) => one('query', name, parameter, example?.query?.[name])),
    ...Object.entries(headers).map(([name, parameter]) => one('header', name, parameter, example?.headers?.[name])),
  ]
}

function successesOf({ answers = { 200: { about: 'Done.', content: {} } }, example }: Endpoint): Operation['responses'] {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, successOf(answer, Number(status) === statusOf(example, answers) ? example?.answer : undefined)]))
}

/** That the example is answered with: what it says, or the one that there is. */
export function statusOf(example: Example | undefined, answers: Endpoint['answers'] = {}): number {
  return example?.status ?? (200 in answers ? 200 : Number(Object.keys(answers)[0] ?? 200))
}

function successOf({ about, content, headers }: Answered, shown: unknown): Operation['responses'][string] {
  return {
    description: about,
    ...(headers && { headers: Object.fromEntries(Object.entries(headers).map(([name, meaning]) => [name, { description: meaning, schema: { type: 'string' } }])) }),
    ...(Object.keys(content).length > 0 && { content: contentOf(content, shown) }),
  }
}

/** An example is of the media type that comes first. */
function contentOf(content: Readonly<Record<string, Schema>>, shown: unknown): Record<string, { schema: Schema; example?: unknown }> {
  return Object.fromEntries(Object.entries(content).map(([type, schema], at) => [type, { schema, ...(at === 0 && shown !== undefined && { example: shown }) }]))
}

function failuresOf(codes: readonly FailureCode[]): Operation['responses'] {
  const byStatus: Operation['responses'] = {}
  const each = [...new Set(codes)].map((code) => ({ code, ...FAILURES[code] })).sort((a, b) => a.status - b.status)
  for (const { code, meaning, status } of each) {
    const known = byStatus[status]?.description
    byStatus[status] = { description: `${known === undefined ? '' : `${known} `}${code}: ${meaning}`, content: { [JSON_TYPE]: { schema: named('FailureAnswer') } } }
  }
  return byStatus
}
