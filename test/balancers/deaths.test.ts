/**
 * Behind HAProxy, which asks workers whether they are ready: the sockets of one that is frozen or killed are back elsewhere at once, and miss
 * nothing (I2, I8); those of one that answers that it is not ready stay where they are.
 */
import { connect, type Client } from '@hubbub/client'
import { ask, upgrade } from '../harness/ask.js'
import { startBalancer, type Balancer } from '../harness/balancer.js'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const CLIENTS = 12

let cluster: Cluster
let balancer: Balancer
let patient: Balancer
const sinks: Sink[] = []
const clients: { client: Client; receipts: Receipt[] }[] = []
beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_TRUST_PROXY: '127.0.0.1' } })
  const ports = cluster.workers.map(({ port }) => port)
  ;[balancer, patient] = await Promise.all([startBalancer({ kind: 'haproxy', ports, settings: { CHECK_EVERY: '300ms', CHECK_TIMEOUT: '900ms' } }), startBalancer({ kind: 'haproxy', ports })])
}, 60_000)
afterAll(async () => {
  for (const sink of sinks) sink.close()
  for (const { client } of clients) client.close()
  await Promise.all([balancer?.stop(), patient?.stop()])
  await cluster?.stop('kill')
}, 30_000)

let producer: Producer
test('everybody is connected, over WebSockets and long-polling, stock clients and the SDK', async () => {
  const wires = [{ transports: ['websocket'] }, { transports: ['polling'], withCredentials: true }]
  sinks.push(...(await Promise.all(Array.from({ length: CLIENTS }, (_, at) => stockClient(balancer.plain, { token: VIEWER, topics: ['task:*'], since: 'all', client: { ...wires[at % 2], timeout: 20_000 } })))))
  for (let at = 0; at < CLIENTS; at++) {
    const client = connect(balancer.plain, { token: VIEWER, climbMs: 600_000 })
    const receipts: Receipt[] = []
    clients.push({ client, receipts })
    client.on('*', (event, { cursor }) => receipts.push(receiptOf(event, cursor)))
    await client.subscribe({ topics: ['task:*'], since: 'all' })
  }
  producer = createProducer({ name: 'writer', batch: 5, send: overHttp(() => balancer.plain, token({ sub: 'writer', role: 'agent' })) })
  await wholeAfter(() => producer.publish(20, 'T-1'))
}, 60_000)

/** Once, in order, everything that was acknowledged. */
async function wholeAfter(work: () => Promise<unknown>): Promise<void> {
  await work()
  const all = () => [...sinks.map((sink) => sink.receipts()), ...clients.map(({ receipts }) => receipts)]
  await eventually(() => all().every((receipts) => receipts.length >= producer.acked.size), `all ${producer.acked.size} events at everybody`, 30_000)
  for (const receipts of all()) expect(problems(receipts, producer.acked.keys())).toEqual([])
}

/** Connections that each has had. */
const connections = () => sinks.map((sink) => sink.connections.length)
/** Writes until as many have come back as there were at the worker. */
async function writingUntil(back: () => boolean): Promise<void> {
  const until = Date.now() + 30_000
  while (!back() && Date.now() < until) await producer.publish(5, 'T-1')
  expect(back()).toBe(true)
  await producer.publish(5, 'T-1')
}

const hereOf = async (url: string): Promise<number> => {
  const { text } = await ask(`${url}/metrics`)
  return [...text.matchAll(/^hubbub_connections\{transport="\w+"\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
}

test.each(['SIGSTOP', 'SIGKILL'] as const)('a worker that gets %s loses nobody anything: its sockets come back to the others', async (signal) => {
  const worker = cluster.workers[signal === 'SIGSTOP' ? 0 : 1]!
  expect(await hereOf(worker.url)).toBeGreaterThan(0)
  const before = connections()
  const others = cluster.workers.filter((other) => other !== worker && !(signal === 'SIGKILL' && other === cluster.workers[0]))
  const total = 2 * CLIENTS
  await wholeAfter(async () => {
    await worker.kill(signal)
    let here = 0
    const look = setInterval(() => void Promise.all(others.map(({ url }) => hereOf(url))).then((counts) => (here = counts.reduce((sum, count) => sum + count, 0)), () => undefined), 200)
    await writingUntil(() => here >= total).finally(() => clearInterval(look))
  })
  // Of those on other workers nobody noticed.
  expect(connections().filter((count, at) => count === before[at]).length).toBeGreaterThan(0)
  for (const sink of sinks) expect(sink.gaps).toEqual([])
}, 60_000)

test('a worker that cannot reach Redis keeps its sockets: all of them would go, and there is nowhere to go to', async () => {
  const page = await stockClient(patient.plain, { token: VIEWER, topics: ['task:*'] })
  sinks.push(page)
  await cluster.redis.kill('SIGSTOP')
  try {
    await eventually(async () => (await upgrade(`${patient.plain}/ws?topics=task:1`, { authorization: `Bearer ${VIEWER}` })).status === 503, 'that nobody new is let in', 15_000)
    expect([page.socket.connected, page.connections.length]).toEqual([true, 1])
  } finally {
    await cluster.redis.kill('SIGCONT')
  }
  await eventually(async () => (await ask(`${patient.plain}/health/ready`)).status === 200, 'a worker that is ready again')
  const [last] = await producer.publish(1, 'T-1')
  await eventually(() => page.ids().includes(last!), 'the next event over the same connection')
  expect(page.connections).toHaveLength(1)
}, 60_000)

test('with no worker left whoever comes is told so, and that it may come again', async () => {
  for (const worker of cluster.workers) await worker.kill('SIGKILL')
  const answer = await eventually(async () => {
    const told = await ask(`${patient.plain}/api/v1/history?topics=task:1`, { as: VIEWER })
    return told.body.error && told
  }, 'an answer of the balancer')
  expect([answer.status, answer.headers.get('content-type'), answer.body.error]).toEqual([503, 'application/json', expect.objectContaining({ code: 'UNAVAILABLE', retryable: true })])
}, 30_000)
