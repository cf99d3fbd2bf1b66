/** How plain WebSockets are refused, limited and ended, whatever their dialect: told why, with a close code that says whether to come back. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { EventInput } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import { ask, upgrade } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient, type PlainClient, type Told } from './plainClient.js'
import { readStream } from './streamReader.js'

const SERVICE = token({ sub: 'engine', role: 'service' })
const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
const progress = (id: string): EventInput => ({ id, type: 'task.progress', data: { taskId: 'T-1', progress: 1 } })
const publish = async (url: string, ...inputs: EventInput[]) => expect((await ask(`${url}/api/v1/events`, { as: SERVICE, json: inputs })).body.ok).toBe(true)

interface Dialect {
  name: string
  path: string
  /** The code, of a message that tells of a failure. */
  codeIn(message: Told): unknown
  /** Close codes of a worker that stops, and of a failure that passes. */
  away: number
  passing: number
}
const fieldsOf = (content: unknown) => content as { code?: string; hub_code?: string }
const DIALECTS: Dialect[] = [
  { name: '/ws', path: '/ws?topics=task:*', codeIn: ({ type, payload }) => type === 'error' && fieldsOf(payload).code, away: 1012, passing: 1013 },
  { name: '/ws/tasks/:taskId', path: '/ws/tasks/T-1', codeIn: ({ event_type: type, data }) => type === 'error' && fieldsOf(data).code, away: 1012, passing: 1013 },
  { name: '/ws/:project', path: '/ws/default', codeIn: ({ type, code }) => /^(command_)?error$/.test(String(type)) && code, away: 1012, passing: 1013 },
  { name: 'autosdlc', path: '/ws?dialect=autosdlc', codeIn: ({ type, data }) => type === 'error' && fieldsOf(data).code, away: 1012, passing: 1013 },
  { name: 'mcp', path: '/ws?dialect=mcp', codeIn: ({ type, payload }) => type === 'error' && fieldsOf(payload).hub_code, away: 1000, passing: 1011 },
]
const short = (code: unknown) => String(code).replace(/^WS_/, '')
const complains = (client: PlainClient, codeIn: Dialect['codeIn'], code: string) => client.hears((message) => short(codeIn(message)) === code, code)

describe.each(DIALECTS)('$name', ({ path, codeIn, away, passing }) => {
  test('takes no binary frame, and goes on', async () => {
    const { url } = await hub()
    const client = await plainClient(url, path, { as: SERVICE })
    client.socket.send(Buffer.from('{"type":"ping","command":"ping"}'))
    await complains(client, codeIn, 'INVALID_MESSAGE')
    client.say({ type: 'ping', command: 'ping' })
    await client.hears(({ type }) => type === 'pong')
  })

  test('says what is too much, and goes on when it is less', async () => {
    const { url } = await hub({ messageRate: 20, messageBurst: 5 })
    const client = await plainClient(url, path, { as: SERVICE })
    for (let at = 0; at < 20; at++) client.say({ type: 'ping', command: 'ping' })
    await complains(client, codeIn, 'RATE_LIMITED')
    await eventually(() => client.all(({ type }) => type === 'pong').length + client.all((message) => codeIn(message) === 'RATE_LIMITED').length === 20, 'an answer to each')
    expect(client.all(({ type }) => type === 'pong').length).toBeGreaterThanOrEqual(5)
    const before = client.all(({ type }) => type === 'pong').length
    await eventually(() => {
      client.say({ type: 'ping', command: 'ping' })
      return client.all(({ type }) => type === 'pong').length > before
    }, 'an answer, later', 5000, 200)
    expect(client.closed).toBeUndefined()
  })

  test('is told that its credential ended, and closed with 1008', async () => {
    const { url } = await hub()
    const client = await plainClient(url, path, { as: token({ sub: 'brief', role: 'viewer', exp: inSeconds(2) }) })
    await complains(client, codeIn, 'AUTH_TOKEN_EXPIRED')
    expect(await client.end()).toMatchObject({ code: 1008 })
  })

  test('is told that its subject was revoked, and closed with 1008', async () => {
    const { url } = await hub({ revocationPollMs: 100 })
    const client = await plainClient(url, path, { as: token({ sub: 'mallory', role: 'viewer', iat: inSeconds(-5) }) })
    const other = await plainClient(url, path, { as: VIEWER })
    expect((await ask(`${url}/api/v1/revocations`, { as: token(), json: { subject: 'mallory' } })).status).toBeLessThan(300)
    await complains(client, codeIn, 'AUTH_REVOKED')
    expect(await client.end()).toMatchObject({ code: 1008 })
    expect(other.closed).toBeUndefined()
  })

  test('is closed when the worker stops, so that it comes back', async () => {
    const running = await hub()
    const client = await plainClient(running.url, path, { as: VIEWER })
    await running.close()
    expect(await client.end()).toEqual({ code: away, reason: 'Server shutting down' })
  })

  test('closes for a frame without a mask with 1002', async () => {
    const { url } = await hub()
    const raw = await RawClient.open(url, path)
    raw.write(Buffer.from([0x81, 2, 0x7b, 0x7d]))
    await eventually(() => raw.ended, 'the end')
    expect(raw.closeCode()).toBe(1002)
  })

  test.each([
    ['whose fragments end nowhere', Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x7b])],
    ['of which half a frame came', Buffer.from([0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0, 0x7b])],
  ])('does not wait for ever for a message %s', async (_which, bytes) => {
    const { url } = await hub({ wsPingMs: 100, requestMs: 600 })
    const raw = await RawClient.open(url, path)
    raw.write(bytes)
    // A client that lives answers pings, between fragments, too.
    const pongs = setInterval(() => bytes[0] === 0x01 && raw.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0])), 50)
    await eventually(() => raw.ended || raw.closeCode() !== undefined, 'the end')
    clearInterval(pongs)
    expect(raw.text()).toMatch(/TIMEOUT.*HUBBUB_REQUEST_MS/)
    expect(raw.closeCode()).toBe(passing)
    raw.destroy()
  })
})

test.each(['/ws', '/ws/default'])('%s is cut off when nothing is heard of a client; one that answers pings stays', async (path) => {
  const { url } = await hub({ wsPingMs: 100, wsSilenceMs: 500 })
  const silent = await RawClient.open(url, path)
  const alive = await plainClient(url, path, { as: VIEWER })
  await eventually(() => silent.ended, 'the end of the silent one')
  expect(alive.closed).toBeUndefined()
})

test('a foreign page is refused, a listed one let in, and one without a credential is not', async () => {
  const { url } = await hub({ corsOrigins: 'https://dashboard.example' })
  for (const path of ['/ws', '/ws/tasks/T-1', '/ws/default', '/ws?dialect=autosdlc', '/ws?dialect=mcp']) {
    expect(await upgrade(`${url}${path}`, { authorization: `Bearer ${VIEWER}`, origin: 'https://evil.example' })).toEqual({ status: 403, code: 'ORIGIN_NOT_ALLOWED' })
    expect(await upgrade(`${url}${path}`, { authorization: `Bearer ${VIEWER}`, origin: 'https://dashboard.example' })).toMatchObject({ status: 101 })
  }
  expect(await upgrade(`${url}/ws`)).toEqual({ status: 401, code: 'AUTH_MISSING_TOKEN' })
  expect(await upgrade(`${url}/ws?token=nonsense`)).toEqual({ status: 401, code: 'AUTH_INVALID_FORMAT' })
})

test('connections count together, by whatever wire they came', async () => {
  const { url } = await hub({ maxConnections: 3 })
  const stock = await tap(url, { auth: { token: VIEWER } })
  const plain = await plainClient(url, '/ws', { as: VIEWER })
  const stream = await readStream(`${url}/api/v1/stream?topics=task:*`, { as: VIEWER })
  const full = { status: 503, code: 'CONNECTION_LIMIT' }
  expect(await upgrade(`${url}/ws`, { authorization: `Bearer ${VIEWER}` })).toEqual(full)
  expect((await ask(`${url}/api/v1/stream?topics=task:*`, { as: VIEWER })).body.error?.code).toBe('CONNECTION_LIMIT')
  expect((await ask(`${url}/socket.io/?EIO=4&transport=polling`, { as: VIEWER })).body.error?.code).toBe('CONNECTION_LIMIT')
  expect((await ask(`${url}/api/v1/websocket/status`, { as: token() })).body).toMatchObject({ total: 3 })
  plain.close()
  await eventually(async () => (await upgrade(`${url}/ws`, { authorization: `Bearer ${VIEWER}` })).status === 101, 'room for another one')
  stock.close()
  stream.close()
})

test('compression that a client offers is not taken', async () => {
  const { url } = await hub()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=task:*`, { headers: { authorization: `Bearer ${VIEWER}` }, perMessageDeflate: true })
  const told: Told[] = []
  socket.on('message', (data) => told.push(JSON.parse((data as Buffer).toString('utf8')) as Told))
  await new Promise((resolve) => void socket.once('open', resolve))
  expect(socket.extensions).toBe('')
  await publish(url, progress('a'))
  await eventually(() => told.some(({ type }) => type === 'event'), 'the event')
  socket.terminate()
})

test('`auth.refresh` prolongs a connection, drops what is no longer granted, and refuses another\'s token', async () => {
  const { url } = await hub()
  const brief = (permissions: string[], seconds: number) => token({ sub: 'brief', role: 'viewer', permissions, exp: inSeconds(seconds) })
  const client = await plainClient(url, '/ws?topics=task:T-1,task:T-2', { as: brief(['subscribe:task:T-1', 'subscribe:task:T-2'], 3) })
  const refresh = async (id: string, payload: object) => {
    client.say({ type: 'auth.refresh', id, payload })
    return await client.hears((message) => message['id'] === id)
  }
  expect(await refresh('none', {})).toMatchObject({ type: 'error', payload: { code: 'AUTH_MISSING_TOKEN' } })
  expect(await refresh('other', { token: VIEWER })).toMatchObject({ type: 'error', payload: { code: 'AUTH_INVALID_TOKEN' } })
  const later = inSeconds(6)
  expect(await refresh('good', { token: brief(['subscribe:task:T-2'], 6) })).toMatchObject({ type: 'answer', payload: { expiresAt: expect.any(Number) } })
  await eventually(() => Date.now() > (later - 2) * 1000, 'the end of the first token', 8000)
  await publish(url, { ...progress('lost'), topics: [] }, { id: 'kept', type: 'task.progress', data: { taskId: 'T-2', progress: 1 } })
  await client.hears(({ payload }) => (payload as { id?: string } | undefined)?.id === 'kept')
  expect(client.all(({ payload }) => (payload as { id?: string } | undefined)?.id === 'lost')).toEqual([])
  expect(await client.end()).toMatchObject({ code: 1008 })
}, 20_000)

/** A WebSocket by hand: bytes as they are given, no answer to pings. */
class RawClient {
  private received = Buffer.alloc(0)
  ended = false

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes])))
    socket.on('close', () => (this.ended = true))
    socket.on('error', () => undefined)
  }

  static async open(url: string, path: string): Promise<RawClient> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const raw = new RawClient(socket)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${VIEWER}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`)
    await eventually(() => raw.text().includes('101 Switching Protocols'), 'the upgrade')
    return raw
  }

  text(): string {
    return this.received.toString('latin1')
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Of the close frame at the end. */
  closeCode(): number | undefined {
    const at = this.received.lastIndexOf(0x88)
    return at < 0 || at + 4 > this.received.length ? undefined : this.received.readUInt16BE(at + 2)
  }

  destroy(): void {
    this.socket.destroy()
  }
}
