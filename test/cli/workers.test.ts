/** One machine, three workers behind one port: whatever a client speaks, it stays, and is in the same rooms as all. */
import { Agent, request as ask } from 'node:http'
import { WebSocket } from 'ws'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { command } from './command.js'
import { figureOf, publish, readySeats, startMachine, type Machine } from './machine.js'

let redis: RedisProcess
let machine: Machine

beforeAll(async () => {
  redis = await startRedis()
  machine = await startMachine(3, redis.url, { adminPort: await freePort(), env: { HUBBUB_NODE_ID: 'shop', HUBBUB_TRUST_PROXY: '127.0.0.0/8' } })
}, 60_000)
afterAll(async () => {
  await machine.stop()
  await redis.stop()
})

/** So many clients, all at once. */
const crowd = (count: number, transports: string[], topic: string) =>
  Promise.all(Array.from({ length: count }, () => stockClient(machine.url, { token: token(), topics: [topic], client: { transports } })))

/** Each heard each of the events once, over the connection it began with. */
function expectUnbroken(sinks: Sink[], ids: string[]): void {
  for (const sink of sinks) expect([sink.ids(), sink.connections.length, sink.errors, sink.gaps]).toEqual([ids, 1, [], []])
}

async function tell(prefix: string, topic: string, count = 5): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, place) => `${prefix}-${place}`)
  for (const id of ids) await publish(machine, id, [topic])
  return ids
}

describe('three workers behind one port', () => {
  it('are ready together, each under its name', async () => {
    expect(await readySeats(machine)).toEqual(['w1', 'w2', 'w3', 'p1'])
    expect(Object.keys(await figureOf(machine, 'hubbub_info')).toSorted()).toEqual(['p1', 'w1', 'w2', 'w3'])
    expect([machine.workers.length, machine.processors.length]).toEqual([3, 1])
    const { status } = await fetch(`${machine.operator}/elsewhere`)
    expect(status).toBe(404)
  })

  it.each([
    ['long-polling', ['polling']],
    ['WebSocket', ['websocket']],
    ['long-polling that becomes a WebSocket', ['polling', 'websocket']],
  ])('keep all of 20 clients over %s', async (_, transports) => {
    const topic = `task:${transports.join('-')}`
    const before = await figureOf(machine, 'hubbub_connections_total')
    const sinks = await crowd(20, transports, topic)
    await eventually(() => sinks.every(({ socket }) => socket.io.engine.transport.name === transports.at(-1)), 'the last transport of each', 30_000)
    const ids = await tell(transports.join('-'), topic)
    for (const sink of sinks) await sink.holds(ids.length)
    expectUnbroken(sinks, ids)
    // None is given most: a burst is spread.
    const after = await figureOf(machine, 'hubbub_connections_total')
    for (const node of ['w1', 'w2', 'w3']) expect(after[node]! - (before[node] ?? 0)).toBeGreaterThanOrEqual(3)
    for (const sink of sinks) sink.close()
  }, 60_000)

  it('share their rooms: what one client signals reaches those on all workers', async () => {
    const sinks = await crowd(6, ['websocket'], 'task:room')
    for (const [place, sink] of sinks.entries()) expect(await sink.socket.emitWithAck('signal', { topic: 'task:room', name: `from-${place}` })).toEqual({ ok: true })
    await eventually(() => sinks.every(({ signals }) => new Set(signals.map(({ name }) => name)).size >= 5), 'the signals of the others')
    for (const sink of sinks) sink.close()
  })

  it('answer plain WebSockets, streams of server-sent events and the dashboard', async () => {
    const heard: string[] = []
    const sockets = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const socket = new WebSocket(`${machine.url.replace('http', 'ws')}/ws?token=${token()}`)
        socket.on('message', (data: Buffer) => heard.push(data.toString()))
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
        socket.send(JSON.stringify({ type: 'subscribe', payload: { topics: ['task:plain'], types: ['*'] } }))
        return socket
      }),
    )
    const cut = new AbortController()
    const stream = await fetch(`${machine.url}/api/v1/stream?topics=task:plain`, { headers: { authorization: `Bearer ${token()}` }, signal: cut.signal })
    let told = ''
    void (async () => {
      for await (const chunk of stream.body!) told += Buffer.from(chunk as Uint8Array).toString()
    })().catch(() => undefined)
    await eventually(() => heard.filter((text) => text.includes('"subscribed"')).length >= 6 && told.length > 0, 'all subscribed')
    await publish(machine, 'plain-1', ['task:plain'])
    await eventually(() => heard.filter((text) => text.includes('plain-1')).length === 6 && told.includes('plain-1'), 'the event everywhere')
    cut.abort()
    for (const socket of sockets) socket.close()
    expect((await fetch(`${machine.url}/`)).status).toBe(200)
  })

  it('refuse a WebSocket where there is none, instead of leaving it open', async () => {
    for (let turn = 0; turn < 3; turn++) {
      const socket = new WebSocket(`${machine.url.replace('http', 'ws')}/nowhere`)
      const status = await new Promise((resolve) => {
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode))
        socket.once('error', (error) => resolve(error.message))
      })
      expect(status).toBe(404)
    }
  })
})

describe('a connection that carries requests of several sessions, as a reverse proxy keeps them', () => {
  /** By a proxy that ends TLS and is trusted: whoever answers must know that it was one. */
  const PROXIED = { host: 'inner', origin: 'https://shop.example', 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  async function over(method: string, query: string, body?: string, by: Agent | false = agent): Promise<{ status: number; text: string; kept: boolean }> {
    return await new Promise((resolve, reject) => {
      const request = ask(`${machine.url}/socket.io/?EIO=4&transport=polling&token=${token()}${query}`, { method, agent: by, headers: PROXIED }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve({ status: response.statusCode!, text, kept: request.reusedSocket }))
      })
      request.on('error', reject).end(body)
    })
  }

  /** On a connection of its own, and so on the next worker. */
  async function open(): Promise<string> {
    const { text } = await over('GET', '', undefined, false)
    return (JSON.parse(text.slice(1)) as { sid: string }).sid
  }

  it('brings each to its worker', async () => {
    const sids = await Promise.all(Array.from({ length: 4 }, open))
    expect(new Set(sids.map((sid) => sid.split('.')[1])).size).toBe(3)
    const texts = new Map(sids.map((sid) => [sid, '']))
    for (const sid of sids) expect((await over('POST', `&sid=${sid}`, '40{}')).text).toBe('ok')
    let turn = 0
    const poll = async (sid: string) => {
      const answer = await over('GET', `&sid=${sid}&t=${++turn}`)
      expect([answer.status, answer.kept]).toEqual([200, true])
      texts.set(sid, texts.get(sid)! + answer.text)
    }
    for (const sid of sids) await eventually(() => poll(sid).then(() => texts.get(sid)!.includes('hub.cursor')), `the first answer to ${sid}`)
    for (const sid of sids) expect((await over('POST', `&sid=${sid}`, '420["subscribe",{"topics":["task:kept"]}]')).text).toBe('ok')
    for (const sid of sids) await eventually(() => poll(sid).then(() => texts.get(sid)!.includes('430[')), `the subscription of ${sid}`)
    await publish(machine, 'kept-1', ['task:kept'])
    for (const sid of sids) await eventually(() => poll(sid).then(() => texts.get(sid)!.includes('"kept-1"')), `the event for ${sid}`)
  })

  it('says of a session of nobody, and of one whose worker is none of ours, what a hub says: it is unknown', async () => {
    for (const sid of ['AAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAA.77', 'AAAAAAAAAAAAAAAAAAAA.1', '../../etc/passwd', '.1', 'AAAAAAAAAAAAAAAAAAAA.1e9']) {
      const { status, text } = await over('GET', `&sid=${encodeURIComponent(sid)}`)
      expect([status, JSON.parse(text)]).toEqual([400, { code: 1, message: 'Session ID unknown' }])
      const upgrade = new WebSocket(`${machine.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${encodeURIComponent(sid)}&token=${token()}`)
      expect(await new Promise((resolve) => upgrade.once('unexpected-response', (_request, response) => resolve(response.statusCode)).once('error', (error) => resolve(error.message)))).toBe(400)
    }
  })

  it('takes a head that comes in pieces', async () => {
    const { connect } = await import('node:net')
    const { hostname, port } = new URL(machine.url)
    for (let turn = 0; turn < 50; turn++) {
      const socket = connect(Number(port), hostname).setNoDelay(true)
      const head = `GET /health/live HTTP/1.1\r\nHost: hub\r\nX-Long: ${'x'.repeat(200)}\r\nConnection: close\r\n\r\n`
      const at = 1 + ((turn * 37) % (head.length - 2))
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(head.slice(0, at))
      await new Promise((resolve) => setImmediate(resolve))
      socket.write(head.slice(at))
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      expect(text).toMatch(/^HTTP\/1.1 200 /)
    }
  })
})

describe('hubbub up --workers', () => {
  it('says what it cannot do, in one line', async () => {
    const wrong: [string[], string][] = [
      [['--workers', '4'], "hubbub: HUBBUB_WORKERS: '4' is not allowed without REDIS_URL, through which workers share rooms and journal; allowed: 1, or a Redis\n"],
      [['--workers', '257', '--redis', redis.url], "hubbub: --workers: '257' is not allowed; allowed: an integer from 1 to 256 (processes)\n"],
      [['--workers', '2', '--role', 'processor', '--redis', redis.url], "hubbub: HUBBUB_WORKERS: '2' is not allowed with HUBBUB_ROLE 'processor'; allowed: 1, or the role all or worker\n"],
      [['--processors', '2', '--redis', redis.url], "hubbub: HUBBUB_PROCESSORS: '2' is not allowed with HUBBUB_WORKERS '1' and HUBBUB_ROLE 'all'; allowed: 1, or several workers with the role all\n"],
      [['--workers', '2', '--redis', redis.url], 'hubbub: HUBBUB_JWT_SECRET: unset is not allowed with REDIS_URL, for all workers must know it; allowed: at least 32 characters, or HUBBUB_JWT_PUBLIC_KEY_FILE, or HUBBUB_JWKS_FILE\n'],
    ]
    await Promise.all(wrong.map(async ([args, line]) => expect(await command(['up', ...args])).toEqual({ code: 2, stdout: '', stderr: line })))
    const { code, stderr } = await command(['up', '--workers', '2', '--redis', redis.url, '--port', String(machine.port)], { HUBBUB_JWT_SECRET: 'x'.repeat(32), HUBBUB_LOG_LEVEL: 'error' })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^hubbub up: .*EADDRINUSE.*\n$/)])
  })
})
