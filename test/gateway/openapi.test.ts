/** The OpenAPI document: valid, complete, and true: each of its examples is asked of a real hub and answered as it says. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isFailureCode } from '@hubbub/protocol'
import { CATALOGUE, dataName, normalise, REQUEST_SHAPES } from '@hubbub/protocol/catalogue'
import { ENDPOINTS, type Endpoint, type Group } from '../../server/src/gateway/http/endpoints.js'
import { openApi, pathOf, statusOf, type OpenApi } from '../../server/src/gateway/http/openapi/document.js'
import { ask } from '../harness/ask.js'
import { token } from '../harness/token.js'
import { LIMITS } from '../shared/limits.js'
import { startScene, type Scene } from './documentedScene.js'
import { startHttpHub } from './httpHub.js'

const CREDENTIALS = { admin: token(), agent: token({ sub: 'coder-1', role: 'agent' }), operator: token({ sub: 'root', projects: ['*'] }) }
const document: OpenApi = openApi()
/** Formats are for the reader; what is checked is the form. */
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
ajv.addSchema(document, 'openapi')

const each = ENDPOINTS.flatMap((group) => group.endpoints.map((endpoint) => ({ name: `${endpoint.method} ${endpoint.path}`, group, endpoint })))
const operationOf = (endpoint: Endpoint) => document.paths[pathOf(endpoint)]![endpoint.method.toLowerCase()]!

/** What is wrong with the value, by the schema at a place of the document. */
function faults(path: readonly string[], value: unknown): unknown {
  const validate = ajv.compile({ $ref: `openapi#/${path.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}` })
  return validate(value) ? [] : validate.errors
}
const placeOf = (endpoint: Endpoint, ...rest: string[]) => ['paths', pathOf(endpoint), endpoint.method.toLowerCase(), ...rest]

describe('the OpenAPI document', () => {
  test('is one, by the schema of OpenAPI 3.1', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document))
    expect([valid, validator.version, errors]).toEqual([true, '3.1', undefined])
  })

  test('has a name for each operation, once, and leads nowhere but to what it has', () => {
    const names = each.map(({ endpoint }) => operationOf(endpoint).operationId)
    expect(new Set(names).size).toBe(names.length)
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
    expect(refs.filter((name) => !(name in document.components.schemas))).toEqual([])
    expect(refs.length).toBeGreaterThan(100)
  })

  test('holds every type\'s data as it is validated, with an example that is taken', () => {
    for (const { type, schema, by } of CATALOGUE) {
      const { examples: [example], description: _description, ...rest } = document.components.schemas[dataName(type)] as { examples: unknown[]; description: string }
      expect([type, rest]).toEqual([type, { ...schema }])
      expect([type, faults(['components', 'schemas', dataName(type)], example)]).toEqual([type, []])
      const name = type.replace(/\{\w+\}$/, 'name')
      expect(normalise({ type: name, data: example }, LIMITS, by).data).toEqual(example)
    }
  })

  test('takes its request schemas from what validates', () => {
    expect(operationOf(each.find(({ name }) => name === 'POST /api/v1/broadcasts')!.endpoint).requestBody!.content['application/json']!.schema).toBe(REQUEST_SHAPES.broadcast)
  })

  test('shows examples that fit its own schemas', () => {
    for (const { name, endpoint } of each) {
      const { example, answers } = endpoint
      expect([name, example !== undefined]).toEqual([name, !ELSEWHERE.test(name)])
      if (!example) continue
      if (example.body !== undefined) expect([name, faults(placeOf(endpoint, 'requestBody', 'content', 'application/json', 'schema'), example.body)]).toEqual([name, []])
      const status = statusOf(example, answers)
      const [type] = Object.keys(answers?.[status]?.content ?? {})
      if (type !== undefined && typeof example.answer !== 'string') expect([name, faults(placeOf(endpoint, 'responses', String(status), 'content', type, 'schema'), example.answer)]).toEqual([name, []])
      for (const place of ['path', 'query'] as const) for (const field of Object.keys(example[place] ?? {})) expect(operationOf(endpoint).parameters!.map((parameter) => parameter.name)).toContain(field)
    }
  })
})

/** Answered until the client leaves, or told of somebody outside: no example here can be run. Their own tests do. */
const ELSEWHERE = /\/stream$|\/sinks|\/agui$/

describe('every documented example', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startScene()
  }, 60_000)
  afterAll(() => scene?.close())

  /** Ids that the hub makes up are the scene's own. */
  async function placesOf({ path }: Endpoint, given: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
    if (path.startsWith('/api/v1/dead/:')) return await scene.bury()
    return path === '/api/v1/keys/:id' ? { id: scene.keyId } : given
  }

  test.each(each.filter(({ endpoint }) => endpoint.example !== undefined))('$name gets the answer that it says', async ({ group, endpoint }: { group: Group; endpoint: Endpoint }) => {
    const { as = 'admin', path = {}, query = {}, headers, body, answer } = endpoint.example!
    const places = await placesOf(endpoint, path)
    const where = endpoint.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(places[name]!))
    const response = await fetch(`${scene.url}${where}?${new URLSearchParams(query).toString()}`, {
      method: endpoint.method, redirect: 'manual', headers: { ...(!group.open && { authorization: `Bearer ${CREDENTIALS[as]}` }), ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const status = statusOf(endpoint.example, endpoint.answers)
    expect([response.status, text]).toEqual([status, expect.anything()])
    const content = endpoint.answers?.[status]?.content ?? {}
    const type = response.headers.get('content-type')?.split(';')[0] ?? ''
    if (Object.keys(content).length === 0) return
    expect(Object.keys(content)).toContain(type)
    const value: unknown = type.endsWith('json') ? JSON.parse(text) : text
    expect(faults(placeOf(endpoint, 'responses', String(status), 'content', type, 'schema'), value)).toEqual([])
    // Not only allowed: what the example shows is there.
    if (typeof answer === 'object') expect(Object.keys(value as object)).toEqual(expect.arrayContaining(Object.keys(answer as object)))
  })

  test('asked without a credential is refused where one is needed, and served where none is', async () => {
    for (const { name, group, endpoint } of each) {
      if (group.open) expect([name, operationOf(endpoint).security]).toEqual([name, []])
      else {
        const where = endpoint.path.replaceAll(/:(\w+)/g, '0')
        expect([name, (await ask(scene.url + where, { method: endpoint.method })).body.error?.code]).toEqual([name, 'AUTH_MISSING_TOKEN'])
      }
    }
  })

  test('of a failure has the documented shape, and a documented status', async () => {
    const tasks = each.find(({ name }) => name === 'POST /api/v1/tasks')!.endpoint
    const { status, body } = await ask(`${scene.url}/api/v1/tasks`, { as: CREDENTIALS.admin, json: { title: 'no type' } })
    expect([status, faults(placeOf(tasks, 'responses', String(status), 'content', 'application/json', 'schema'), body), isFailureCode(body.error?.code)]).toEqual([400, [], true])
  })

  test('is served to everybody, from any page, together with the document', async () => {
    const response = await fetch(`${scene.url}/api/openapi.json`, { headers: { origin: 'https://editor.example' } })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)))
  })
})

describe('the page of endpoints', () => {
  test('loads nothing, runs nothing, and shows every endpoint, type and failure', async () => {
    const hub = await startHttpHub()
    try {
      const answer = await hub.fetch('/docs')
      const page = await answer.text()
      expect([answer.status, answer.url, answer.headers.get('content-type')]).toEqual([200, `${hub.url}/api/docs`, 'text/html; charset=utf-8'])
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; /)
      expect(page).not.toMatch(/<script|<img|<link|src=|href="(?!#)| on\w+=/)
      for (const { endpoint } of each) expect(page).toContain(`<code>${endpoint.path}</code>`)
      for (const { type } of CATALOGUE) expect(page).toContain(`<code>${type}</code>`)
      const anchors = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
      expect([...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id).filter((id) => !anchors.has(id))).toEqual([])
    } finally {
      await hub.close()
    }
  })

  test('agrees with the routes', async () => {
    const told = each.map(({ endpoint: { method, path } }) => `${method} ${path.replace(/^\/(api\/v1|api|webhooks)(?=\/)/, '')}`)
    expect(told.toSorted()).toEqual((await routes()).toSorted())
  })
})

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> }
  handle: object
}

/** Of the app as it is built, without the prefixes under which they are mounted. */
async function routes(): Promise<string[]> {
  const { app, close } = await startHttpHub()
  await close()
  const walk = (layers: readonly Layer[]): string[] =>
    layers.flatMap(({ route, handle }) =>
      route ? [route.path].flat().flatMap((path) => Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${path.replace(/^\/api(?=\/)/, '')}`)) : walk((handle as { stack?: Layer[] }).stack ?? []),
    )
  return walk(app.router.stack as Layer[])
}
