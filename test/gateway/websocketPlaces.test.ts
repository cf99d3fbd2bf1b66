/** The place of a client of `/ws/tasks/:taskId` that comes back with its id: what it has, and whose it is. */
import type { EventInput, Gap } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'
import { agent, hub } from './agentHub.js'
import { plainClient, type PlainClient, type Told } from './plainClient.js'

const SERVICE = token({ sub: 'engine', role: 'service' })
const PATH = '/ws/tasks/T-1?client_id=mine'
const progress = (id: string, taskId = 'T-1'): EventInput => ({ id, type: 'task.progress', data: { taskId, progress: 1 } })
const isEvent = (message: Told) => typeof message['event_id'] === 'string' && message['event_type'] !== undefined
const ids = (client: PlainClient) => client.all(isEvent).map((message) => message['event_id'])

async function publish(url: string, ...events: EventInput[]): Promise<void> {
  const told = await ask(`${url}/api/v1/events`, { as: SERVICE, json: events })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(events.map(() => true))
}

async function come(url: string, path = PATH, as = SERVICE): Promise<PlainClient> {
  const client = await plainClient(url, path, { as })
  await client.hears((message) => message['event_type'] === 'connection_established', 'the first words')
  return client
}

const gone = (url: string) => eventually(async () => (await ask(`${url}/api/v1/websocket/status`, { as: SERVICE })).body['total'] === 0, 'the end of all connections')

describe('what a client has is what it answered for', () => {
  let proxy: Proxy
  afterEach(() => proxy.close())

  test('what was on its way when its connection broke comes when it is back (I2)', async () => {
    const { url } = await hub()
    proxy = await startProxy({ port: Number(new URL(url).port) })
    const first = await come(`http://${proxy.host}:${proxy.port}`)
    await publish(url, progress('a'))
    await first.hears((message) => message['event_id'] === 'a')
    proxy.blackhole(true)
    await publish(url, progress('b'), progress('c'))
    proxy.cut('reset')
    await gone(url)
    const again = await come(url)
    await again.hears((message) => message['event_id'] === 'c')
    expect(ids(again).slice(-2)).toEqual(['b', 'c'])
  })

  test('what it had before is not repeated, however much it was', async () => {
    const { url } = await hub()
    proxy = await startProxy({ port: Number(new URL(url).port) })
    const first = await come(`http://${proxy.host}:${proxy.port}`)
    await publish(url, ...Array.from({ length: 300 }, (_, at) => progress(`e${at}`)))
    await first.hears((message) => message['event_id'] === 'e299')
    await first.settled()
    proxy.cut('reset')
    await gone(url)
    await publish(url, progress('z'))
    const again = await come(url)
    await again.hears((message) => message['event_id'] === 'z')
    expect(ids(again)).toEqual(['z'])
  })
})

test('a gap ends where the events begin that are kept: from there nothing is missing', async () => {
  const { url } = await hub({ wsQueue: 3 })
  const first = await come(url)
  first.close()
  await gone(url)
  await publish(url, ...Array.from({ length: 9 }, (_, at) => progress(`e${at}`)))
  const again = await come(url)
  const { to } = (await again.hears((message) => message['event_type'] === 'gap'))['data'] as Gap
  await again.hears((message) => message['event_id'] === 'e8')
  expect(ids(again)).toEqual(['e6', 'e7', 'e8'])
  const since = await come(url, `/ws/tasks/T-1?since=${to}`)
  await since.hears((message) => message['event_id'] === 'e8')
  expect(ids(since)).toEqual(['e6', 'e7', 'e8'])
})

test('a second connection with its id takes its place though nothing happens', async () => {
  const { url } = await hub()
  const first = await come(url)
  const second = await come(url)
  expect(await first.end()).toMatchObject({ code: 1000, reason: 'another connection has this client_id' })
  await publish(url, progress('a'))
  await second.hears((message) => message['event_id'] === 'a')
})

test('an agent that watches a task hears the task, and its mail waits for its own connection', async () => {
  const running = await hub()
  const { url } = running
  const asAgent = token({ sub: 'coder', role: 'agent' })
  const watching = await come(url, PATH, asAgent)
  await (await agent(running)).must('agent.register', { capabilities: ['test'] })
  await ask(`${url}/api/v1/tasks`, { as: SERVICE, json: { id: 'T-1', type: 'test', requires: ['test'] } })
  await watching.hears((message) => message['event_type'] === 'task.delegated')
  await publish(url, { id: 'a', type: 'custom.note', data: {}, topics: ['task:T-1'] })
  await watching.hears((message) => message['event_id'] === 'a')
  expect(watching.all((message) => message['event_type'] === 'task.delegate')).toEqual([])
})

describe('on several workers', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ workers: 2, processors: 1 })
  })
  afterAll(() => cluster.stop())

  test('whoever comes to another worker takes the place there; the former connection is closed with the next event', async () => {
    const [one, two] = [cluster.workers[0]!.url, cluster.workers[1]!.url]
    const path = '/ws/tasks/T-1?client_id=both'
    const first = await come(one, path)
    const second = await come(two, path)
    await publish(two, progress('x'))
    await second.hears((message) => message['event_id'] === 'x')
    expect(await first.end()).toMatchObject({ code: 1000, reason: 'another connection has this client_id' })
  })

  test('a killed worker makes nothing be passed over (I2)', async () => {
    const [one, two] = [cluster.workers[0]!, cluster.workers[1]!]
    const first = await come(one.url)
    await publish(two.url, progress('a'))
    await first.hears((message) => message['event_id'] === 'a')
    await one.kill('SIGKILL')
    await publish(two.url, progress('b'), progress('c'))
    const again = await come(two.url)
    await again.hears((message) => message['event_id'] === 'c')
    expect(ids(again).slice(-2)).toEqual(['b', 'c'])
    expect(new Set(ids(again)).size).toBe(ids(again).length)
  })
})
