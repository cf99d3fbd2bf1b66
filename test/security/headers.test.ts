/** Headers that keep a browser from doing with an answer what it is not for: on every address of the table, whatever it answers, and on every wire that begins as HTTP. */
import { connect } from 'node:net'
import { createHub, type Hub } from '@hubbub/server'
import { ENDPOINTS } from '../../server/src/gateway/http/endpoints.js'
import { silent } from '../../server/src/observe/log.js'
import { startHttpHub } from '../gateway/httpHub.js'
import { SECRET, token } from '../harness/token.js'

const GENEROUS = { messageRate: 100_000, messageBurst: 100_000 }
/** Of every answer, and of no other value. */
const SAME: Readonly<Record<string, string>> = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'cross-origin-resource-policy': 'same-origin' }

/** What is wrong with an answer's headers, in words. */
function faultsOf(headers: Headers, isKept = false): string[] {
  const wrong = Object.entries(SAME).filter(([name, value]) => headers.get(name) !== value).map(([name]) => `${name}: ${headers.get(name)}`)
  const policy = headers.get('content-security-policy') ?? ''
  const [first, ...rest] = policy.split('; ')
  if (first !== 'default-src \'none\'' || !rest.includes('frame-ancestors \'none\'') || !rest.includes('base-uri \'none\'') || !rest.includes('form-action \'none\'')) wrong.push(`content-security-policy: ${policy}`)
  if (/unsafe|\*|data:|https?:/.test(policy)) wrong.push(`content-security-policy allows too much: ${policy}`)
  if (!isKept && headers.get('cache-control') !== 'no-store') wrong.push(`cache-control: ${headers.get('cache-control')}`)
  for (const name of ['x-powered-by', 'server']) if (headers.has(name)) wrong.push(`${name}: ${headers.get(name)}`)
  return wrong
}

interface Asked {
  title: string
  path: string
  init: RequestInit
}

const as = (credential: string) => ({ authorization: `Bearer ${credential}` })
const BODY = JSON.stringify({ type: 'custom.note', data: {} })

/** Each address as its owner, as somebody who may not, as nobody, with a body that is none, and for something that is not there. */
const WALK: Asked[] = ENDPOINTS.flatMap(({ endpoints }) => endpoints).flatMap(({ method, path }): Asked[] => {
  const place = path.replaceAll(/:(\w+)/g, '0')
  const body = method === 'POST' || method === 'PUT' ? { body: BODY } : {}
  const ways: [string, RequestInit][] = [
    ['as an operator', { headers: as(token({ projects: ['*'] })), ...body }],
    ['as a viewer', { headers: as(token({ role: 'viewer' })), ...body }],
    ['without a credential', body],
    ['with a bad one', { headers: as('x'), ...body }],
    ...(method === 'GET' ? [] : [['with a broken body', { headers: as(token()), ...(method === 'DELETE' ? {} : { body: '{' }) }] as [string, RequestInit]]),
    ['from a page of another origin', { headers: { ...as(token()), origin: 'https://evil.example' }, ...body }],
  ]
  return ways.map(([how, init]) => ({ title: `${method} ${path} ${how}`, path: place, init: { method, redirect: 'manual', ...init } }))
})

const ELSEWHERE: Asked[] = [
  ...['/nowhere', '/api', '/api/v1/nowhere', '/api/v1/keys/%ff', '/webhooks/nobody', '/%2e%2e/etc/passwd', '/docs', '/socket.io/?EIO=3&transport=polling', '/socket.io/?EIO=4&transport=nothing', '/socket.io/?EIO=4&transport=polling&token=x'].map((path) => ({ title: path, path, init: {} })),
  { title: 'a poll', path: `/socket.io/?EIO=4&transport=polling&token=${token()}`, init: {} },
  { title: 'a preflight', path: '/api/v1/events', init: { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } } },
  { title: 'a method that is none', path: '/api/v1/events', init: { method: 'PATCH', headers: as(token()) } },
  { title: 'a webhook of no signature', path: '/webhooks/github', init: { method: 'POST', body: '{}' } },
  { title: 'too large a body', path: '/api/v1/keys', init: { method: 'POST', headers: as(token()), body: 'x'.repeat(100_000) } },
]

let hub: Hub
beforeAll(async () => {
  hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, githubSecret: 'a webhook secret of the tests', ...GENEROUS } })
}, 60_000)
afterAll(() => hub?.close())

async function ask(url: string, { path, init }: Asked): Promise<Response> {
  const leave = new AbortController()
  const answer = await fetch(url + path, { ...init, signal: leave.signal })
  // Streams go on.
  leave.abort()
  return answer
}

describe('every answer', () => {
  test('of every address has the headers, whoever asks and whatever comes', async () => {
    const wrong: unknown[] = []
    for (const asked of [...WALK, ...ELSEWHERE]) {
      const { headers } = await ask(hub.url, asked)
      // Of the dashboard's page a browser may ask whether it is still the same: it holds nothing of anybody.
      const faults = faultsOf(headers, asked.path === '/')
      if (faults.length > 0) wrong.push([asked.title, faults])
    }
    expect(wrong).toEqual([])
    expect(WALK.length).toBeGreaterThan(250)
  }, 60_000)

  test('says that TLS is needed where the operator says so', async () => {
    const behindTls = await startHttpHub({ hstsSeconds: 31_536_000 })
    try {
      for (const path of ['/health/live', '/nowhere', '/api/v1/status']) {
        const { headers } = await behindTls.fetch(path)
        expect([path, faultsOf(headers), headers.get('strict-transport-security')]).toEqual([path, [], 'max-age=31536000'])
      }
    } finally {
      await behindTls.close()
    }
  })

  test('to an upgrade that is refused has them', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
      let said = ''
      socket.on('data', (bytes) => (said += bytes.toString()))
      socket.on('close', () => resolve(said))
      socket.on('error', reject)
      socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n')
    })
    const [head = ''] = text.split('\r\n\r\n')
    const headers = new Headers(head.split('\r\n').slice(1).map((line) => line.split(': ') as [string, string]))
    expect([head.split('\r\n')[0], faultsOf(headers)]).toEqual(['HTTP/1.1 403 Forbidden', []])
  })

  test('says nothing of TLS unless the operator does, for it would shut out a hub without', async () => {
    expect((await fetch(`${hub.url}/health/live`)).headers.has('strict-transport-security')).toBe(false)
  })
})

describe('the pages', () => {
  test('of the dashboard may load what is the hub\'s own, and nothing else', async () => {
    const page = await fetch(hub.url)
    expect(page.status).toBe(200)
    expect(faultsOf(page.headers, true)).toEqual([])
    expect(page.headers.get('content-security-policy')).toContain('require-trusted-types-for \'script\'')
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) expect([file, faultsOf((await fetch(new URL(file, hub.url))).headers, true)]).toEqual([file, []])
  })

  test('of the documents may load nothing but their one style', async () => {
    const { headers } = await fetch(`${hub.url}/api/docs`)
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri/)
  })
})
