/**
 * Who gets in (line by line of the access rules): each kind of credential, from each place in which it may stand, on each
 * transport; and each refusal, before the upgrade or before any event. What happens to those who are in: `accessLife.test.ts`.
 */
import { ask, upgrade } from '../harness/ask.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { tap, type StockOptions } from '../harness/tap.js'
import { SECRET, token, type Claims } from '../harness/token.js'
import { ecPair, handMade, inAnHour, keyFolder, pemOf, rsaPair } from '../access/authorities.js'

const rsa = rsaPair()
const ec = ecPair()
const other = { rsa: rsaPair(), ec: ecPair() }
const folder = keyFolder()
afterAll(() => folder.clear())

const claims: Claims = { sub: 'visitor', role: 'service' }
const now = () => Math.floor(Date.now() / 1000)

/** Places in which a credential may stand, besides the `auth` payload: what a request then looks like. */
const CARRIERS: Record<string, (credential: string) => { headers?: Record<string, string>; query?: Record<string, string> }> = {
  'the Authorization header': (credential) => ({ headers: { authorization: `Bearer ${credential}` } }),
  'the X-API-Key header': (credential) => ({ headers: { 'x-api-key': credential } }),
  'the query as token': (credential) => ({ query: { token: credential } }),
  'the query as apiKey': (credential) => ({ query: { apiKey: credential } }),
  'the cookie': (credential) => ({ headers: { cookie: `theme=dark; hubbub_token=${credential}` } }),
}
const AUTHS: Record<string, (credential: string) => Record<string, string>> = {
  'auth.token': (credential) => ({ token: credential }),
  'auth.token with its scheme': (credential) => ({ token: `Bearer ${credential}` }),
  'auth.apiKey': (credential) => ({ apiKey: credential }),
}
const TRANSPORTS: Required<StockOptions>['transports'][] = [['websocket'], ['polling'], ['polling', 'websocket']]

/** There are more bad credentials here than an address may show. */
const PATIENT = { HUBBUB_AUTH_FAILURES: '0' }

interface Authority {
  hub: HubProcess
  /** A credential that is good, of the project `default`. */
  good: string
  /** Refused with the code. */
  bad: [what: string, code: string, credential: string][]
}

/** As text no credential can be. */
const MALFORMED: Authority['bad'] = ['nonsense', 'a.b', 'a.b.c.d', 'hub_0123_secret', '{"token":1}'].map((text) => [`malformed: ${text}`, 'AUTH_INVALID_FORMAT', text])
const unsigned = handMade({ alg: 'none' }, { ...claims, exp: inAnHour() }, null)
const bySecret = token(claims)

const AUTHORITIES: [string, () => Promise<Authority>][] = [
  ['an HS256 token', async () => ({
    hub: await startHub({ env: PATIENT }),
    good: token(claims),
    bad: [
      ['expired', 'AUTH_TOKEN_EXPIRED', token({ ...claims, iat: now() - 7200, exp: now() - 3600 })],
      ['of another secret', 'AUTH_INVALID_TOKEN', token(claims, 'another secret, longer than 32 characters too')],
      ['not valid yet', 'AUTH_INVALID_TOKEN', token({ ...claims, nbf: now() + 3600 })],
      ['without a signature', 'AUTH_INVALID_TOKEN', unsigned],
      ['with its claims changed', 'AUTH_INVALID_TOKEN', bySecret.split('.').map((part, at) => (at === 1 ? Buffer.from(JSON.stringify({ ...claims, role: 'admin', exp: inAnHour() })).toString('base64url') : part)).join('.')],
      ['without a subject', 'AUTH_INVALID_TOKEN', token({ ...claims, sub: undefined })],
      ['of an unknown role', 'AUTH_INVALID_TOKEN', handMade({ alg: 'HS256' }, { sub: 'x', role: 'root', exp: inAnHour() }, SECRET)],
      ['of another algorithm', 'AUTH_INVALID_TOKEN', handMade({ alg: 'RS256' }, { ...claims, exp: inAnHour() }, rsa.privateKey)],
    ],
  })],
  ['an RS256 token, by PEM file', async () => ({
    hub: await startHub({ env: { ...PATIENT, HUBBUB_JWT_PUBLIC_KEY_FILE: folder.write('rsa.pem', pemOf(rsa.publicKey)) } }),
    good: handMade({ alg: 'RS256' }, { ...claims, exp: inAnHour() }, rsa.privateKey),
    bad: [
      ['expired', 'AUTH_TOKEN_EXPIRED', handMade({ alg: 'RS256' }, { ...claims, exp: now() - 60 }, rsa.privateKey)],
      ['of another key', 'AUTH_INVALID_TOKEN', handMade({ alg: 'RS256' }, { ...claims, exp: inAnHour() }, other.rsa.privateKey)],
      ['signed with the public key as a secret', 'AUTH_INVALID_TOKEN', handMade({ alg: 'HS256' }, { ...claims, exp: inAnHour() }, pemOf(rsa.publicKey))],
      ['of the secret that counts without a key file', 'AUTH_INVALID_TOKEN', bySecret],
      ['without a signature', 'AUTH_INVALID_TOKEN', unsigned],
    ],
  })],
  ['an ES256 token, by JWKS file', async () => {
    const jwk = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'this-year', alg: 'ES256', use: 'sig' }
    const second = { ...other.rsa.publicKey.export({ format: 'jwk' }), kid: 'last-year' }
    return {
      hub: await startHub({ env: { ...PATIENT, HUBBUB_JWKS_FILE: folder.write('jwks.json', JSON.stringify({ keys: [jwk, second] })) } }),
      good: handMade({ alg: 'ES256', kid: 'this-year' }, { ...claims, exp: inAnHour() }, ec.privateKey),
      bad: [
        ['expired', 'AUTH_TOKEN_EXPIRED', handMade({ alg: 'ES256', kid: 'this-year' }, { ...claims, exp: now() - 60 }, ec.privateKey)],
        ['of another key', 'AUTH_INVALID_TOKEN', handMade({ alg: 'ES256', kid: 'this-year' }, { ...claims, exp: inAnHour() }, other.ec.privateKey)],
        ['of a key that is not in the file', 'AUTH_INVALID_TOKEN', handMade({ alg: 'ES256', kid: 'next-year' }, { ...claims, exp: inAnHour() }, ec.privateKey)],
        ['of the secret that counts without a key file', 'AUTH_INVALID_TOKEN', bySecret],
        ['without a signature', 'AUTH_INVALID_TOKEN', unsigned],
      ],
    }
  }],
  ['an API key', async () => {
    const hub = await startHub({ env: PATIENT })
    const make = async () => (await ask(`${hub.url}/api/v1/keys`, { as: token(), json: { subject: 'visitor', role: 'service' } })).body as unknown as { key: string; id: string }
    const [{ key }, revoked] = [await make(), await make()]
    await ask(`${hub.url}/api/v1/keys/${revoked.id}`, { as: token(), method: 'DELETE' })
    return {
      hub,
      good: key,
      bad: [
        ['revoked', 'AUTH_REVOKED', revoked.key],
        ['of another secret', 'AUTH_INVALID_TOKEN', `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`],
        ['of an unknown id', 'AUTH_INVALID_TOKEN', key.replace(/_[0-9a-f]{16}_/, '_0123456789abcdef_')],
        ['of another key\'s secret', 'AUTH_INVALID_TOKEN', `hub_${key.split('_')[1]}_${revoked.key.split('_').slice(2).join('_')}`],
      ],
    }
  }],
]

describe.each(AUTHORITIES)('%s', (_kind, prepare) => {
  let hub: HubProcess
  let good: string
  let bad: Authority['bad']
  beforeAll(async () => {
    ;({ hub, good, bad } = await prepare())
    bad = [...bad, ...MALFORMED]
  }, 60_000)
  afterAll(() => hub?.kill('SIGKILL'))

  const query = (fields: Record<string, string> = {}) => new URLSearchParams(fields).toString()

  test('opens a connection from every place, on every transport', async () => {
    const ways = [
      ...Object.entries(CARRIERS).map(([place, carry]): [string, StockOptions] => [place, { extraHeaders: carry(good).headers, query: carry(good).query }]),
      ...Object.entries(AUTHS).map(([place, carry]): [string, StockOptions] => [place, { auth: carry(good) }]),
    ]
    const tried = await Promise.all(ways.flatMap(([place, options]) => TRANSPORTS.map(async (transports) => {
      const client = await tap(hub.url, { ...options, transports })
      const answer = client.socket.connected ? await client.call('subscribe', { topics: ['task:1'] }) : client.refusals
      client.close()
      return [place, transports.join(), Array.isArray(answer) ? answer : answer.ok]
    })))
    expect(tried).toEqual(ways.flatMap(([place]) => TRANSPORTS.map((transports) => [place, transports.join(), true])))
  })

  test('is taken over HTTP from every place', async () => {
    for (const [place, carry] of Object.entries(CARRIERS)) {
      const { headers, query: fields } = carry(good)
      expect([place, (await ask(`${hub.url}/api/v1/history?topics=task:1&${query(fields)}`, { headers })).status]).toEqual([place, 200])
    }
  })

  test('that is bad is answered with 401 before the upgrade, on either transport and over HTTP', async () => {
    for (const [what, code, credential] of bad) {
      for (const [place, carry] of Object.entries(CARRIERS)) {
        const { headers, query: fields } = carry(credential)
        const polled = await ask(`${hub.url}/socket.io/?EIO=4&transport=polling&${query(fields)}`, { headers })
        const asked = await ask(`${hub.url}/api/v1/history?topics=task:1&${query(fields)}`, { headers })
        expect([what, place, await upgrade(`${hub.url}/socket.io/?EIO=4&transport=websocket&${query(fields)}`, headers)]).toEqual([what, place, { status: 401, code }])
        expect([what, place, ...[polled, asked].map(({ status, body }) => [status, body.error?.code])]).toEqual([what, place, [401, code], [401, code]])
      }
    }
  })

  test('that is bad in the auth payload is a connect_error with its code, and nothing else is told', async () => {
    const busy = await tap(hub.url, { auth: { token: good } })
    for (const [what, code, credential] of bad) {
      for (const [place, carry] of Object.entries(AUTHS)) {
        for (const transports of TRANSPORTS.slice(0, 2)) {
          const [client] = await Promise.all([tap(hub.url, { auth: carry(credential), transports }), busy.must('publish', { type: 'task.progress', data: { taskId: '1', progress: 1 } })])
          expect([what, place, client.refusals, client.packets.length, client.packets[0]?.slice(0, 2)]).toEqual([what, place, [code], 1, '4{'])
          client.close()
        }
      }
    }
    busy.close()
  })

  test('that is good does not hide a bad one in a stronger place', async () => {
    expect(await upgrade(`${hub.url}/socket.io/?EIO=4&transport=websocket&token=${good}`, { authorization: 'Bearer nonsense' })).toEqual({ status: 401, code: 'AUTH_INVALID_FORMAT' })
    const client = await tap(hub.url, { auth: { token: 'nonsense' }, extraHeaders: { authorization: `Bearer ${good}` } })
    expect([client.refusals, client.packets.length]).toEqual([['AUTH_INVALID_FORMAT'], 1])
    client.close()
  })

  test('of one project opens no other', async () => {
    expect(await upgrade(`${hub.url}/socket.io/?EIO=4&transport=websocket&project=other&token=${good}`)).toEqual({ status: 403, code: 'WRONG_PROJECT' })
    expect((await ask(`${hub.url}/api/v1/history?topics=*&project=other`, { as: good })).body.error?.code).toBe('WRONG_PROJECT')
    for (const options of [{ auth: { token: good, project: 'other' } }, { auth: { token: good }, query: { project: 'other' } }]) {
      const client = await tap(hub.url, options)
      expect([client.refusals, client.packets.length]).toEqual([['WRONG_PROJECT'], 1])
      client.close()
    }
  })

  test('that is missing is asked for', async () => {
    for (const auth of [undefined, {}, { token: '' }, { token: null }]) {
      const client = await tap(hub.url, { auth })
      expect([client.refusals, client.packets.length]).toEqual([['AUTH_MISSING_TOKEN'], 1])
      client.close()
    }
    const { status, headers, body } = await ask(`${hub.url}/api/v1/history?topics=*`)
    expect([status, headers.get('www-authenticate'), body.error?.code]).toEqual([401, 'Bearer realm="hubbub"', 'AUTH_MISSING_TOKEN'])
    expect((await ask(`${hub.url}/api/v1/events`, { json: { type: 'task.progress', data: { taskId: '1', progress: 1 } } })).status).toBe(401)
  })
})

describe('HUBBUB_AUTH=none', () => {
  const env = { HUBBUB_AUTH: 'none' }

  test('lets everybody in on loopback, as long as the page is this machine\'s', async () => {
    const hub = await startHub({ env })
    const client = await tap(hub.url)
    await client.must('subscribe', { topics: ['*', 'inbox:*'] })
    expect((await ask(`${hub.url}/api/v1/events`, { json: { id: 'open', type: 'task.progress', data: { taskId: '1', progress: 1 } } })).status).toBe(201)
    await client.hears('open')
    client.close()
    const address = `${hub.url}/socket.io/?EIO=4&transport=websocket`
    expect(await upgrade(address)).toEqual({ status: 101 })
    const strange: Record<string, string>[] = [{ host: 'rebound.example' }, { host: 'rebound.example', origin: 'http://rebound.example' }, { origin: 'http://page.example' }]
    for (const headers of strange) {
      expect([headers, await upgrade(address, headers)]).toEqual([headers, { status: 403, code: 'ORIGIN_NOT_ALLOWED' }])
    }
    await hub.kill('SIGKILL')
  })

  test.each(['0.0.0.0', '::', '192.0.2.1', 'hub.example'])('is refused at the start on %s, in one line that says why', async (host) => {
    await expect(startHub({ env, args: ['--host', host] })).rejects.toThrow(`HUBBUB_AUTH: 'none' is not allowed with HUBBUB_HOST '${host}'; allowed: required, or none on 127.0.0.1, ::1, localhost`)
  })
})

describe('a page of another origin', () => {
  let hub: HubProcess
  beforeAll(async () => {
    hub = await startHub({ env: { HUBBUB_CORS_ORIGINS: 'https://app.example,http://localhost:3000' } })
  })
  afterAll(() => hub?.kill('SIGKILL'))

  const as = token()
  test.each(['https://evil.example', 'http://app.example', 'https://app.example:444', 'https://app.example.evil.example', 'null', 'file://'])('%s is refused on upgrades, polls and requests', async (origin) => {
    expect(await upgrade(`${hub.url}/socket.io/?EIO=4&transport=websocket&token=${as}`, { origin })).toEqual({ status: 403, code: 'ORIGIN_NOT_ALLOWED' })
    for (const path of ['/socket.io/?EIO=4&transport=polling', '/api/v1/history?topics=*']) {
      const { status, headers, body } = await ask(hub.url + path, { as, headers: { origin } })
      expect([path, status, body.error?.code, headers.get('access-control-allow-origin')]).toEqual([path, 403, 'ORIGIN_NOT_ALLOWED', null])
    }
  })

  test('that is listed, or the hub\'s own, is let in', async () => {
    for (const origin of ['https://app.example', 'http://localhost:3000', hub.url]) {
      expect([origin, await upgrade(`${hub.url}/socket.io/?EIO=4&transport=websocket&token=${as}`, { origin })]).toEqual([origin, { status: 101 }])
      for (const path of ['/socket.io/?EIO=4&transport=polling', '/api/v1/history?topics=*']) {
        const { status, headers } = await ask(hub.url + path, { as, headers: { origin } })
        expect([path, status, headers.get('access-control-allow-credentials')]).toEqual([path, 200, 'true'])
        if (origin !== hub.url) expect([path, headers.get('access-control-allow-origin')]).toEqual([path, origin])
      }
    }
  })
})
