/** Upgrades that nobody would make by mistake: each is answered or ended, and none outlives the hub. */
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { startHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { eventually } from '../harness/eventually.js'
import { SECRET, token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient } from './plainClient.js'

const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
})

interface Upgrade {
  text(): string
  isEnded(): boolean
}

/** Its own side stays open, whatever the hub does. */
function upgrade(url: string, target: string, headers = ''): Upgrade {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  sockets.add(socket)
  let text = ''
  let closed = false
  socket.on('data', (bytes) => (text += bytes.toString('latin1')))
  socket.on('error', () => (closed = true))
  socket.on('end', () => (closed = true))
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`)
  return { text: () => text, isEnded: () => closed }
}

test.each(['//', 'http://[', '/ws/%', '/ws/tasks/', '/ws/a/b', '/wsx', '*'])('a target that is none, %s, is answered and ended', async (target) => {
  const { url } = await hub()
  const raw = upgrade(url, target)
  await eventually(() => raw.isEnded(), 'the end')
  expect(raw.text()).toMatch(/^(HTTP\/1\.1 40[0-9] |$)/)
})

test('a refused upgrade holds no socket, though its client does not end its side', async () => {
  const running = await startHub({ settings: settingsWith({ port: 0, jwtSecret: SECRET }) })
  const refused = Array.from({ length: 20 }, () => upgrade(running.url, '/ws'))
  await eventually(() => refused.every((raw) => raw.text().includes('401')), 'the refusals')
  const begun = performance.now()
  await running.close()
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('a foreign page with `*` uses no visitor\'s cookie, and the hub\'s own does', async () => {
  const { url } = await hub({ corsOrigins: '*' })
  const cookie = `Cookie: hubbub_token=${token()}\r\n`
  const foreign = upgrade(url, '/ws?topics=*', `${cookie}Origin: https://evil.example\r\n`)
  await eventually(() => foreign.text().includes('401'), 'the refusal')
  expect(foreign.text()).toContain('AUTH_MISSING_TOKEN')
  const own = upgrade(url, '/ws?topics=*', `${cookie}Origin: ${url}\r\n`)
  await eventually(() => own.text().includes('101 Switching'), 'the upgrade')
  const post = await fetch(`${url}/api/v1/events`, { method: 'POST', headers: { origin: 'https://evil.example', cookie: `hubbub_token=${token()}` }, body: '{}' })
  expect(post.status).toBe(401)
})

test('in somebody else\'s server the hub closes with its plain WebSockets, and their path may be another or none', async () => {
  const server = createServer((_request, response) => response.end('mine'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gone: string[] = []
  const open = (wsPath: string) => startHub({ settings: settingsWith({ jwtSecret: SECRET, wsPath }), server, onDisconnect: ({ subject }) => gone.push(subject) })
  const first = await open('/hub/live')
  await plainClient(url, '/hub/live', { as: token({ sub: 'one' }) })
  await first.close()
  expect(gone).toEqual(['one'])
  const second = await open('none')
  server.once('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 418 Mine\r\n\r\n', () => socket.destroy())
  })
  const own = upgrade(url, '/ws')
  await eventually(() => own.text().includes('418'), 'the answer of the server itself')
  await second.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
