/** What holds behind either balancer, with the configuration that is shipped: every wire, from three workers on a real Redis. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { ask } from '../harness/ask.js'
import { startBalancer, type Balancer, type BalancerKind } from '../harness/balancer.js'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { readStream } from '../gateway/streamReader.js'
import { openSocket, secureRequest, slowly } from './clients.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const AGENT = token({ sub: 'writer', role: 'agent' })
/** ms; the hub's own signs of life, many within what the balancers below call idle. */
const PULSE = { HUBBUB_PING_INTERVAL_MS: '500', HUBBUB_PING_TIMEOUT_MS: '15000', HUBBUB_WS_PING_MS: '500', HUBBUB_SSE_HEARTBEAT_MS: '500' }

export function behind(kind: BalancerKind): void {
  let cluster: Cluster
  let balancer: Balancer
  const extra: Balancer[] = []
  const another = async (settings: Record<string, string>, webSocketOnly = false): Promise<Balancer> => {
    const one = await startBalancer({ kind, ports: cluster.workers.map(({ port }) => port), settings, webSocketOnly })
    extra.push(one)
    return one
  }
  beforeAll(async () => {
    cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_TRUST_PROXY: '127.0.0.1', ...PULSE } })
    balancer = await startBalancer({ kind, ports: cluster.workers.map(({ port }) => port) })
  }, 60_000)
  afterAll(async () => {
    await Promise.all([balancer, ...extra].map((one) => one?.stop()))
    await cluster?.stop('kill')
  }, 30_000)

  const open: Sink[] = []
  afterEach(() => {
    for (const sink of open.splice(0)) sink.close()
  })
  const connected = async (count: number, url: string, client: object): Promise<Sink[]> => {
    const sinks = await Promise.all(Array.from({ length: count }, () => stockClient(url, { token: VIEWER, topics: ['task:*'], client: { timeout: 20_000, ...client } })))
    open.push(...sinks)
    return sinks
  }
  const published = async (count: number): Promise<string[]> => createProducer({ name: `writer-${Math.random()}`, batch: 10, send: overHttp(() => balancer.plain, AGENT) }).publish(count, 'T-1')
  /** Once, in order, and over the first connection. */
  const heldAndHeard = async (sinks: readonly Sink[], count = 30): Promise<void> => {
    const ids = await published(count)
    for (const sink of sinks) {
      await sink.holds(count)
      expect(problems(sink.receipts(), ids)).toEqual([])
      expect(sink.connections).toHaveLength(1)
    }
  }
  const perWorker = async (transport: string): Promise<number[]> =>
    Promise.all(cluster.workers.map(async ({ url }) => Number(new RegExp(`^hubbub_connections\\{transport="${transport}"\\} (\\d+)`, 'm').exec((await ask(`${url}/metrics`)).text)?.[1] ?? 0)))

  test('twenty long-polling clients connect, stay on their workers, and hear everything', async () => {
    const sinks = await connected(20, balancer.plain, { transports: ['polling'], withCredentials: true })
    const places = await perWorker('polling')
    expect(places.reduce((sum, count) => sum + count, 0)).toBe(20)
    expect(Math.min(...places)).toBeGreaterThan(0)
    await heldAndHeard(sinks)
  }, 60_000)

  test('one that begins with long-polling goes on as a WebSocket, at the same worker', async () => {
    const [sink] = await connected(1, balancer.plain, { transports: ['polling', 'websocket'], withCredentials: true })
    await eventually(() => sink!.socket.io.engine.transport.name === 'websocket', 'the upgrade')
    await heldAndHeard([sink!])
  }, 30_000)

  test('WebSockets need no cookie, and are shared out evenly; plain ones of /ws, too', async () => {
    const sinks = await connected(12, balancer.plain, { transports: ['websocket'] })
    await eventually(async () => (await perWorker('websocket')).every((count) => count >= 2), 'connections at every worker')
    const plain = await openSocket(`${balancer.plain.replace('http', 'ws')}/ws?topics=task:*&token=${VIEWER}`)
    await heldAndHeard(sinks)
    await eventually(() => plain.text().includes(sinks[0]!.ids()[29]!), 'the last event at /ws')
    plain.close()
  }, 40_000)

  test('without the lines for long-polling, too', async () => {
    const { plain } = await another({}, true)
    await heldAndHeard(await connected(6, plain, { transports: ['websocket'] }))
  }, 30_000)

  test('server-sent events come as they happen, and go on behind Last-Event-ID', async () => {
    const url = `${balancer.plain}/api/v1/stream?topics=task:*`
    const first = await readStream(url, { as: VIEWER })
    const [before] = await published(1)
    await eventually(() => first.ids().includes(before!), 'an event that nothing follows')
    const last = first.told.findLast(({ id }) => id !== undefined)!.id!
    first.close()
    const missed = await published(3)
    const second = await readStream(url, { as: VIEWER, headers: { 'last-event-id': last } })
    await eventually(() => second.ids().length === 3, 'what was missed')
    expect(second.ids()).toEqual(missed)
  }, 30_000)

  test('curl publishes over TLS, HTTP/2 included; what comes without TLS is led to it', async () => {
    const { authority } = balancer
    for (const version of ['--http1.1', '--http2']) {
      const json = JSON.stringify([{ type: 'task.progress', data: { taskId: 'T-2', progress: 1 } }])
      const asked = ['--silent', '--show-error', '--insecure', version, '-H', `Authorization: Bearer ${AGENT}`, '-H', 'Content-Type: application/json', '-d', json, `${balancer.secure}/api/v1/events`]
      expect(JSON.parse((await promisify(execFile)('curl', asked)).stdout)).toMatchObject({ results: [{ ok: true }] })
    }
    const led = await fetch(`${balancer.insecure}/api/docs?x=1`, { redirect: 'manual' })
    expect([led.status, led.headers.get('location')]).toEqual([308, expect.stringMatching(/^https:\/\/localhost(:\d+)?\/api\/docs\?x=1$/)])
    expect((await secureRequest(`${balancer.secure}/health/ready`, { authority })).status).toBe(200)
  }, 30_000)

  test('behind TLS a page of the hub may use it, a foreign one may not, nor one that came without TLS', async () => {
    const { authority, secure } = balancer
    const asked = (path: string, origin: string, headers: Record<string, string> = {}) => secureRequest(`${secure}${path}`, { authority, headers: { host: 'hub.example', origin, authorization: `Bearer ${VIEWER}`, ...headers } })
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': Buffer.alloc(16).toString('base64') }
    for (const [origin, upgraded, polled] of [['https://hub.example', 101, 200], ['https://evil.example', 403, 403], ['http://hub.example', 403, 403]] as const) {
      for (const path of ['/ws', '/socket.io/?EIO=4&transport=websocket']) expect([path, origin, (await asked(path, origin, upgrade)).status]).toEqual([path, origin, upgraded])
      expect([origin, (await asked('/socket.io/?EIO=4&transport=polling', origin)).status]).toEqual([origin, polled])
    }
    // What the client says of itself counts for nothing.
    expect((await asked('/ws', 'https://evil.example', { ...upgrade, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' })).status).toBe(403)
  }, 30_000)

  test('who is quiet for longer than the balancer waits stays connected, for the hub is not', async () => {
    const { plain } = await another({ IDLE: '1500ms', LONG: '1500ms' })
    const sinks = [...(await connected(1, plain, { transports: ['polling'], withCredentials: true })), ...(await connected(1, plain, { transports: ['websocket'] }))]
    const plainSocket = await openSocket(`${plain.replace('http', 'ws')}/ws?topics=task:*&token=${VIEWER}`)
    const stream = await readStream(`${plain}/api/v1/stream?topics=task:*`, { as: VIEWER })
    await eventually(() => stream.comments >= 8, 'the time of eight heartbeats', 20_000)
    expect([stream.ended, plainSocket.isOpen()]).toEqual([false, true])
    await heldAndHeard(sinks)
    plainSocket.close()
    // That it does wait no longer than it is told is seen where the hub is quieter than that.
    const impatient = await another({ IDLE: '200ms', LONG: '200ms' })
    const cut = await readStream(`${impatient.plain}/api/v1/stream?topics=task:*`, { as: VIEWER })
    await eventually(() => cut.ended, 'the end of a stream that was quiet for too long')
  }, 60_000)

  test('who sends a request slowly, or too much, or asks for figures of all projects, gets none of the workers', async () => {
    const { plain } = await another({ SLOW: '700ms' })
    expect(await slowly(plain, 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: b\r\n')).toMatch(/^$|^HTTP\/1.1 408/)
    expect(await slowly(plain, `POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${AGENT}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[`)).toMatch(/^$|^HTTP\/1.1 408/)
    const large = await slowly(plain, 'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n')
    expect([large.slice(0, 12), large.includes('"PAYLOAD_TOO_LARGE"')]).toEqual(['HTTP/1.1 413', true])
    for (const path of ['/metrics', '/METRICS/']) expect([path, (await ask(`${plain}${path}`)).status]).toEqual([path, 404])
  }, 30_000)

  test('no credential of a query stands in a log', async () => {
    const secret = token({ sub: 'nobody-logs-me', role: 'viewer' })
    await ask(`${balancer.plain}/api/v1/history?topics=task:1&token=${secret}`)
    const socket = new WebSocket(`${balancer.plain.replace('http', 'ws')}/ws?topics=task:1&token=${secret}`)
    await new Promise((resolve) => socket.once('open', resolve))
    socket.terminate()
    await eventually(async () => (await balancer.log()).includes('/api/v1/history'), 'the log of the request')
    await eventually(async () => (await balancer.log()).includes('/ws'), 'the log of the connection')
    expect(await balancer.log()).not.toContain(secret.slice(-20))
  }, 30_000)
}
