/** Who is let in: how many at once, from one address, of one subject; and what happens to whoever does not come in whole. */
import { connect as dial, type Socket } from 'node:net'
import { connect } from '@hubbub/client'
import { ask, upgrade } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient } from './plainClient.js'
import { readStream } from './streamReader.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const polling = (url: string, as = VIEWER) => ask(`${url}/socket.io/?EIO=4&transport=polling`, { as })
const stream = (url: string, as = VIEWER) => ask(`${url}/api/v1/stream?topics=task:1`, { as })
const socketIo = (url: string, as = VIEWER) => upgrade(`${url}/socket.io/?EIO=4&transport=websocket`, { authorization: `Bearer ${as}` })
const plain = (url: string, as = VIEWER) => upgrade(`${url}/ws`, { authorization: `Bearer ${as}` })
const refusals = async (url: string, code: string) => Number(new RegExp(`^hubbub_rejections_total\\{code="${code}"\\} (\\d+)$`, 'm').exec((await ask(`${url}/metrics`)).text)?.[1] ?? 0)

describe('more new connections than HUBBUB_CONNECT_RATE', () => {
  test('are refused on every wire before their credential is looked at, with a time to wait', async () => {
    const { url } = await hub({ connectRate: 1, connectBurst: 1 })
    await plainClient(url, '/ws', { as: VIEWER })
    for (const answer of [await polling(url, 'no credential'), await stream(url, 'no credential')]) {
      expect(answer.status).toBe(503)
      expect(answer.body.error).toMatchObject({ code: 'CONNECT_RATE', retryable: true, details: { limit: 1, setting: 'HUBBUB_CONNECT_RATE' } })
      expect(Number(answer.headers.get('retry-after'))).toBe(Math.ceil(Number(answer.body.error!.details!['retryAfterMs']) / 1000))
    }
    expect(await socketIo(url, 'no credential')).toEqual({ status: 503, code: 'CONNECT_RATE' })
    expect(await plain(url, 'no credential')).toEqual({ status: 503, code: 'CONNECT_RATE' })
    expect(await refusals(url, 'CONNECT_RATE')).toBe(4)
    // What is no connection is not counted as one.
    expect((await ask(`${url}/api/v1/history?topics=task:1`, { as: VIEWER })).status).toBe(200)
  })

  test('come in one after the other: stock clients and SDK come back by themselves', async () => {
    const { url } = await hub({ connectRate: 10, connectBurst: 5 })
    const pages = Array.from({ length: 15 }, (_, at) => stockClient(url, { token: VIEWER, topics: ['task:*'], client: at % 3 === 0 ? { transports: ['polling'] } : {} }))
    const clients = Array.from({ length: 15 }, () => connect(url, { token: VIEWER, transports: ['websocket', 'polling'], climbMs: 600_000 }))
    await Promise.all([...pages, ...clients.map((client) => client.ready())])
    expect(await refusals(url, 'CONNECT_RATE')).toBeGreaterThan(0)
    // Busy is no reason to take a worse way.
    expect(new Set(clients.map(({ transport }) => transport))).toEqual(new Set(['websocket']))
    for (const client of clients) client.close()
    for (const page of await Promise.all(pages)) page.close()
  }, 30_000)

  test('the SDK waits for as long as the hub asks, where it can read it', async () => {
    const { url } = await hub({ connectRate: 1, connectBurst: 1 })
    await plainClient(url, '/ws', { as: VIEWER })
    const client = connect(url, { token: VIEWER, transports: ['polling'], reconnect: { minMs: 1, maxMs: 1 } })
    const errors: string[] = []
    client.onError(({ code }) => errors.push(code))
    await client.ready()
    expect(new Set(errors)).toEqual(new Set(['CONNECT_RATE']))
    // By its own backoff it would have been hundreds.
    expect(errors.length).toBeLessThan(10)
    client.close()
  }, 30_000)
})

describe('connections of one', () => {
  const stranger = token({ sub: 'stranger', role: 'viewer' })

  test('subject are limited over all wires together, and others are not; whoever goes makes room', async () => {
    const { url } = await hub({ subjectConnections: 3 })
    const first = await plainClient(url, '/ws', { as: VIEWER })
    const page = await stockClient(url, { token: VIEWER })
    const reader = await readStream(`${url}/api/v1/stream?topics=task:1`, { as: VIEWER })
    await expect(plainClient(url, '/ws', { as: VIEWER })).rejects.toThrow(/503.*HUBBUB_CONNECTIONS_PER_SUBJECT/)
    expect((await stream(url)).body.error).toMatchObject({ code: 'CONNECTION_LIMIT', details: { limit: 3 } })
    await plainClient(url, '/ws', { as: stranger })
    for (const leave of [() => first.close(), () => page.close(), () => reader.close()]) {
      leave()
      await eventually(() => plainClient(url, '/ws', { as: VIEWER }), 'room for another one')
      await expect(plainClient(url, '/ws', { as: VIEWER })).rejects.toThrow('503')
    }
  })

  test('subject: a stock client that found no room comes back by itself', async () => {
    const { url } = await hub({ subjectConnections: 1 })
    const first = await plainClient(url, '/ws', { as: VIEWER })
    const waiting = stockClient(url, { token: VIEWER })
    await eventually(async () => (await refusals(url, 'CONNECTION_LIMIT')) > 0, 'a refusal')
    first.close()
    const page = await waiting
    expect(page.connections).toHaveLength(1)
    page.close()
  })

  test('address likewise: the one that a trusted balancer names', async () => {
    const { url } = await hub({ addressConnections: 2, trustProxy: '127.0.0.1' })
    const from = (address: string) => ({ as: VIEWER, headers: { 'x-forwarded-for': address } })
    const reader = await readStream(`${url}/api/v1/stream?topics=task:1`, from('192.0.2.1'))
    const page = await stockClient(url, { token: VIEWER, client: { transports: ['polling'], extraHeaders: { 'x-forwarded-for': '192.0.2.1' } } })
    await expect(plainClient(url, '/ws', from('192.0.2.1'))).rejects.toThrow(/503.*HUBBUB_CONNECTIONS_PER_ADDRESS/)
    await plainClient(url, '/ws', from('192.0.2.2'))
    page.close()
    const second = await eventually(() => plainClient(url, '/ws', from('192.0.2.1')), 'room for another one')
    await expect(plainClient(url, '/ws', from('192.0.2.1'))).rejects.toThrow('503')
    second.close()
    await eventually(() => plainClient(url, '/ws', from('192.0.2.1')), 'room for another one')
    reader.close()
    // A client of IPv6 is its network.
    await plainClient(url, '/ws', from('2001:db8:0:1::1'))
    await plainClient(url, '/ws', from('2001:db8:0:1:2::2'))
    await expect(plainClient(url, '/ws', from('2001:db8:0:1:ffff::3'))).rejects.toThrow('503')
    await plainClient(url, '/ws', from('2001:db8:0:2::1'))
  })
})

describe('whoever shows credentials that are none', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const guess = (at: number) => token({ sub: `guess-${at}` }, 'another secret, of nobody whom the hub would know')

  test('is refused for a while, unseen, on every way; others are not, nor what was accepted before', async () => {
    const { url } = await hub({ authFailures: 60, trustProxy: '127.0.0.1' })
    const good = token({ sub: 'good' })
    const asks = (as: string, address: string) => ask(`${url}/api/v1/history?topics=task:1`, { as, headers: from(address) })
    expect((await asks(good, '192.0.2.9')).status).toBe(200)
    for (let at = 0; at < 61; at++) expect((await asks(guess(at), '192.0.2.9')).status).toBe(401)
    const refused = await asks(token({ sub: 'right' }), '192.0.2.9')
    expect(refused.status).toBe(429)
    expect(refused.body.error).toMatchObject({ code: 'RATE_LIMITED', details: { scope: 'address', setting: 'HUBBUB_AUTH_FAILURES' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const headers = { ...from('192.0.2.9'), authorization: `Bearer ${guess(99)}` }
    expect(await upgrade(`${url}/ws`, headers)).toEqual({ status: 429, code: 'RATE_LIMITED' })
    expect(await upgrade(`${url}/socket.io/?EIO=4&transport=websocket`, headers)).toEqual({ status: 429, code: 'RATE_LIMITED' })
    expect((await asks(good, '192.0.2.9')).status).toBe(200)
    expect((await asks(token({ sub: 'right' }), '192.0.2.10')).status).toBe(200)
    // 60 a minute are one a second.
    await eventually(async () => (await asks(token({ sub: 'later' }), '192.0.2.9')).status === 200, 'the end of the while', 5000, 100)
  }, 30_000)

  test('is no one whose credential ended, is of another project, or is missing', async () => {
    const { url } = await hub({ authFailures: 1 })
    for (let at = 0; at < 5; at++) {
      expect((await ask(`${url}/api/v1/history?topics=task:1`, { as: token({ exp: 1 }) })).status).toBe(401)
      expect((await ask(`${url}/api/v1/history?topics=task:1&project=other`, { as: VIEWER })).status).toBe(403)
      expect((await ask(`${url}/api/v1/history?topics=task:1`)).status).toBe(401)
    }
    expect((await ask(`${url}/api/v1/history?topics=task:1`, { as: VIEWER })).status).toBe(200)
  })
})

describe('requests that do not come whole', () => {
  const open: Socket[] = []
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy()
  })

  async function slow(url: string, text: string): Promise<Socket & { isOver: () => boolean }> {
    const { hostname, port } = new URL(url)
    const socket = dial(Number(port), hostname)
    open.push(socket)
    let isOver = false
    socket.resume().on('error', () => undefined).on('close', () => (isOver = true))
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write(text)
    return Object.assign(socket, { isOver: () => isOver })
  }

  test('are at most so many: the oldest makes room, and whoever is quick is served', async () => {
    const { url } = await hub({ pendingSockets: 20 })
    const heads = ['GET /api/v1/history HTTP/1.1\r\nHost: hub\r\nX-Slow: ', '', 'POST /api/v1/events HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000\r\n\r\n[']
    const crowd: (Socket & { isOver: () => boolean })[] = []
    for (let at = 0; at < 60; at++) crowd.push(await slow(url, heads[at % heads.length]!))
    await eventually(() => crowd.filter(({ isOver }) => isOver()).length >= 40, 'the end of the oldest')
    expect(crowd.slice(-15).filter(({ isOver }) => isOver())).toEqual([])
    expect((await ask(`${url}/api/v1/events`, { as: token(), json: [{ type: 'task.progress', data: { taskId: 'T-1', progress: 1 } }] })).body.ok).toBe(true)
    await plainClient(url, '/ws', { as: VIEWER })
  }, 20_000)

  test('are ended when their head has not come within HUBBUB_CONNECT_TIMEOUT_MS, however it drips', async () => {
    const { url } = await hub({ connectTimeoutMs: 500 })
    const dripping = await slow(url, 'GET /ws HTTP/1.1\r\nHost: hub\r\n')
    const drip = setInterval(() => dripping.write('X-Slow: 1\r\n'), 100).unref()
    const silent = await slow(url, '')
    await eventually(() => dripping.isOver() && silent.isOver(), 'the end of both', 5000)
    clearInterval(drip)
  })
})
