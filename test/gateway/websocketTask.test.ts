/** `/ws/tasks/:taskId`: a task's events under the names of these clients, and the place of a client that comes back. */
import type { EventInput } from '@hubbub/protocol'
import { startCluster } from '../harness/cluster.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient, type PlainClient, type Told } from './plainClient.js'

const SERVICE = token({ sub: 'engine', role: 'service' })
const progress = (id: string, taskId = 'T-1'): EventInput => ({ id, type: 'task.progress', data: { taskId, progress: 1 } })
const isEvent = (message: Told) => typeof message['event_id'] === 'string' && message['event_type'] !== undefined
const ids = (client: PlainClient) => client.all(isEvent).map((message) => message['event_id'])

async function publish(url: string, ...events: EventInput[]): Promise<void> {
  const told = await ask(`${url}/api/v1/events`, { as: SERVICE, json: events })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(events.map(() => true))
}

const established = (client: PlainClient) => client.hears((message) => message['event_type'] === 'connection_established', 'the first words')

test('is subscribed from its first moment, and hears its task only, under the names it knows', async () => {
  const { url } = await hub()
  const client = await plainClient(url, '/ws/tasks/T-1', { as: SERVICE })
  const welcome = await established(client)
  expect(welcome).toMatchObject({ task_id: 'T-1', data: { client_id: expect.any(String), resumed: false } })
  expect(client.told[0]).toBe(welcome)
  await publish(url, { id: 'a', type: 'task.created', data: { taskId: 'T-1', title: 'x' } }, progress('b'), progress('c', 'T-2'), { id: 'd', type: 'agui.text_message_content', topics: ['task:T-1'], data: { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'hi' } })
  const heard = await client.hears((message) => message['event_id'] === 'd')
  expect(heard).toMatchObject({ event_type: 'message.delta', data: { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'hi' }, timestamp: expect.stringMatching(/^\d{4}-.*Z$/), cursor: expect.any(String) })
  expect(ids(client).filter((id) => ['a', 'b', 'c', 'd'].includes(String(id)))).toEqual(['a', 'b', 'd'])
  expect(client.all(isEvent).find((message) => message['event_id'] === 'b')).toMatchObject({ event_type: 'progress_update', task_id: 'T-1', data: { taskId: 'T-1', progress: 0.01 } })
})

test('answers heartbeats and pings, takes events of its task, and refuses what is none', async () => {
  const { url } = await hub()
  const client = await plainClient(url, '/ws/tasks/T-1', { as: SERVICE })
  client.say({ type: 'heartbeat', timestamp: Date.now() })
  expect(await client.hears((message) => message['event_type'] === 'heartbeat')).toMatchObject({ data: { status: 'alive' } })
  client.say({ type: 'ping' })
  await client.hears((message) => message['type'] === 'pong')
  client.say({ event_type: 'progress_update', data: { progress: 0.4, message: 'half way' } })
  const ack = await client.hears((message) => message['type'] === 'ack')
  expect(client.all(isEvent).find((message) => message['event_id'] === ack['event_id']) ?? (await client.hears((message) => message['event_type'] === 'progress_update'))).toMatchObject({ data: { taskId: 'T-1', progress: 0.4 } })
  for (const [wrong, code] of [[{ event_type: 'nonsense', data: {} }, 'UNKNOWN_TYPE'], [{ event_type: 'progress_update', data: { progress: 'much' } }, 'VALIDATION_ERROR'], ['{', 'INVALID_MESSAGE'], [7, 'INVALID_MESSAGE']] as const) {
    client.say(wrong)
    expect(await client.hears((message) => message['event_type'] === 'error', code)).toMatchObject({ data: { code } })
  }
})

test('an event of several tasks names the one that is watched; AG-UI\'s older names need no ids', async () => {
  const { url } = await hub()
  const [one, two] = [await plainClient(url, '/ws/tasks/T-1', { as: SERVICE }), await plainClient(url, '/ws/tasks/T-2', { as: SERVICE })]
  await publish(url, { id: 'a', type: 'custom.note', data: {}, topics: ['task:T-1', 'task:T-2'] })
  expect((await one.hears((message) => message['event_id'] === 'a'))['task_id']).toBe('T-1')
  expect((await two.hears((message) => message['event_id'] === 'a'))['task_id']).toBe('T-2')
  one.say({ event_type: 'message.delta', data: { delta: 'hi' } })
  await one.hears((message) => message['event_type'] === 'message.delta')
  one.say({ event_type: 'tool_call.start', data: { tool_name: 'grep' } })
  expect(await one.hears((message) => message['event_type'] === 'tool_call.start')).toMatchObject({ data: { type: 'TOOL_CALL_START', toolCallName: 'grep', toolCallId: 'T-1:grep' } })
})

test('a client that comes back with its id gets what it missed, once and in order', async () => {
  const { url } = await hub()
  const first = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  await established(first)
  await publish(url, progress('a'))
  await first.hears((message) => message['event_id'] === 'a')
  await first.settled()
  first.close()
  await first.end()
  await publish(url, progress('b'), progress('c'))
  const again = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  expect(await established(again)).toMatchObject({ data: { client_id: 'mine', resumed: true } })
  await again.hears((message) => message['event_id'] === 'c')
  expect(ids(again)).toEqual(['b', 'c'])
  // Neither somebody else's id nor another task's is this client's place.
  const other = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: token({ sub: 'somebody-else', role: 'viewer' }) })
  expect(await established(other)).toMatchObject({ data: { resumed: false } })
})

test('of more than the queue holds it gets the newest, after a gap', async () => {
  const { url } = await hub({ wsQueue: 5 })
  const first = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  await established(first)
  first.close()
  await first.end()
  await publish(url, ...Array.from({ length: 12 }, (_, at) => progress(`e${at}`)))
  const again = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  await again.hears((message) => message['event_type'] === 'gap')
  await again.hears((message) => message['event_id'] === 'e11')
  expect(ids(again)).toEqual(['e7', 'e8', 'e9', 'e10', 'e11'])
})

test('a second connection with the id takes its place, and the first is closed', async () => {
  const { url } = await hub()
  const first = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  await established(first)
  const second = await plainClient(url, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
  await established(second)
  await publish(url, progress('a'))
  await second.hears((message) => message['event_id'] === 'a')
  expect(await first.end()).toMatchObject({ code: 1000 })
})

test('is refused before the upgrade: no credential, a task it may not see, an id that is none', async () => {
  const { url } = await hub()
  await expect(plainClient(url, '/ws/tasks/T-1')).rejects.toThrow(/401 .*AUTH_MISSING_TOKEN/)
  await expect(plainClient(url, '/ws/tasks/T-1', { as: token({ sub: 'other', role: 'viewer', permissions: ['subscribe:task:T-2'] }) })).rejects.toThrow(/403 .*INSUFFICIENT_PERMISSIONS/)
  await expect(plainClient(url, '/ws/tasks/T%20*', { as: SERVICE })).rejects.toThrow(/400 .*INVALID_TOPIC/)
  await expect(plainClient(url, '/ws/tasks/T-1?client_id=%00', { as: SERVICE })).rejects.toThrow(/400 .*INVALID_MESSAGE/)
  await expect(plainClient(url, '/ws/tasks/T-1?since=yesterday', { as: SERVICE })).rejects.toThrow(/400 .*INVALID_CURSOR/)
})

test('the place is found on any worker (I8)', async () => {
  const cluster = await startCluster({ workers: 2, processors: 1 })
  try {
    const [one, two] = cluster.workers.map(({ url }) => url)
    const first = await plainClient(one!, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
    await established(first)
    await publish(one!, progress('a'))
    await first.hears((message) => message['event_id'] === 'a')
    await first.settled()
    first.close()
    await first.end()
    await publish(one!, progress('b'))
    await eventually(async () => {
      const again = await plainClient(two!, '/ws/tasks/T-1?client_id=mine', { as: SERVICE })
      await again.hears((message) => message['event_id'] === 'b')
      return ids(again).join() === 'b'
    }, 'what was missed, on the other worker')
  } finally {
    await cluster.stop()
  }
})
