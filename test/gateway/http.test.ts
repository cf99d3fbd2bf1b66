import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { readHistoryQuery } from '../../server/src/gateway/http/history.js'
import { handMade, SECRET } from '../access/authorities.js'
import { eventually } from '../harness/eventually.js'
import { startHttpHub, tokenOf, type HttpHub } from './httpHub.js'

let hub: HttpHub
const post = (body: RequestInit['body'], path = '/api/v1/events', headers: Record<string, string> = {}) =>
  hub.fetch(path, { method: 'POST', body, as: 'agent', headers: { 'content-type': 'application/json', ...headers } })
const read = (query: string) => readHistoryQuery(new URLSearchParams(query))
const codeOf = async (response: Response) => {
  const { ok, error } = (await response.json()) as { ok: boolean; error: { code: string; message: string; retryable: boolean; details?: Record<string, unknown> } }
  expect(ok).toBe(false)
  expect(typeof error.message).toBe('string')
  return [response.status, error.code]
}

beforeAll(async () => {
  hub = await startHttpHub({ maxBatchEvents: 10, messageBurst: 1000 })
})
afterAll(() => hub.close())

describe('publishing over HTTP', () => {
  const event = { type: 'task.progress', data: { taskId: '1' } }

  it('answers one event with 201 when committed and 202 when accepted', async () => {
    const committed = await post(JSON.stringify(event))
    expect([committed.status, await committed.json()]).toEqual([201, { ok: true, id: 'id-0', type: 'task.progress', offset: '1-0' }])
    const accepted = await post(JSON.stringify(event), '/api/v1/events?ack=accepted')
    expect(accepted.status).toBe(202)
    expect(hub.published.at(-1)).toMatchObject({ inputs: [event], options: { ack: 'accepted' }, identity: { subject: 'coder-1' } })
    expect((await post(JSON.stringify({ ...event, ack: 'accepted' }))).status).toBe(202)
    expect(hub.published.at(-1)!.inputs).toEqual([event])
  })

  it('answers a batch with 200 and a result for each, in order', async () => {
    for (const body of [[event, 7, event], { events: [event, 7, event] }]) {
      const response = await post(JSON.stringify(body))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ ok: true, results: [{ ok: true, id: 'id-0' }, { ok: false, error: { code: 'INVALID_MESSAGE' } }, { ok: true, id: 'id-2' }] })
    }
  })

  it('answers a refused event with the status of its code', async () => {
    expect(await codeOf(await post('7'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(await codeOf(await post('null'))).toEqual([400, 'INVALID_MESSAGE'])
    const limited = await post('{"type":"limited"}')
    expect(limited.headers.get('retry-after')).toBe('2')
    expect(await codeOf(limited)).toEqual([429, 'RATE_LIMITED'])
  })

  it('takes JSON whatever it is called, and compressed', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/vnd.mine+json; charset=utf-8']) {
      expect([type, (await post(JSON.stringify(event), undefined, { 'content-type': type })).status]).toEqual([type, 201])
    }
    expect((await post(gzipSync(JSON.stringify(event)), undefined, { 'content-encoding': 'gzip' })).status).toBe(201)
  })

  it('refuses what is not JSON, naming the content type', async () => {
    const before = hub.published.length
    for (const body of ['', '{', 'type=task.progress', '{"a":1}}', Buffer.from([0x7b, 0xff, 0x7d]), new Uint8Array(3)]) {
      expect(await codeOf(await post(body))).toEqual([400, 'INVALID_MESSAGE'])
    }
    const form = await post('a=b', undefined, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(await form.json()).toMatchObject({ error: { details: { contentType: 'application/x-www-form-urlencoded' } } })
    expect(await codeOf(await post('{}', undefined, { 'content-encoding': 'gzip' }))).toEqual([400, 'INVALID_MESSAGE'])
    expect(await codeOf(await post('{}', undefined, { 'content-encoding': 'lzma' }))).toEqual([415, 'INVALID_MESSAGE'])
    expect(await codeOf(await post(JSON.stringify(event), '/api/v1/events?ack=never'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(await codeOf(await post('[]'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(hub.published.length).toBe(before)
  })

  it('refuses too many events, and too many bytes, also when they were compressed', async () => {
    expect(await codeOf(await post(JSON.stringify(Array.from({ length: 11 }, () => event))))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    const large = JSON.stringify({ type: 'custom.large', data: 'x'.repeat(2_000_000) })
    expect(await codeOf(await post(large))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect(await codeOf(await post(gzipSync(large), undefined, { 'content-encoding': 'gzip' }))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  it('hands on a forbidden key as it came, for the catalogue to refuse', async () => {
    await post('{"type":"custom.x","__proto__":{"admin":true},"data":{"__proto__":{"admin":true}}}')
    const [input] = hub.published.at(-1)!.inputs as [object]
    expect(Object.hasOwn(input, '__proto__')).toBe(true)
    expect((input as { admin?: boolean }).admin).toBeUndefined()
  })
})

describe('a request', () => {
  it('is let in by each way of authenticating', async () => {
    const made = await hub.fetch('/api/v1/keys', { method: 'POST', as: 'operator', body: JSON.stringify({ subject: 'ci', role: 'service' }) })
    const { key } = (await made.json()) as { key: string }
    const ways: [string, Record<string, string>][] = [
      ['', { authorization: `Bearer ${tokenOf('viewer')}` }],
      ['', { authorization: `Bearer ${key}` }],
      ['', { 'x-api-key': key }],
      [`?token=${tokenOf('viewer')}`, {}],
      [`?apiKey=${key}`, {}],
      ['', { cookie: `hubbub_token=${tokenOf('viewer')}` }],
    ]
    for (const [query, headers] of ways) expect([query, headers, (await hub.fetch(`/api/v1/websocket/status${query}`, { headers })).status]).toEqual([query, headers, 200])
  })

  it('is refused with the code of its credential, and never reaches the operations', async () => {
    const before = hub.published.length
    const expired = handMade({ alg: 'HS256' }, { sub: 'x', exp: 1 }, SECRET)
    const cases: [Record<string, string>, number, string][] = [
      [{}, 401, 'AUTH_MISSING_TOKEN'],
      [{ authorization: 'Basic YTpi' }, 401, 'AUTH_INVALID_FORMAT'],
      [{ authorization: 'Bearer nonsense' }, 401, 'AUTH_INVALID_FORMAT'],
      [{ cookie: 'hubbub_token=nonsense' }, 401, 'AUTH_INVALID_FORMAT'],
      [{ authorization: `Bearer ${expired}` }, 401, 'AUTH_TOKEN_EXPIRED'],
      [{ authorization: `Bearer ${handMade({ alg: 'HS256' }, { sub: 'x' }, 'another')}` }, 401, 'AUTH_INVALID_TOKEN'],
      [{ authorization: `Bearer ${handMade({ alg: 'none' }, { sub: 'x' }, null)}` }, 401, 'AUTH_INVALID_TOKEN'],
      [{ 'x-api-key': `hub_${'0'.repeat(16)}_${'x'.repeat(43)}` }, 401, 'AUTH_INVALID_TOKEN'],
      [{ authorization: `Bearer ${tokenOf('agent')}`, 'x-hubbub-project': 'other' }, 403, 'WRONG_PROJECT'],
    ]
    for (const [headers, status, code] of cases) {
      const response = await hub.fetch('/api/v1/events', { method: 'POST', body: '{"type":"task.progress"}', headers })
      expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="hubbub"' : null)
      expect([headers, ...(await codeOf(response))]).toEqual([headers, status, code])
    }
    expect(hub.published.length).toBe(before)
    expect(await (await hub.fetch('/metrics')).text()).toContain('hubbub_rejections_total{code="AUTH_TOKEN_EXPIRED"} 1\n')
  })

  it('to an unknown path or with a malformed one is answered in the one shape', async () => {
    expect(await codeOf(await hub.fetch('/nowhere'))).toEqual([404, 'NOT_FOUND'])
    expect(await codeOf(await hub.fetch('/api/v1/nowhere', { as: 'viewer' }))).toEqual([404, 'NOT_FOUND'])
    expect(await codeOf(await hub.fetch('/api/v1/keys/%ff', { method: 'DELETE', as: 'operator' }))).toEqual([400, 'INVALID_MESSAGE'])
  })

  it('that makes the hub fail is told a reference and nothing of the inside', async () => {
    const response = await hub.fetch('/api/v1/history?topics=task:broken', { as: 'viewer' })
    const text = await response.text()
    expect(response.status).toBe(500)
    expect(JSON.parse(text)).toMatchObject({ ok: false, error: { code: 'INTERNAL_ERROR', retryable: true, details: { reference: expect.stringMatching(/^[0-9a-f-]{36}$/) } } })
    expect(text).not.toContain('secret text')
  })

  it('gets headers that keep its answer to itself', async () => {
    for (const path of ['/health/live', '/nowhere', '/api/v1/status']) {
      const { headers } = await hub.fetch(path, { as: 'viewer' })
      expect([path, headers.get('cache-control'), headers.get('x-powered-by'), headers.get('etag')]).toEqual([path, 'no-store', null, null])
    }
  })
})

describe('rates', () => {
  it('are counted by subject and project, and say when to come back', async () => {
    const slow = await startHttpHub({ messageRate: 1, messageBurst: 3 })
    try {
      for (let i = 0; i < 3; i++) expect((await slow.fetch('/api/v1/websocket/status', { as: 'agent' })).status).toBe(200)
      const refused = await slow.fetch('/api/v1/websocket/status', { as: 'agent' })
      expect(refused.headers.get('retry-after')).toBe('1')
      expect(await codeOf(refused)).toEqual([429, 'RATE_LIMITED'])
      expect((await slow.fetch('/api/v1/websocket/status', { as: 'stranger' })).status).toBe(200)
    } finally {
      await slow.close()
    }
  })
})

describe('history over HTTP', () => {
  it('is the operation\'s answer', async () => {
    const response = await hub.fetch('/api/v1/history?topics=task:1', { as: 'viewer' })
    expect([response.status, await response.json()]).toEqual([200, { ok: true, events: [], cursor: 'e.1-0', more: false }])
    expect(await codeOf(await hub.fetch('/api/v1/history', { as: 'viewer' }))).toEqual([400, 'INVALID_TOPIC'])
  })

  it('stops waiting when the client hangs up', async () => {
    const before = hub.asked.length
    const waiting = httpRequest(`${hub.url}/api/v1/history?topics=task:wait&wait=60`, { headers: { authorization: `Bearer ${tokenOf('viewer')}` } })
    waiting.on('error', () => {})
    waiting.end()
    await eventually(() => hub.asked.length > before, 'the request to arrive')
    expect(hub.abandoned).toEqual([])
    waiting.destroy()
    await eventually(() => hub.abandoned.length === 1, 'the operation to be told')
  })

  it('reads every parameter', () => {
    expect(read('topics=task:1,agent:*&topics=system&topic=branch:o/r@a,b&types=task.*,agent.log&since=10m&limit=50&wait=30')).toEqual({
      topics: ['task:1', 'agent:*', 'system', 'branch:o/r@a,b'],
      types: ['task.*', 'agent.log'],
      since: '10m',
      limit: 50,
      wait: 30,
    })
    expect(read('topics=task:1&since=last:20').since).toEqual({ last: 20 })
    expect(read('topics=task:1&since=e.1-0').since).toBe('e.1-0')
    expect(read('filter.stage=build&filter.data.n=3&filter.ok=true&filter.x=null&filter.text="3"&filter.id=007').filter).toEqual({
      stage: 'build',
      'data.n': 3,
      ok: true,
      x: null,
      text: '3',
      id: '007',
    })
    expect(read('topics=')).toEqual({ topics: [] })
    for (const query of ['limit=many', 'limit=-1', 'wait=1e9', 'limit=0x10']) expect(() => read(query)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }))
    for (const query of ['since=last:', 'since=last:x', 'since=last:-1']) expect(() => read(query)).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }))
  })
})

describe('pages of other origins', () => {
  it('are refused where none is listed, cookie or not', async () => {
    const headers = { origin: 'https://evil.example', cookie: `hubbub_token=${tokenOf('agent')}`, 'content-type': 'text/plain' }
    const response = await hub.fetch('/api/v1/events', { method: 'POST', body: '{"type":"task.progress"}', headers })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(await codeOf(response)).toEqual([403, 'ORIGIN_NOT_ALLOWED'])
    expect((await hub.fetch('/api/v1/events', { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } })).status).toBe(403)
    expect((await hub.fetch('/api/v1/status', { as: 'viewer', headers: { origin: hub.url } })).status).toBe(200)
  })

  it('cannot reach a hub without credentials by a name of their own that points at this machine', async () => {
    const open = await startHttpHub({ auth: 'none' })
    const statusBy = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = httpRequest(`${open.url}/api/v1/history?topics=task:1`, { headers: { host } }, (response) => resolve(response.resume().statusCode))
        request.on('error', reject).end()
      })
    try {
      expect(await statusBy('evil.example:4000')).toBe(403)
      expect(await statusBy('localhost:4000')).toBe(200)
      await open.fetch('/api/v1/events', { method: 'POST', body: '{"type":"task.progress"}' })
      expect(open.published.at(-1)!.identity).toMatchObject({ subject: 'local', role: 'admin', via: 'none' })
    } finally {
      await open.close()
    }
  })

  it('are let in where they are listed, preflight first', async () => {
    const open = await startHttpHub({ corsOrigins: 'https://a.example,https://b.example' })
    try {
      const preflight = await open.fetch('/api/v1/events', {
        method: 'OPTIONS',
        headers: { origin: 'https://b.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
      })
      expect(preflight.status).toBe(204)
      expect(preflight.headers.get('access-control-allow-origin')).toBe('https://b.example')
      expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type')
      const response = await open.fetch('/api/v1/status', { as: 'viewer', headers: { origin: 'https://b.example' } })
      expect(response.headers.get('access-control-allow-credentials')).toBe('true')
      expect(await codeOf(await open.fetch('/api/v1/status', { as: 'viewer', headers: { origin: 'https://c.example' } }))).toEqual([403, 'ORIGIN_NOT_ALLOWED'])
    } finally {
      await open.close()
    }
  })

  it('get no credentials where all are let in', async () => {
    const open = await startHttpHub({ corsOrigins: '*' })
    try {
      const { headers } = await open.fetch('/api/v1/status', { as: 'viewer', headers: { origin: 'https://any.example' } })
      expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual(['*', null])
    } finally {
      await open.close()
    }
  })
})
