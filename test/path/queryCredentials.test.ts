/** A credential in a query stands in addresses, and addresses like to be written down: the hub writes none, at its most talkative. */
import { connect as dial } from 'node:net'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

const GOOD = token({ sub: 'in-the-query', projects: ['*'], project: 'default' })
/** Of each: the part that no other token has. */
const BAD = [token({ exp: 1, sub: 'too-old' }), token({ sub: 'forged' }, 'another secret, of nobody whom the hub would know'), 'hb_abcdefgh_nobodysKeyButASecretAllTheSame', 'no credential, but perhaps a password']
const SECRETS = [GOOD, ...BAD].map((secret) => secret.split('.').at(-1)!)
const PATHS = [
  '/api/v1/stream?topics=task:1', '/api/v1/history?topics=task:1', '/api/v1/history?topics=', '/api/v1/nothing?', '/api/v1/snapshot?topics=x', '/api/v1/runs/run-1/agui?', '/api/v1/tasks?limit=x', '/api/docs?', '/metrics?', '/health/ready?', '/nothing?', '/?',
  '/webhooks/github?', '/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=3&transport=polling', '/socket.io/?EIO=4&transport=polling&sid=nobody', '/%?', '/api/v1/%E0%A4%A?',
]

let hub: HubProcess
beforeAll(async () => {
  hub = await startHub({ env: { HUBBUB_LOG_LEVEL: 'trace', HUBBUB_AUTH_FAILURES: '12' } })
})

test('no log line, metric, tap or trace holds a credential that came in a query, whatever became of the request', async () => {
  const tap = await ask(`${hub.url}/api/v1/taps?values=true&token=${GOOD}`, { json: { topic: '*', seconds: 60 } })
  expect(tap.status).toBeLessThan(300)
  const page = await stockClient(hub.url, { topics: ['task:*'], client: { query: { token: GOOD } } })
  const plain = new WebSocket(`${hub.url.replace('http', 'ws')}/ws?topics=task:*&token=${GOOD}`)
  const heard: string[] = []
  plain.on('message', (data) => heard.push((data as Buffer).toString('utf8')))
  await new Promise((resolve) => plain.once('open', resolve))
  for (const secret of [GOOD, ...BAD]) await everywhere(secret)
  const told = await ask(`${hub.url}/api/v1/events?token=${GOOD}`, { json: [{ id: 'e-1', type: 'task.progress', data: { taskId: '1', progress: 1 } }] })
  expect(told.body.ok).toBe(true)
  await eventually(() => heard.some((text) => text.includes('e-1')), 'the event')
  const trace = await ask(`${hub.url}/api/v1/trace/e-1?token=${GOOD}`)
  const metrics = await ask(`${hub.url}/metrics`)
  await eventually(() => hub.stderr().includes('request refused'), 'a line in the log')
  page.close()
  plain.terminate()
  expect(await hub.stop()).toBe(0)
  const written = { stderr: hub.stderr(), stdout: hub.stdout(), metrics: metrics.text, trace: trace.text, events: heard.join() }
  for (const [where, text] of Object.entries(written)) expect([where, SECRETS.filter((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret)))]).toEqual([where, []])
  expect(written.stderr).toContain('"level":20')
}, 60_000)

async function everywhere(secret: string): Promise<void> {
  const query = `token=${encodeURIComponent(secret)}`
  for (const path of PATHS) {
    const [method] = path.startsWith('/webhooks') ? ['POST'] : ['GET']
    const answer = await fetch(`${hub.url}${path}&${query}`, { method, signal: AbortSignal.timeout(300) }).catch(() => undefined)
    await answer?.body?.cancel()
  }
  for (const path of ['/ws?', '/ws?dialect=autosdlc', '/ws?topics=nonsense', '/ws?dialect=none', '/ws/default?', '/ws/tasks/T-1?', '/nothing?', '/socket.io/?EIO=4&transport=websocket', '/socket.io/?EIO=4&transport=websocket&sid=nobody']) {
    await ended(new WebSocket(`${hub.url.replace('http', 'ws')}${path}&${query}`, { headers: path.includes('nothing') ? { origin: 'https://evil.example' } : {} }))
  }
  const socket = io(hub.url, { query: { token: secret }, transports: ['websocket'], forceNew: true, reconnection: false })
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()).once('connect_error', () => resolve()))
  socket.disconnect()
  await raw(`GET /ws?${query} HTTP/1.1\r\nHost: hub\r\nBad Header\r\n\r\n`)
}

async function ended(socket: WebSocket): Promise<void> {
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('close', () => resolve()).once('open', () => socket.terminate()))
}

async function raw(text: string): Promise<void> {
  const { hostname, port } = new URL(hub.url)
  const socket = dial(Number(port), hostname)
  socket.on('error', () => undefined).resume()
  await new Promise<void>((resolve) => socket.once('close', () => resolve()).once('connect', () => socket.end(text)))
}
