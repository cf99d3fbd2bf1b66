/**
 * A worker that is stopped while events flow: its clients, by whatever wire, come back to the other one by their own means, and nothing is
 * lost or doubled (I2, I8). The proxy in front is the balancer: it sends new connections to the other worker from the SIGTERM on.
 */
import { connect, type Client } from '@hubbub/client'
import type { HubEvent } from '@hubbub/protocol'
import { EventSource } from 'eventsource'
import { WebSocket } from 'ws'
import { ask } from '../harness/ask.js'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const CLIENTS_EACH = 10

let cluster: Cluster
let proxy: Proxy
const closing: (() => void)[] = []
const sourceErrors: string[] = []
beforeAll(async () => {
  cluster = await startCluster({ workers: 2, processors: 1, env: { HUBBUB_DRAIN_SPREAD_MS: '1500', HUBBUB_CONNECT_RATE: '40', HUBBUB_CONNECT_BURST: '200' } })
  proxy = await startProxy({ port: cluster.workers[0]!.port })
}, 60_000)
afterAll(async () => {
  for (const close of closing) close()
  await proxy.close()
  await cluster.stop('kill')
})

test('loses nothing and doubles nothing for clients of four kinds, and exits with 0', async () => {
  const url = `http://${proxy.host}:${proxy.port}`
  const all = (await Promise.all([stockPages(url), sdkClients(url), plainSockets(url), eventSources(url)])).flat()
  expect(all).toHaveLength(4 * CLIENTS_EACH)
  const producer = createProducer({ name: 'writer', batch: 5, send: overHttp(() => cluster.workers[1]!.url, token({ sub: 'writer', role: 'agent' })) })
  const enough = new AbortController()
  const writing = (async () => {
    while (!enough.signal.aborted) await producer.publish(5, 'T-1')
  })()
  await eventually(() => all.every((receipts) => receipts.length > 20), 'events at everybody')
  proxy.retarget(cluster.workers[1]!.port)
  expect(await cluster.workers[0]!.stop()).toBe(0)
  const atStop = producer.acked.size
  await eventually(() => producer.acked.size > atStop + 100, 'more events')
  enough.abort()
  await writing
  const { size } = producer.acked
  const counts = () => all.map((receipts) => receipts.length)
  await eventually(() => counts().every((count) => count >= size), 'the arrival', 20_000).catch((cause: unknown) => {
    throw new Error(`not all ${size} events at everybody: ${counts().join(' ')}; event sources: ${sourceErrors.join(', ')}`, { cause })
  })
  for (const receipts of all) expect(problems(receipts, producer.acked.keys())).toEqual([])
}, 60_000)

test('with nobody connected it is gone at once', async () => {
  const idle = await startHub()
  const begun = performance.now()
  expect(await idle.stop()).toBe(0)
  // Not the 25 s that it has, nor a part of them: what is left is what a process needs to end on a busy machine.
  expect(performance.now() - begun).toBeLessThan(8000)
}, 30_000)

test('with a frozen Redis it is gone within HUBBUB_DRAIN_MS', async () => {
  const worker = await cluster.addWorker({ env: { HUBBUB_DRAIN_MS: '9000' } })
  const page = await stockClient(worker.url, { token: VIEWER, topics: ['task:*'] })
  closing.push(() => page.close())
  await cluster.redis.kill('SIGSTOP')
  try {
    // 1 if it had taken longer.
    expect(await worker.stop()).toBe(0)
  } finally {
    await cluster.redis.kill('SIGCONT')
  }
}, 40_000)

async function stockPages(url: string): Promise<Receipt[][]> {
  const pages = await Promise.all(Array.from({ length: CLIENTS_EACH }, (_, at) => stockClient(url, { token: VIEWER, topics: ['task:*'], since: 'all', client: at % 2 === 0 ? {} : { transports: ['polling'] } })))
  closing.push(...pages.map((page) => page.close))
  return pages.map((page) => {
    const receipts: Receipt[] = []
    return new Proxy(receipts, { get: (_target, name) => Reflect.get(page.receipts(), name) as unknown })
  })
}

async function sdkClients(url: string): Promise<Receipt[][]> {
  const open = async (): Promise<Receipt[]> => {
    const receipts: Receipt[] = []
    const client: Client = connect(url, { token: VIEWER, climbMs: 600_000 })
    closing.push(() => client.close())
    client.on('*', (event, { cursor }) => receipts.push(receiptOf(event, cursor)))
    await client.subscribe({ topics: ['task:*'], since: 'all' })
    return receipts
  }
  return await Promise.all(Array.from({ length: CLIENTS_EACH }, open))
}

/** As `docs/websocket.md` has it: back with the last cursor. */
async function plainSockets(url: string): Promise<Receipt[][]> {
  const open = async (): Promise<Receipt[]> => {
    const receipts: Receipt[] = []
    let cursor = ''
    let isOver = false
    const go = () => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=task:*&token=${VIEWER}&since=${cursor || 'all'}`)
      closing.push(() => {
        isOver = true
        socket.terminate()
      })
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse((data as Buffer).toString('utf8')) as { type: string; payload: { cursor?: string; eventType?: string; metadata?: object } & Partial<HubEvent> }
        if (type === 'event') receipts.push(receiptOf({ ...payload, type: payload.eventType } as unknown as HubEvent, payload.cursor!))
        if (payload.cursor) cursor = payload.cursor
      })
      socket.on('error', () => undefined)
      socket.on('close', () => isOver || setTimeout(go, 50))
    }
    go()
    return Promise.resolve(receipts)
  }
  return await Promise.all(Array.from({ length: CLIENTS_EACH }, open))
}

function eventSources(url: string): Promise<Receipt[][]> {
  const open = (): Receipt[] => {
    const receipts: Receipt[] = []
    const source = new EventSource(`${url}/api/v1/stream?topics=task:*&since=all&token=${VIEWER}`)
    closing.push(() => source.close())
    source.addEventListener('error', (error) => sourceErrors.push(`${error.code} ${error.message} ${source.readyState}`))
    source.addEventListener('task.progress', (message) => receipts.push(receiptOf(JSON.parse(message.data as string) as HubEvent, message.lastEventId)))
    return receipts
  }
  return Promise.resolve(Array.from({ length: CLIENTS_EACH }, open))
}

test('answers 20 requests that wait for an event when it stops, and takes them for no leak before', async () => {
  const hub = await startHub()
  const history = (query: string) => ask(`${hub.url}/api/v1/history?topics=task:1${query}`, { as: VIEWER })
  const { cursor } = (await history('')).body as { cursor: string }
  const waiting = Array.from({ length: 20 }, () => history(`&since=${cursor}&wait=20`))
  // What is asked behind them is answered behind them.
  await Promise.all([history(''), new Promise((resolve) => setTimeout(resolve, 500))])
  expect(await hub.stop()).toBe(0)
  for (const { body } of await Promise.all(waiting)) expect(body).toMatchObject({ ok: true, events: [], more: false })
  expect(hub.stderr()).not.toContain('MaxListenersExceededWarning')
}, 30_000)
