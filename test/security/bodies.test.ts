/** What requests that arrive may hold in memory: all together one budget, and nobody all of it. Raw sockets, for they must begin and not end. */
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { signatureOf } from '../../server/src/gateway/github/signature.js'
import { startHttpHub, tokenOf, type HttpHub } from '../gateway/httpHub.js'
import { eventually } from '../harness/eventually.js'

const MB = 1024 * 1024
const SECRET = 'a webhook secret of the tests'
const FORGED = `X-Hub-Signature-256: sha256=${'0'.repeat(64)}`

let hub: HttpHub
let open: Unfinished[] = []

beforeEach(async () => {
  hub = await startHttpHub({ bodyBytes: 64 * MB, githubSecret: SECRET })
})
afterEach(async () => {
  for (const { socket } of open) socket.destroy()
  open = []
  await hub.close()
})

interface Unfinished {
  socket: Socket
  said(): string
}

/** A request of which all but the last byte is sent. */
function begin(path: string, header: string, body: Buffer): Unfinished {
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  socket.on('error', () => undefined)
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\nContent-Length: ${body.length + 1}\r\n\r\n`)
  socket.write(body)
  const unfinished = { socket, said: () => text }
  open.push(unfinished)
  return unfinished
}

const refused = () => open.filter(({ said }) => said().includes('"UNAVAILABLE"'))
const publish = (as: string, body: string | Buffer, headers: Record<string, string> = {}) => hub.fetch('/api/v1/events', { method: 'POST', as, body: typeof body === 'string' ? body : new Uint8Array(body), headers })
const event = (bytes: number) => JSON.stringify({ type: 'custom.note', data: { text: 'x'.repeat(bytes) } })

test('webhooks of strangers hold half of it at most, are told to come back, and stand in nobody\'s way', async () => {
  for (let at = 0; at < 6; at++) begin('/webhooks/github', FORGED, Buffer.alloc(12 * MB))
  await eventually(() => refused().length >= 4, 'the refusals', 20_000)
  expect(refused()[0]!.said()).toMatch(/^HTTP\/1\.1 503 .*\r\n[^]*Retry-After: 1\r\n[^]*"HUBBUB_BODY_BYTES"/)
  expect((await publish('agent', event(200_000))).status).toBe(201)
}, 60_000)

test('what was held is given back, whether its sender hung up, was refused or was answered', async () => {
  for (let times = 0; times < 3; times++) {
    for (let at = 0; at < 3; at++) begin('/webhooks/github', FORGED, Buffer.alloc(12 * MB))
    await eventually(() => refused().length >= 1, 'a refusal', 20_000)
    for (const { socket } of open) socket.destroy()
    await eventually(() => open.every(({ socket }) => socket.closed), 'the ends')
    open = []
  }
  const body = Buffer.from(JSON.stringify({ zen: 'x'.repeat(20 * MB) }))
  const headers = { 'x-hub-signature-256': signatureOf(SECRET, body), 'x-github-event': 'ping', 'x-github-delivery': 'd-1' }
  const deliver = () => hub.fetch('/webhooks/github', { method: 'POST', body: new Uint8Array(body), headers })
  await eventually(async () => (await deliver()).status === 202, 'room for a delivery', 20_000)
  expect((await deliver()).status).toBe(202)
}, 60_000)

test('one client\'s requests leave room for the others\', whatever they unpack to', async () => {
  const bomb = gzipSync(Buffer.alloc(14 * MB, 0x20))
  const header = (as: string) => `Authorization: Bearer ${tokenOf(as)}\r\nContent-Encoding: gzip`
  // The last byte is a second member's first: nobody knows yet that it is broken.
  for (let at = 0; at < 6; at++) begin('/api/v1/events', header('agent'), bomb)
  await eventually(() => refused().length >= 3, 'the refusals', 20_000)
  expect((await publish('viewer', gzipSync(event(5 * MB)), { 'content-encoding': 'gzip' })).status).toBe(201)
}, 60_000)

test('a body that ends before its end is refused, and one that is cut off leaves the others alone', async () => {
  const half = gzipSync(event(100_000)).subarray(0, 60)
  expect((await publish('agent', half, { 'content-encoding': 'gzip' })).status).toBe(400)
  begin('/api/v1/events', `Authorization: Bearer ${tokenOf('agent')}`, Buffer.from('{')).socket.destroy()
  expect((await publish('agent', event(10))).status).toBe(201)
})
