/**
 * Clients that mean harm, on each way in (I5, I7): what they send is refused with a code, the hub's memory stays bounded, and a subscriber
 * beside them misses nothing. Raw sockets, for no library sends such things.
 */
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { RawWebSocket } from './rawWebSocket.js'

const MB = 1024 * 1024
const CONNECT_MS = 3000
/** What a whole siege may add to the hub's resident memory. */
const MOST_MB = 160

let hub: HubProcess
let watcher: Sink
let told = 0

const service = (sub: string) => token({ sub, role: 'service' })

beforeAll(async () => {
  hub = await startHub({ env: { HUBBUB_CONNECT_TIMEOUT_MS: String(CONNECT_MS), HUBBUB_LOG_LEVEL: 'error', HUBBUB_ALERT_REFUSALS: '0', HUBBUB_ALERT_SLOW: '0' } })
  watcher = await stockClient(hub.url, { token: token({ role: 'viewer' }), topics: ['task:*'] })
}, 60_000)
afterAll(async () => {
  watcher?.close()
  await hub?.stop()
})

/** The subscriber beside it, still connected over the same socket, hears of something new. */
afterEach(async () => {
  told++
  const answer = await publish('bystander', JSON.stringify({ id: `after-${told}`, type: 'task.progress', data: { taskId: 'T', progress: 1 } }))
  expect(answer.status).toBe(201)
  await eventually(() => watcher.ids().includes(`after-${told}`), 'the event behind the attack')
  expect(watcher.connections.length).toBe(1)
  expect(hub.stderr()).toBe('')
})

function publish(as: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${hub.url}/api/v1/events`, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers: { Authorization: `Bearer ${service(as)}`, ...headers } })
}

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { error: { code: string } }).error.code
}

async function residentMb(): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)![1]) / MB
}

/** A way in over WebSocket: how one gets in, and how an event is published. `refused` is asked of everything that came back. */
interface Way {
  name: string
  open(as: string): Promise<RawWebSocket>
  /** A message that holds the text, as far as this way has one that is refused for it. */
  wrap(event: string): string
  /** A message that publishes the event. */
  publish(event: string): string
}

const plain = (name: string, path: string, wrap: (event: string) => string, publishing = wrap): Way => ({
  name,
  publish: publishing,
  open: (as) => RawWebSocket.open(hub.url, `${path}${path.includes('?') ? '&' : '?'}token=${service(as)}`),
  wrap,
})

const WAYS: Way[] = [
  {
    name: 'Socket.IO',
    async open(as) {
      const raw = await RawWebSocket.open(hub.url, `/socket.io/?EIO=4&transport=websocket&token=${service(as)}`)
      raw.frame(Buffer.from('40{}'))
      await eventually(() => raw.text().includes('40{"sid"'), 'the namespace')
      return raw
    },
    wrap: (event) => `420["publish",${event}]`,
    publish: (event) => `420["publish",${event}]`,
  },
  plain('/ws', '/ws', (event) => `{"type":"publish","id":"x","timestamp":"2026-01-01T00:00:00Z","payload":${event}}`),
  plain('/ws/tasks/:taskId', '/ws/tasks/T', (event) => event),
  plain('/ws/:project', '/ws/default', (event) => `{"command":"start_task","payload":${event}}`, (event) => `{"command":"publish","payload":${event}}`),
  plain('autosdlc', '/ws?dialect=autosdlc', (event) => event),
  plain('mcp', '/ws?dialect=mcp', (event) => `{"type":"task:progress","payload":${event}}`),
]

const event = (message: string) => `{"type":"task.progress","data":{"taskId":"T","progress":1,"message":${message}}}`
const DEEP = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
const REFUSALS = /PAYLOAD_TOO_LARGE|INVALID_MESSAGE|VALIDATION_ERROR|INVALID_EVENT|INVALID_COMMAND|EVENT_TOO_/

describe.each(WAYS)('over $name', (way) => {
  let raw: RawWebSocket
  beforeEach(async () => {
    raw = await way.open(`abuser-${way.name.replaceAll(/[^a-z]/gi, '')}`)
  })
  afterEach(() => raw.destroy())

  test('a message of 1.5 MB is refused with a code, and the connection goes on', async () => {
    raw.frame(Buffer.from(way.wrap(event(JSON.stringify('x'.repeat(1.5 * MB))))))
    await eventually(() => REFUSALS.test(raw.text()), 'the refusal')
    expect(raw.ended).toBe(false)
  })

  test('JSON that is 10,000 deep is refused with a code, and the connection goes on', async () => {
    raw.frame(Buffer.from(way.wrap(event(DEEP))))
    await eventually(() => REFUSALS.test(raw.text()), 'the refusal')
    expect(raw.ended).toBe(false)
  })

  test('invalid UTF-8 ends the connection with 1007', async () => {
    raw.frame(Buffer.concat([Buffer.from(way.wrap('"').slice(0, 10)), Buffer.from([0xc3, 0x28, 0xff])]))
    await eventually(() => raw.ended, 'the end')
    expect(raw.closeCode()).toBe(1007)
  })

  test('a message whose fragments never end is cut off at the limit with 1009', async () => {
    const before = await residentMb()
    const part = Buffer.alloc(256 * 1024, 0x20)
    raw.frame(part, { fin: false })
    for (let sent = 1; sent < 200 && !raw.ended; sent++) if (!raw.frame(part, { opcode: 0, fin: false })) await raw.drained()
    await eventually(() => raw.ended, 'the end')
    expect(raw.closeCode() ?? [raw.failure, raw.text().slice(-200)]).toBe(1009)
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
  })

  test('a compressed frame, which nobody agreed on, ends the connection with 1002', async () => {
    raw.frame(gzipSync(Buffer.alloc(10 * MB)), { rsv1: true })
    await eventually(() => raw.ended, 'the end')
    expect(raw.closeCode()).toBe(1002)
  })

  test('a bomb in an event that says it is compressed is refused with a code, and not unpacked', async () => {
    const before = await residentMb()
    const data = gzipSync(Buffer.alloc(40 * MB), { level: 9 }).toString('base64')
    raw.frame(Buffer.from(way.publish(JSON.stringify({ type: 'custom.bomb', data, metadata: { compressed: true } }))))
    await eventually(() => REFUSALS.test(raw.text()), 'the refusal')
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
    expect(raw.ended).toBe(false)
  })
})

describe('over long-polling', () => {
  async function open(as: string): Promise<{ send(packet: string | Buffer): Promise<Response>; hear(): Promise<string> }> {
    const url = `${hub.url}/socket.io/?EIO=4&transport=polling&token=${service(as)}`
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string }
    const send = (packet: string | Buffer) => fetch(`${url}&sid=${sid}`, { method: 'POST', body: typeof packet === 'string' ? packet : new Uint8Array(packet) })
    const hear = async () => (await fetch(`${url}&sid=${sid}`)).text()
    await send('40{}')
    await eventually(async () => (await hear()).includes('40{"sid"'), 'the namespace')
    return { send, hear }
  }

  test.each([
    ['a message of 1.5 MB', event(JSON.stringify('x'.repeat(1.5 * MB)))],
    ['JSON that is 10,000 deep', event(DEEP)],
    ['a bomb in an event that says it is compressed', JSON.stringify({ type: 'custom.bomb', data: gzipSync(Buffer.alloc(40 * MB), { level: 9 }).toString('base64'), metadata: { compressed: true } })],
  ])('%s is refused with a code, and the connection goes on', async (_kind, bad) => {
    const before = await residentMb()
    const polling = await open('poller')
    expect((await polling.send(`420["publish",${bad}]`)).status).toBe(200)
    await eventually(async () => REFUSALS.test(await polling.hear()), 'the refusal')
    expect((await polling.send('421["publish",{"type":"task.progress","data":{"taskId":"T","progress":1}}]')).status).toBe(200)
    await eventually(async () => (await polling.hear()).includes('431[{"ok":true'), 'the answer behind it')
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
  })

  test('a body beyond the limit of a message is refused with 413', async () => {
    const polling = await open('poller-large')
    expect((await polling.send('4'.repeat(3 * MB))).status).toBe(413)
  })
})

test('a client of Socket.IO that asks and does not read is not heard meanwhile, and then answered', async () => {
  const large = Array.from({ length: 20 }, (_, at) => ({ type: 'task.created', data: { taskId: `large-${at}`, title: 't', parameters: { text: 'x'.repeat(40_000) } } }))
  expect((await publish('filler', JSON.stringify(large))).status).toBe(200)
  const raw = await WAYS[0]!.open('asker')
  const before = await residentMb()
  raw.pause()
  for (let at = 0; at < 150; at++) raw.frame(Buffer.from(`42${at}["snapshot",{"topics":["task:large-*"]}]`))
  // Others are served, and while they are the asker's answers do not pile up.
  for (let at = 0; at < 100; at++) expect((await publish('meanwhile', event('"x"'))).status).toBe(201)
  expect((await residentMb()) - before).toBeLessThan(MOST_MB)
  raw.resume()
  await eventually(() => raw.text().includes('43149['), 'the last answer', 60_000)
  raw.destroy()
}, 120_000)

describe('over HTTP', () => {
  test('an event of 1.5 MB is refused with a code', async () => {
    const answer = await publish('http-large', event(JSON.stringify('x'.repeat(1.5 * MB))))
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test('JSON that is 10,000 deep is refused with a code', async () => {
    const answer = await publish('http-deep', event(DEEP))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(await codeOf(answer)).toMatch(REFUSALS)
  })

  test('invalid UTF-8 is refused with a code', async () => {
    const answer = await publish('http-utf8', Buffer.concat([Buffer.from('{"type":"task.progress","data":{"taskId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')]))
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('a body that never ends is cut off at the limit', async () => {
    const { hostname, port } = new URL(hub.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    let wake = (): void => undefined
    socket.on('data', (bytes) => (text += bytes.toString('latin1')))
    for (const name of ['data', 'drain', 'close']) socket.on(name, () => wake())
    socket.on('error', () => undefined)
    socket.write(`POST /api/v1/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${service('http-endless')}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const part = Buffer.concat([Buffer.from('40000\r\n'), Buffer.alloc(0x40000, 0x20), Buffer.from('\r\n')])
    for (let sent = 0; sent < 400 && !socket.destroyed && !text.includes('HTTP/1.1'); sent++) {
      if (!socket.write(part)) await new Promise<void>((resolve) => (wake = resolve))
    }
    await eventually(() => text.includes('HTTP/1.1 413'), 'the refusal')
    expect(text).toContain('PAYLOAD_TOO_LARGE')
    socket.destroy()
  })

  test('a bomb of 500 MB in half a megabyte is refused with a code, and not unpacked', async () => {
    const before = await residentMb()
    const zeros = gzipSync(Buffer.alloc(100 * MB), { level: 9 })
    const answer = await publish('http-bomb', Buffer.concat([zeros, zeros, zeros, zeros, zeros]), { 'Content-Encoding': 'gzip' })
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
  })

  test('a bomb in an event that says it is compressed is refused with a code, and not unpacked', async () => {
    const before = await residentMb()
    const data = gzipSync(Buffer.alloc(40 * MB), { level: 9 }).toString('base64')
    const answer = await publish('event-bomb', JSON.stringify({ type: 'custom.bomb', data, metadata: { compressed: true } }))
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
  })

  test.each(['/api/v1/stream', '/api/v1/history'])('a query of 1 MB to %s is refused, and so is one that is no query', async (path) => {
    const headers = { Authorization: `Bearer ${service('http-query')}` }
    const large = await fetch(`${hub.url}${path}?topics=${'x'.repeat(MB)}`, { headers }).catch(() => undefined)
    expect(large?.status ?? 431).toBe(431)
    const broken = await fetch(`${hub.url}${path}?topics=%ff%fe&since=%00&limit=-1`, { headers })
    expect(broken.status).toBe(400)
    expect(await codeOf(broken)).toMatch(/^INVALID_/)
  })
})

describe('handshakes', () => {
  const HALVES: [string, string][] = [
    ['that send nothing', ''],
    ['of HTTP that do not go on', 'GET /api/v1/history?topics=task:1 HTTP/1.1\r\nHost: hub\r\nX-Slow'],
    ['of Socket.IO that do not go on', 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgr'],
    ['of /ws that do not go on', 'GET /ws HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: webs'],
    ['of /ws?dialect=autosdlc that never say who they are', 'GET /ws?dialect=autosdlc HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'],
    ['of Socket.IO that never join', 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'],
  ]

  test.each(HALVES)('a thousand %s are all ended, while others are served', async (_kind, head) => {
    const { hostname, port } = new URL(hub.url)
    const before = await residentMb()
    let ended = 0
    const sockets = Array.from({ length: 1000 }, () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      socket.on('data', () => undefined)
      socket.once('close', () => ended++)
      if (head !== '') socket.write(head)
      return socket
    })
    const during = await publish('amid', JSON.stringify({ id: `amid-${told}`, type: 'task.progress', data: { taskId: 'T', progress: 2 } }))
    expect(during.status).toBe(201)
    await eventually(() => watcher.ids().includes(`amid-${told}`), 'an event amid half-open handshakes')
    expect((await residentMb()) - before).toBeLessThan(MOST_MB)
    await eventually(() => ended === 1000, 'the end of all thousand', CONNECT_MS + 20_000)
    for (const socket of sockets) socket.destroy()
  }, 60_000)
})
