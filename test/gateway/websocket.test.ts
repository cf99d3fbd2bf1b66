/** `/ws`: what is asked for and what comes; every dialect stands on the same. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient, type PlainClient, type Told } from './plainClient.js'

const SERVICE = token({ sub: 'engine', role: 'service' })
const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const progress = (id: string, taskId = 'T-1', value = 1): EventInput => ({ id, type: 'task.progress', data: { taskId, progress: value } })

async function publish(url: string, ...inputs: EventInput[]): Promise<void> {
  const told = await ask(`${url}/api/v1/events`, { as: SERVICE, json: inputs })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(inputs.map(() => true))
}

type Payload = Record<string, unknown>
const payloadOf = (message: Told) => message['payload'] as Payload
const is = (type: string, id?: string) => (message: Told) => message['type'] === type && (id === undefined || message['id'] === id)
const answerTo = (id: string) => (message: Told) => message['id'] === id

/** Events as they came, batches opened. */
function events({ told }: PlainClient): Payload[] {
  return told.flatMap((message) => (message['type'] === 'event' ? [payloadOf(message)] : message['type'] === 'events' ? (payloadOf(message)['events'] as Payload[]) : []))
}
const ids = (client: PlainClient) => events(client).map(({ id }) => id)
const hears = (client: PlainClient, id: string) => eventually(() => ids(client).includes(id), `${id}; there are ${ids(client).join(' ')}`)

async function subscribed(client: PlainClient, payload: object): Promise<Told> {
  const id = `sub ${client.told.length}`
  client.say({ type: 'subscribe', id, payload })
  const answer = await client.hears(answerTo(id))
  expect(answer).toMatchObject({ type: 'subscribed' })
  return answer
}

describe('what was before', () => {
  test('comes before `subscribed` when a subscription asks for it, and nothing twice or out of order', async () => {
    const { url } = await hub({ pageEvents: 7 })
    await publish(url, ...Array.from({ length: 30 }, (_, at) => progress(`old-${at}`)))
    const client = await plainClient(url, '/ws', { as: VIEWER })
    client.say({ type: 'subscribe', id: 's', payload: { topics: ['task:T-1'], since: 'all' } })
    await publish(url, ...Array.from({ length: 30 }, (_, at) => progress(`new-${at}`)))
    const answer = await client.hears(is('subscribed', 's'))
    await hears(client, 'new-29')
    expect(ids(client)).toEqual([...Array.from({ length: 30 }, (_, at) => `old-${at}`), ...Array.from({ length: 30 }, (_, at) => `new-${at}`)])
    expect(events(client)[0]).toMatchObject({ topic: 'task:T-1', eventType: 'task.progress', data: { taskId: 'T-1' }, cursor: expect.any(String) })
    expect(payloadOf(answer)).toMatchObject({ topics: ['task:T-1'], activeSubscriptions: 1, cursor: expect.any(String) })
  })

  test('is asked for with the connection, by cursor, number or time; none of it is asked for twice by another subscription', async () => {
    const { url } = await hub()
    await publish(url, progress('a'), progress('b'), progress('c', 'T-2'), progress('d'))
    const all = await plainClient(url, '/ws?topics=task:T-1,task:T-2&since=all', { as: VIEWER })
    await hears(all, 'd')
    expect(ids(all)).toEqual(['a', 'b', 'c', 'd'])
    const cursor = String(events(all)[1]!['cursor'])
    for (const [since, expected] of [[cursor, ['c', 'd']], ['last:1', ['d']], ['1h', ['a', 'b', 'c', 'd']]] as const) {
      const client = await plainClient(url, `/ws?topics=task:*&since=${since}`, { as: VIEWER })
      await hears(client, 'd')
      expect([since, ids(client)]).toEqual([since, expected])
    }
    await expect(plainClient(url, '/ws?topics=task:*&since=yesterday', { as: VIEWER })).rejects.toThrow(/400 .*INVALID_CURSOR/)
  })

  test('that can no longer be had is told as a gap, and what follows comes', async () => {
    const { url } = await hub({ retentionMs: 100, retentionCount: 10, windowEvents: 100, windowBytes: 65_536 })
    const first = await plainClient(url, '/ws?topics=task:*', { as: VIEWER })
    await publish(url, progress('first'))
    await hears(first, 'first')
    const cursor = String(events(first)[0]!['cursor'])
    first.close()
    let published = 0
    const client = await eventually(async () => {
      await publish(url, ...Array.from({ length: 200 }, () => progress(`later-${published++}`)))
      const again = await plainClient(url, `/ws?topics=task:*&since=${cursor}`, { as: VIEWER })
      await again.hears((message) => is('gap')(message) || message['type'] === 'event')
      return again.all(is('gap')).length > 0 && again
    }, 'a journal that was trimmed', 20_000)
    expect(payloadOf(client.all(is('gap'))[0]!)).toMatchObject({ from: cursor, to: expect.any(String), reason: 'trimmed' })
    await hears(client, `later-${published - 1}`)
    const places = ids(client).map((id) => Number(String(id).slice('later-'.length)))
    expect(places).toEqual(places.map((_, at) => places[0]! + at))
  })
})

describe('a subscribe message', () => {
  test('is taken whole or not at all: nothing is told of it when one of its topics is refused', async () => {
    const { url } = await hub({ maxSubscriptions: 3 })
    await publish(url, progress('a'), progress('b', 'T-2'))
    const client = await plainClient(url, '/ws', { as: token({ sub: 'some', role: 'viewer', permissions: ['subscribe:task:T-1', 'subscribe:task:T-3', 'subscribe:task:T-4', 'subscribe:task:T-5'] }) })
    for (const [topics, code] of [
      [['task:T-1', 'task:T-2'], 'INSUFFICIENT_PERMISSIONS'],
      [['task:T-1', 'nonsense'], 'WS_INVALID_TOPIC'],
      [['task:T-1', 'task:T-3', 'task:T-4', 'task:T-5'], 'WS_SUBSCRIPTION_LIMIT'],
      [[], 'WS_INVALID_MESSAGE'],
    ] as const) {
      client.say({ type: 'subscribe', id: code, payload: { topics, since: 'all' } })
      expect(await client.hears(answerTo(code))).toMatchObject({ type: 'error', payload: { code } })
    }
    expect(events(client)).toEqual([])
    client.say({ type: 'unsubscribe', id: 'u', payload: { topics: ['task:T-1'] } })
    expect(await client.hears(answerTo('u'))).toMatchObject({ payload: { code: 'WS_NOT_SUBSCRIBED' } })
    expect(await subscribed(client, { topics: ['task:T-1', 'task:T-3', 'task:T-1'], since: 'all' })).toMatchObject({ payload: { topics: ['task:T-1', 'task:T-3'], activeSubscriptions: 2 } })
    expect(ids(client)).toEqual(['a'])
  })

  test('with `batchMs` has events come several at a time; with `latestOnly` the last of each task', async () => {
    const { url } = await hub()
    const batched = await plainClient(url, '/ws', { as: VIEWER })
    const latest = await plainClient(url, '/ws', { as: VIEWER })
    await subscribed(batched, { topics: ['task:*'], batchMs: 300 })
    await subscribed(latest, { topics: ['task:*'], batchMs: 300, latestOnly: true })
    await publish(url, ...Array.from({ length: 40 }, (_, at) => progress(`e${at}`, `T-${at % 2}`, at)))
    await Promise.all([hears(batched, 'e39'), hears(latest, 'e39')])
    expect(ids(batched)).toEqual(Array.from({ length: 40 }, (_, at) => `e${at}`))
    expect(batched.all(is('events')).length).toBeLessThan(10)
    expect(batched.all(is('event'))).toEqual([])
    expect(ids(latest)).toEqual(expect.arrayContaining(['e38', 'e39']))
    expect(ids(latest).length).toBeLessThan(20)
    // Whoever comes back resumes behind what it was given.
    const cursor = String(events(latest).at(-1)!['cursor'])
    await publish(url, progress('then'))
    const again = await plainClient(url, `/ws?topics=task:*&since=${cursor}`, { as: VIEWER })
    await hears(again, 'then')
    expect(ids(again)).toEqual(['then'])
  })
})

test('an agent has its mail without asking, works a task over it, and gets once what came while it was away', async () => {
  const { url } = await hub()
  const agent = token({ sub: 'coder', role: 'agent', capabilities: ['test'] })
  const mailOf = (client: PlainClient) => events(client).filter(({ eventType }) => eventType === 'task.delegate').map(({ data }) => (data as { taskId: string }).taskId)
  const order = async (id: string) => expect((await ask(`${url}/api/v1/tasks`, { as: SERVICE, json: { id, type: 'test', requires: ['test'] } })).status).toBe(201)
  const first = await plainClient(url, '/ws', { as: agent })
  first.say({ type: 'agent.register', id: 'r', payload: { agentType: 'coder', capabilities: ['test'], maxTasks: 5 } })
  expect(await first.hears(answerTo('r'))).toMatchObject({ type: 'answer', payload: { agentId: 'coder' } })
  await order('T-1')
  await eventually(() => mailOf(first).includes('T-1'), 'the order')
  const { lease } = events(first).find(({ eventType }) => eventType === 'task.delegate')!['data'] as { lease: unknown }
  for (const [type, more] of [['task.accepted', {}], ['task.result', { result: { passed: true } }]] as const) {
    first.say({ type: 'publish', id: type, payload: { type, data: { taskId: 'T-1', lease, ...more } } })
    expect(await first.hears(answerTo(type))).toMatchObject({ type: 'answer' })
  }
  expect((await ask(`${url}/api/v1/tasks/T-1`, { as: SERVICE })).body).toMatchObject({ status: 'completed' })
  first.close()
  await first.end()
  await order('T-2')
  const second = await plainClient(url, '/ws', { as: agent })
  await eventually(() => mailOf(second).includes('T-2'), 'the order that came meanwhile')
  expect(mailOf(second)).toEqual(['T-2'])
})

describe('the hub\'s other messages', () => {
  test('are answered with the id of the question, also when they are refused', async () => {
    const { url } = await hub()
    const client = await plainClient(url, '/ws', { as: SERVICE })
    client.say({ type: 'publish', id: 'p', payload: progress('a') })
    expect(await client.hears(answerTo('p'))).toMatchObject({ type: 'answer', payload: { id: 'a', type: 'task.progress' } })
    client.say({ type: 'snapshot', id: 's', payload: { topics: ['task:T-1'] } })
    expect(await client.hears(answerTo('s'))).toMatchObject({ type: 'answer', payload: { entities: [expect.objectContaining({ id: 'T-1' })] } })
    client.say({ type: 'system.health_check', id: 'h', payload: {} })
    expect(await client.hears(answerTo('h'))).toMatchObject({ payload: { status: 'healthy' } })
    client.say({ type: 'command.handle', id: 'c', payload: { commands: ['deploy'] } })
    expect(await client.hears(answerTo('c'))).toMatchObject({ type: 'error', payload: { code: 'WS_UNKNOWN_TYPE' } })
    client.say({ type: 'publish', id: 'bad', payload: { type: 'task.progress', data: {} } })
    expect(await client.hears(answerTo('bad'))).toMatchObject({ type: 'error', payload: { code: 'VALIDATION_ERROR', retryable: false } })
  })

  test('signals and presence reach it, and it reaches those on Socket.IO', async () => {
    const { url } = await hub({ presenceMs: 0, graceMs: 0 })
    const plain = await plainClient(url, '/ws?topics=task:T-1', { as: SERVICE })
    const stock = await tap(url, { auth: { token: VIEWER } })
    await stock.must('subscribe', { topics: ['task:T-1'] })
    const told: unknown[] = []
    stock.socket.on('signal', (signal: unknown) => told.push(signal))
    plain.say({ type: 'signal', id: 's', payload: { topic: 'task:T-1', name: 'blink', data: 1 } })
    expect(await plain.hears(is('signal'))).toMatchObject({ payload: { topic: 'task:T-1', name: 'blink', data: 1 } })
    await eventually(() => told.length === 1, 'the signal on the other wire')
    plain.say({ type: 'presence', id: 'p', payload: { topic: 'task:T-1', watch: true } })
    expect(await plain.hears(answerTo('p'))).toMatchObject({ type: 'answer', payload: { topic: 'task:T-1', watchers: expect.arrayContaining([expect.objectContaining({ subject: 'viewer' })]) } })
    stock.close()
    expect(await plain.hears((message) => payloadOf(message)?.['name'] === 'presence.changed' && JSON.stringify(message).includes('"left":["viewer"]'))).toMatchObject({ payload: { topic: 'task:T-1' } })
  })
})
