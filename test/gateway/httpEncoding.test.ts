/** Compressed bodies, both ways: what is inflated is bounded, what is worth it is deflated, what is streamed is left alone. */
import { request as httpRequest } from 'node:http'
import { gunzipSync, gzipSync, brotliCompressSync } from 'node:zlib'
import { startHttpHub, type HttpHub } from './httpHub.js'
import { startStateHub } from './stateHub.js'
import { token } from '../harness/token.js'

let hub: HttpHub
beforeAll(async () => {
  hub = await startHttpHub({ messageBurst: 1000 })
})
afterAll(() => hub.close())

interface Raw {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** As it came over the wire: `fetch` would inflate it. */
function raw(url: string, headers: Record<string, string>): Promise<Raw> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }))
      response.on('error', reject)
    }).on('error', reject).end()
  })
}

const post = (body: Buffer, encoding: string, path = '/api/v1/events') =>
  hub.fetch(path, { method: 'POST', as: 'operator', body, headers: { 'content-type': 'application/json', 'content-encoding': encoding } })
const codeOf = async (response: Response) => [response.status, ((await response.json()) as { error: { code: string } }).error.code]

describe('an answer', () => {
  test('of more than 1 KB is gzipped for whoever takes it, and plain for others', async () => {
    const [packed, plain, refused] = await Promise.all([raw(`${hub.url}/api/docs`, { 'accept-encoding': 'br, gzip;q=0.5' }), raw(`${hub.url}/api/docs`, {}), raw(`${hub.url}/api/docs`, { 'accept-encoding': 'gzip;q=0' })])
    expect([packed.headers['content-encoding'], packed.headers['vary'], packed.headers['content-type'], Number(packed.headers['content-length'])]).toEqual(['gzip', 'Accept-Encoding', 'text/html; charset=utf-8', packed.body.length])
    expect(packed.body.length).toBeLessThan(plain.body.length / 2)
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
    for (const answer of [plain, refused]) expect([answer.headers['content-encoding'], answer.headers['vary'], answer.body.length]).toEqual([undefined, 'Accept-Encoding', plain.body.length])
  })

  test('that is short is left as it is', async () => {
    const { headers, body } = await raw(`${hub.url}/health/live`, { 'accept-encoding': 'gzip' })
    expect([headers['content-encoding'], body.toString()]).toEqual([undefined, '{"ok":true,"status":"live"}'])
  })

  test('of entities, and a file that is written page by page, come back as they were', async () => {
    const state = await startStateHub()
    try {
      await state.publish(...Array.from({ length: 30 }, (_, n) => ({ type: 'task.created', data: { taskId: `t${n}`, taskTitle: 'ä'.repeat(100) } })))
      const authorization = `Bearer ${token()}`
      for (const path of ['/api/v1/tasks', '/api/v1/tasks/export/json', '/api/v1/tasks/export/csv']) {
        const [packed, plain] = await Promise.all([raw(state.url + path, { authorization, 'accept-encoding': 'gzip' }), raw(state.url + path, { authorization })])
        expect([path, packed.status, packed.headers['content-encoding'], packed.headers['content-type'], packed.headers['vary']]).toEqual([path, 200, 'gzip', plain.headers['content-type'], plain.headers['vary']])
        expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
      }
    } finally {
      await state.close()
    }
  })
})

describe('a body', () => {
  const event = Buffer.from(JSON.stringify({ type: 'custom.x', data: {} }))

  test('is inflated where it says that it was deflated', async () => {
    expect((await post(gzipSync(event), 'gzip')).status).toBe(201)
    expect((await post(brotliCompressSync(event), 'br')).status).toBe(201)
    expect((await post(event, 'identity')).status).toBe(201)
  })

  test('of an encoding that nobody knows is refused, with those that are', async () => {
    const told = await post(event, 'lzma')
    expect(told.headers.get('accept-encoding')).toBe('gzip, deflate, br, identity')
    expect(await codeOf(told)).toEqual([415, 'INVALID_MESSAGE'])
    expect(await codeOf(await post(event, 'gzip'))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('that is a bomb is refused at its limit, and never inflated beyond it', async () => {
    // 640 MB of zeros as members of one gzip file, to a route that takes 64 KB.
    const member = gzipSync(Buffer.alloc(10 * 1024 * 1024))
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member))
    expect(await codeOf(await post(member, 'gzip', '/api/v1/keys'))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    const before = process.resourceUsage().maxRSS
    for (let times = 0; times < 3; times++) expect(await codeOf(await post(bomb, 'gzip', '/api/v1/keys'))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    // KB, the most that it ever was.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024)
  })
})
