/**
 * Programs as the older designs print them, unchanged, on this hub. Only where the hub is comes from here, and what a program calls and does
 * not define (`programs/`). The hub asks for no credential, as theirs did not.
 */
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import type { EventInput } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import type { RunningHub } from '../../server/src/hub.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { hub } from '../gateway/agentHub.js'
import { plainClient, type Told } from '../gateway/plainClient.js'
import { printed, runPython, whyNoPython, type Running } from './python.js'
import { startRefusing } from './refusing.js'

/** Until the printed client takes a WebSocket for impossible it waits 5 s. */
const FALLBACK_MS = 15_000

const openHub = (): Promise<RunningHub> => hub({ auth: 'none' })

async function publish(url: string, ...events: EventInput[]): Promise<void> {
  const told = await ask(`${url}/api/v1/events`, { json: events })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(events.map(() => true))
}

const created = (taskId: string, streamId: string): EventInput => ({ type: 'task.created', data: { taskId, taskTitle: `Task ${taskId}`, streamId } })
const changed = (taskId: string, newStatus: string): EventInput => ({ type: 'task.status_changed', data: { taskId, taskTitle: `Task ${taskId}`, newStatus } })
const completed = (taskId: string): EventInput => ({ type: 'task.completed', data: { taskId } })

/** Its messages were taken: before that nothing that happens comes to it. */
async function subscribed(url: string, connections = 1): Promise<void> {
  await eventually(async () => (await ask(`${url}/api/v1/websocket/status`)).body['active'] === connections, 'the subscription')
}

const missing = whyNoPython()
if (missing !== undefined) process.stdout.write(`the printed Python programs are left out: ${missing}\n`)
else {
  describe('design 004: its Python client', () => {
    const calls = (running: Running) => running.lines.filter((line) => line.includes('"topic"')).map((line) => JSON.parse(line) as { topic: string; event_type: string; data: Record<string, unknown> })

    test('connects, subscribes, and is called with what happens, at once', async () => {
      const { url } = await openHub()
      const client = runPython('watch.py', [url, '30', 'stream:Stream-A', 'task:TASK-1'])
      await client.says('"connected": true, "polls": false')
      await subscribed(url)
      await publish(url, created('TASK-1', 'Stream-A'), created('TASK-2', 'Stream-A'), completed('TASK-1'))
      await client.says('"progressPercentage": 50')
      expect(calls(client).findLast(({ event_type: type }) => type === 'stream.progress')).toMatchObject({ topic: 'stream:Stream-A', data: { streamId: 'Stream-A', totalTasks: 2, completedTasks: 1, progressPercentage: 50 } })
      const own = calls(client).filter(({ topic }) => topic.startsWith('task:'))
      expect(own.map(({ topic }) => topic)).toEqual(own.map(() => 'task:TASK-1'))
      expect(own.map(({ event_type: type }) => type)).toEqual(['task.created', 'task.completed', 'task.status_changed'])
      expect(client.lines.filter((line) => line.includes('rror'))).toEqual([])
      client.finish()
      expect(await client.exited).toEqual({ code: 0, signal: null })
      await eventually(async () => (await ask(`${url}/api/v1/websocket/status`)).body['total'] === 0, 'the end of its connection')
    })

    test('answers the hub\'s pings, so that its silence does not end it', async () => {
      const { url } = await hub({ auth: 'none', wsPingMs: 100, wsSilenceMs: 400 })
      const client = runPython('watch.py', [url, '30', 'task:*'])
      await client.says('"connected": true')
      await subscribed(url)
      // One that does not answer shows when the time is over.
      const silent = new WebSocket(`${url.replace('http', 'ws')}/ws`, { autoPong: false })
      await new Promise((resolve) => silent.once('close', resolve))
      await publish(url, created('TASK-1', 'Stream-A'))
      await client.says('"task.created"')
      expect(client.lines).not.toContain('WebSocket connection closed')
    })

    test('polls where there is no WebSocket, and is called when something changed', async () => {
      const { url } = await openHub()
      await publish(url, created('TASK-1', 'Stream-A'), created('TASK-2', 'Stream-A'))
      const way = await startRefusing(url)
      const client = runPython('watch.py', [way.url, '1', 'stream:Stream-A'])
      await client.says('falling back to HTTP polling', FALLBACK_MS)
      await client.says('"connected": true, "polls": true')
      await client.says('"progressPercentage": 0')
      await publish(url, completed('TASK-1'))
      await client.says('"progressPercentage": 50')
      expect(calls(client).map(({ topic, event_type: type }) => [topic, type])).toEqual([['stream:Stream-A', 'stream.progress'], ['stream:Stream-A', 'stream.progress']])
      expect(calls(client)[1]!.data).toMatchObject({ streamId: 'Stream-A', streamName: 'Stream-A', totalTasks: 2, completedTasks: 1 })
      expect(way.refused()).toBeGreaterThan(0)
      expect(new Set(way.asked)).toEqual(new Set(['/api/streams/Stream-A']))
    })

    test('its test of the connection chooses the WebSocket where there is one, and polling where there is none', async () => {
      const { url } = await openHub()
      const detection = printed('task_copilot_detection.py')
      await runPython('detect.py', [url, detection]).says('mode websocket')
      const way = await startRefusing(url)
      await runPython('detect.py', [way.url, detection]).says('mode http')
      expect([way.asked, way.refused()]).toEqual([['/health'], 1])
    })
  })

  describe('design 004: its orchestrator', () => {
    const orchestrator = (apiBaseUrl: string, pollInterval?: number) =>
      runPython('orchestrate.py', [JSON.stringify({ apiBaseUrl, pollInterval, streams: [{ streamId: 'Stream-A' }, { streamId: 'Stream-B' }] }), printed('start-streams.py')])

    test('follows its streams and starts what waits for them, and notifies of a task that is blocked', async () => {
      const { url } = await openHub()
      const running = orchestrator(url)
      await running.says('WebSocket connected')
      await eventually(async () => (await ask(`${url}/api/v1/websocket/status`)).body['active'] === 1, 'the subscription')
      await publish(url, created('TASK-1', 'Stream-A'), created('TASK-2', 'Stream-A'), created('TASK-3', 'Stream-B'))
      await publish(url, completed('TASK-1'), changed('TASK-3', 'blocked'))
      await running.says('Stream Stream-A: 50.0% complete')
      await running.says('notify Task blocked: Task TASK-3')
      expect(running.lines.filter((line) => line.startsWith('trigger'))).toEqual([])
      await publish(url, completed('TASK-2'))
      await running.says('Stream Stream-A: 100.0% complete')
      await running.says('trigger Stream-A')
      running.interrupt()
      await running.says('Shutting down...')
      expect((await running.exited).code).toBe(0)
      expect(running.lines.filter((line) => line.startsWith('trigger'))).toEqual(['trigger Stream-A'])
    })

    test('goes on by polling where there is no WebSocket', async () => {
      const { url } = await openHub()
      await publish(url, created('TASK-1', 'Stream-A'), created('TASK-2', 'Stream-B'))
      const way = await startRefusing(url)
      const running = orchestrator(way.url, 1)
      await running.says('falling back to HTTP polling', FALLBACK_MS)
      await running.says('Stream Stream-B: 0.0% complete')
      await publish(url, completed('TASK-1'))
      await running.says('trigger Stream-A')
      running.interrupt()
      expect((await running.exited).code).toBe(0)
    })
  })

  test('design 002: an agent\'s report through its event bus comes to who watches the task', async () => {
    const { url } = await openHub()
    const watcher = await plainClient(url, '/ws/tasks/task_001')
    await watcher.hears(({ event_type: type }) => type === 'connection_established')
    const report = runPython('report.py', [printed('agent_integration.py')], { HUBBUB_URL: url })
    expect([await report.exited, report.errors()]).toEqual([{ code: 0, signal: null }, ''])
    expect(await watcher.hears(({ event_type: type }) => type === 'progress_update')).toMatchObject({ task_id: 'task_001', data: { progress: 0.75, message: 'Processing documents...', confidence: 0.85 } })
    expect(await watcher.hears(({ event_type: type }) => type === 'tool_call.start')).toMatchObject({ data: { toolCallName: 'web_scraper' } })
    await watcher.hears(({ event_type: type }) => type === 'tool_call.end')
  })
}

test('design 002: the page\'s script hears its task and sends its heartbeat', async () => {
  const { url } = await openHub()
  const logged: unknown[][] = []
  const sockets: Page[] = []
  /** The address that is printed is where the hub is; what is said while it connects waits, where a browser would refuse it. */
  class Page extends WebSocket {
    constructor(address: string) {
      super(address.replace('ws://localhost:8000', url.replace('http', 'ws')))
      sockets.push(this)
    }

    override send(text: string): void {
      if (this.readyState === this.OPEN) super.send(text)
      else this.once('open', () => super.send(text))
    }
  }
  try {
    runInNewContext(readFileSync(printed('frontend-integration.txt'), 'utf8'), { WebSocket: Page, console: { log: (...words: unknown[]) => logged.push(words) } })
    await eventually(() => logged.some(([, type]) => type === 'heartbeat'), 'the answer to its heartbeat')
    await publish(url, { type: 'task.progress', data: { taskId: 'task_001', progress: 75 } })
    await eventually(() => logged.some(([, type]) => type === 'progress_update'), 'its event')
    expect(logged[0]).toEqual(['Event:', 'connection_established', expect.objectContaining({ client_id: expect.any(String) })])
    expect(logged.find(([, type]) => type === 'progress_update')).toEqual(['Event:', 'progress_update', expect.objectContaining({ progress: 0.75 })])
  } finally {
    for (const socket of sockets) socket.terminate()
  }
})

describe('design 003: the format of its messages', () => {
  const format = readFileSync(printed('client-message-format.txt'), 'utf8')
  const listed = (field: string) => new RegExp(`"${field}": "([a-z_|]+)"`).exec(format)![1]!.split('|')

  test('each command that it prints is answered by a message that it prints', async () => {
    const { url } = await openHub()
    const client = await plainClient(url, '/ws/default')
    const payloads: Record<string, object> = { subscribe: { events: ['task_started', 'agent_output', 'gate_running', 'signal_detected'] }, unsubscribe: { events: ['task_started'] }, start_task: { type: 'build' }, cancel_execution: { task_id: 'none' } }
    expect(await client.hears(() => true)).toMatchObject({ type: 'connected' })
    for (const command of listed('command')) {
      client.say({ command, payload: payloads[command] ?? {} })
      const answer = await client.hears(({ type, command: about }) => type === 'pong' || about === command, command)
      expect([command, answer['type']]).toEqual([command, { ping: 'pong', cancel_execution: 'command_error', create_branch: 'command_error' }[command] ?? 'command_response'])
    }
    client.say('nothing')
    expect(await client.hears(({ type }) => type === 'error')).toMatchObject({ code: 'INVALID_MESSAGE' })
    await publish(url, { type: 'agent.output', data: { agentId: 'a', output: 'line' } })
    expect(await client.hears(({ type }) => type === 'event')).toMatchObject({ event_type: 'agent_output', agent_id: 'a', output: 'line' })
    expect(client.told.map(({ type }) => type)).toEqual(client.told.map(() => expect.stringMatching(`^(${listed('type').join('|')}|cursor)$`)))
    expect(client.told.map(({ timestamp }) => Number(timestamp) > 1e9 && Number(timestamp) < 1e10)).toEqual(client.told.map(() => true))
  })
})

test('design 004: the life of a subscription as it prints it', async () => {
  const { url } = await openHub()
  const client = await plainClient(url, '/ws')
  const script = readFileSync(printed('subscription-lifecycle.txt'), 'utf8')
  const said = [...script.matchAll(/JSON\.stringify\((\{.*?\n\})\)/gs)].map(([, text]) => runInNewContext(`(${text})`, { Date }) as Told)
  const shown = [...script.matchAll(/\n(\{\n.*?\n\})\n/gs)].map(([, text]) => runInNewContext(`(${text})`) as Told)
  expect([said.length, shown.length]).toEqual([2, 2])
  client.say(said[0])
  const confirmed = await client.hears(({ type }) => type === 'subscribed')
  expect(confirmed).toMatchObject({ ...shown[0], timestamp: expect.any(String) })
  const named: EventInput = { type: 'stream.started', data: { streamId: 'Stream-A', streamName: 'foundation' } }
  await publish(url, named, ...['T-1', 'T-2', 'T-3', 'T-4'].map((id) => created(id, 'Stream-A')), completed('T-1'))
  const event = await client.hears((message) => (message['payload'] as { data?: { completedTasks?: number } }).data?.completedTasks === 1, 'the progress')
  expect(event).toMatchObject({ ...shown[1], timestamp: expect.any(String) })
  client.say(said[1])
  expect(await client.hears(({ type }) => type === 'unsubscribed')).toMatchObject({ id: 'unsub-1', payload: { topics: ['task:*'], activeSubscriptions: 1 } })
})
