/** `/ws/:project`: commands in; events, answers and refusals out, with seconds. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { plainClient, type PlainClient, type Told } from './plainClient.js'

const SERVICE = token({ sub: 'engine', role: 'service' })
const isEvent = (message: Told) => message['type'] === 'event'
const kinds = (client: PlainClient) => client.all(isEvent).map((message) => message['event_type'])

async function publish(url: string, ...events: EventInput[]): Promise<void> {
  const told = await ask(`${url}/api/v1/events`, { as: SERVICE, json: events })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(events.map(() => true))
}

const gate: EventInput = { type: 'gate.running', data: { gate: 'tests', taskId: 'T-1' } }
const output: EventInput = { type: 'agent.output', data: { agentId: 'a', output: 'line' } }
const started: EventInput = { type: 'task.started', data: { taskId: 'T-1' } }

test('connected, it hears all of the project, with fields as they were and seconds', async () => {
  const { url } = await hub()
  const client = await plainClient(url, '/ws/default', { as: SERVICE })
  expect(await client.hears((message) => message['type'] === 'connected')).toMatchObject({ project_id: 'default', connection_id: expect.any(String), subscribed_events: ['*'], heartbeat_interval: 30, heartbeat_timeout: 90 })
  await publish(url, started)
  const heard = await client.hears((message) => message['event_type'] === 'task_started')
  expect(heard).toMatchObject({ type: 'event', task_id: 'T-1', project_id: 'default', data: { taskId: 'T-1' }, event_id: expect.any(String), cursor: expect.any(String) })
  expect(Math.abs(Number(heard['timestamp']) - Date.now() / 1000)).toBeLessThan(60)
})

test('chooses by event type, and passes nothing over when it changes its mind', async () => {
  const { url } = await hub()
  const client = await plainClient(url, '/ws/default', { as: SERVICE })
  client.say({ command: 'subscribe', payload: { events: ['gate_running'] } })
  expect(await client.hears((message) => message['type'] === 'command_response')).toMatchObject({ command: 'subscribe', success: true, subscribed_events: ['gate_running'] })
  await publish(url, gate, output)
  client.say({ command: 'subscribe', payload: { events: ['agent_output'] } })
  await client.hears((message) => message['command'] === 'subscribe')
  await publish(url, gate, output)
  await client.hears((message) => message['event_type'] === 'agent_output')
  expect(kinds(client)).toEqual(['gate_running', 'gate_running', 'agent_output'])
  client.say({ command: 'unsubscribe', payload: { events: ['gate_running', 'agent_output'] } })
  expect(await client.hears((message) => message['command'] === 'unsubscribe')).toMatchObject({ subscribed_events: [] })
  client.say({ command: 'unsubscribe', payload: { events: ['gate_running'] } })
  expect(await client.hears((message) => message['type'] === 'command_error')).toMatchObject({ command: 'unsubscribe', code: 'NOT_SUBSCRIBED' })
})

test('start_task, cancel_execution and create_branch are carried out, and their answers told', async () => {
  const { url } = await hub()
  const executor = await tap(url, { auth: { token: SERVICE } })
  executor.socket.on('command', (call: { command: string; payload: unknown }, ack: (answer: unknown) => void) => ack({ ok: true, result: { did: call.command, with: call.payload } }))
  await executor.must('command.handle', { commands: ['create_branch'] })
  const client = await plainClient(url, '/ws/default', { as: SERVICE })
  client.say({ command: 'create_branch', payload: { name: 'feature' }, id: 'c-1' })
  expect(await client.hears((message) => message['id'] === 'c-1')).toMatchObject({ type: 'command_response', command: 'create_branch', success: true, result: { with: { name: 'feature' } } })
  client.say({ command: 'start_task', payload: { id: 'T-7', type: 'build' }, id: 'c-2' })
  expect(await client.hears((message) => message['id'] === 'c-2')).toMatchObject({ type: 'command_response', command: 'start_task' })
  client.say({ command: 'cancel_execution', payload: { taskId: 'T-7' }, id: 'c-3' })
  expect(await client.hears((message) => message['id'] === 'c-3')).toMatchObject({ type: 'command_response', command: 'cancel_execution' })
  executor.close()
})

test('is told why a message is refused', async () => {
  const { url } = await hub()
  const client = await plainClient(url, '/ws/default', { as: SERVICE })
  client.say({ command: 'ping' })
  expect(await client.hears((message) => message['type'] === 'pong')).toMatchObject({ timestamp: expect.any(Number) })
  client.say({ command: 'deploy', payload: {}, id: 'x' })
  expect(await client.hears((message) => message['id'] === 'x')).toMatchObject({ type: 'command_error', command: 'deploy', code: 'NO_EXECUTOR', error: expect.any(String) })
  client.say({ command: 'subscribe', payload: { events: 'all' } })
  expect(await client.hears((message) => message['type'] === 'command_error')).toMatchObject({ code: 'INVALID_MESSAGE' })
  client.say({ payload: {} })
  expect(await client.hears((message) => message['type'] === 'error')).toMatchObject({ code: 'INVALID_MESSAGE' })
  client.say('not json')
  await client.hears((message) => message['type'] === 'error')
})

test('another project is refused before the upgrade, and hears nothing of it (I6)', async () => {
  const { url } = await hub()
  await expect(plainClient(url, '/ws/other', { as: SERVICE })).rejects.toThrow(/403 .*WRONG_PROJECT/)
  await expect(plainClient(url, '/ws/default')).rejects.toThrow(/401 .*AUTH_MISSING_TOKEN/)
  const other = await plainClient(url, '/ws/other', { as: token({ sub: 'both', role: 'viewer', projects: ['other', 'default'] }) })
  await publish(url, started)
  other.say({ command: 'ping' })
  await other.hears((message) => message['type'] === 'pong')
  expect(kinds(other)).toEqual([])
})

test('whoever may see some of the project hears that, and chooses among it', async () => {
  const { url } = await hub()
  const some = token({ sub: 'some', role: 'viewer', permissions: ['subscribe:task:*', 'subscribe:agent:b'] })
  const client = await plainClient(url, '/ws/default', { as: some })
  expect(await client.hears((message) => message['type'] === 'connected')).toMatchObject({ subscribed_events: ['*'], topics: ['task:*', 'agent:b'] })
  await publish(url, output, started)
  expect(await client.hears(isEvent)).toMatchObject({ event_type: 'task_started' })
  client.say({ command: 'subscribe', payload: { events: ['agent_output'] } })
  await client.hears((message) => message['type'] === 'command_response')
  await publish(url, started, output, { type: 'agent.output', data: { agentId: 'b', output: 'mine' } })
  expect(await client.hears(isEvent)).toMatchObject({ event_type: 'agent_output', output: 'mine' })
  const nothing = await plainClient(url, '/ws/default', { as: token({ sub: 'none', role: 'viewer', permissions: ['publish:task.*'] }) })
  expect(await nothing.hears((message) => message['type'] === 'connected')).toMatchObject({ subscribed_events: [], topics: [] })
})

test('a choice that is made while the past is still coming passes nothing over', async () => {
  const { url } = await hub()
  const line: EventInput = { type: 'agent.output', data: { agentId: 'a', output: 'x'.repeat(60_000) } }
  for (let page = 0; page < 10; page++) await publish(url, ...Array.from({ length: 20 }, () => line), { ...gate, id: `g${page}` })
  const client = await plainClient(url, '/ws/default?since=all', { as: SERVICE })
  client.say({ command: 'subscribe', payload: { events: ['gate_running'] } })
  await client.hears((message) => message['type'] === 'command_response')
  await publish(url, { ...gate, id: 'last' })
  await client.hears((message) => message['event_id'] === 'last')
  expect(client.all((message) => message['event_type'] === 'gate_running').map((message) => message['event_id'])).toEqual([...Array.from({ length: 10 }, (_, at) => `g${at}`), 'last'])
})
