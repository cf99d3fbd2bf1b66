/** What Socket.IO clients say in messages, said over HTTP: the same operations, permissions and failures. */
import type { Signal } from '@hubbub/protocol'
import { ask, type Told } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token, type Claims } from '../harness/token.js'
import type { RunningHub } from '../../server/src/hub.js'
import { agent, client, hub } from './agentHub.js'

const ENGINE: Claims = { sub: 'engine', role: 'service' }
const VIEWER: Claims = { sub: 'page', role: 'viewer' }
const CODER: Claims = { sub: 'coder', role: 'agent' }

const call = (running: RunningHub, path: string, as: Claims, json?: unknown): Promise<Told> => ask(`${running.url}/api/v1/${path}`, { as: token(as), ...(json !== undefined && { json }) })
const codeOf = ({ status, body }: Told) => [status, body.error?.code]

describe('commands over HTTP', () => {
  test('are carried out by a connected executor, and answered with its result', async () => {
    const running = await hub()
    const executor = await agent(running, 'git')
    executor.socket.on('command', ({ payload, by }: { payload: { name: string }; by: string }, answer: (answer: unknown) => void) => answer({ ok: true, result: { branch: payload.name, by } }))
    await executor.must('command.handle', { commands: ['create_branch'] })
    const told = await call(running, 'commands', ENGINE, { command: 'create_branch', payload: { name: 'fix/7' } })
    expect([told.status, told.body]).toEqual([200, { ok: true, commandId: expect.any(String), result: { branch: 'fix/7', by: '/services/engine' } }])
  })

  test('fail as the message does', async () => {
    const running = await hub()
    expect(codeOf(await call(running, 'commands', ENGINE, { command: 'nobody.knows' }))).toEqual([503, 'NO_EXECUTOR'])
    expect(codeOf(await call(running, 'commands', ENGINE, { command: 'Not A Name' }))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await call(running, 'commands', ENGINE, {}))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await call(running, 'commands', VIEWER, { command: 'task.start', payload: { type: 'x' } }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await call(running, 'commands', ENGINE, { command: 'task.start', payload: { type: 'x'.repeat(200_000) } }))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    const silent = await agent(running, 'silent')
    await silent.must('command.handle', { commands: ['wait'] })
    expect(codeOf(await call(running, 'commands', ENGINE, { command: 'wait', timeoutMs: 100 }))).toEqual([504, 'COMMAND_TIMEOUT'])
  })

  test('give nothing to whom was revoked while it waited', async () => {
    const running = await hub()
    const executor = await agent(running, 'git')
    const asked = new Promise<(answer: unknown) => void>((resolve) => executor.socket.on('command', (_call: unknown, answer: (answer: unknown) => void) => resolve(answer)))
    await executor.must('command.handle', { commands: ['tell'] })
    const waiting = call(running, 'commands', ENGINE, { command: 'tell' })
    const answer = await asked
    await call(running, 'revocations', { sub: 'root' }, { subject: 'engine' })
    answer({ ok: true, result: 'secret' })
    const told = await waiting
    expect([codeOf(told), told.text.includes('secret')]).toEqual([[401, 'AUTH_REVOKED'], false])
  })
})

describe('signals and broadcasts over HTTP', () => {
  test('reach those who are there', async () => {
    const running = await hub()
    const [coder, watcher] = [await agent(running), await client(running, VIEWER)]
    const heard: Signal[] = []
    for (const listener of [coder, watcher]) listener.socket.on('signal', (signal: Signal) => heard.push(signal))
    await watcher.must('subscribe', { topics: ['task:1'] })
    const told = await call(running, 'signals', ENGINE, { topic: 'task:1', name: 'look', data: 0 })
    expect([told.status, told.body]).toEqual([202, { ok: true }])
    await eventually(() => heard.length === 1)
    expect(heard).toEqual([{ topic: 'task:1', name: 'look', data: 0, source: '/services/engine', timestamp: expect.any(Number) }])
    expect((await call(running, 'broadcasts', ENGINE, { name: 'pause' })).body).toEqual({ ok: true, reached: 1, complete: true })
    await eventually(() => heard.length === 2)
    expect(heard[1]).toMatchObject({ topic: 'project', name: 'pause', data: null })
  })

  test('are refused with the message\'s codes', async () => {
    const running = await hub()
    expect(codeOf(await call(running, 'signals', ENGINE, { topic: 'task:*', name: 'look' }))).toEqual([400, 'INVALID_TOPIC'])
    expect(codeOf(await call(running, 'signals', VIEWER, { topic: 'task:1', name: 'look' }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await call(running, 'broadcasts', ENGINE, { name: 'x', to: { agentType: 'coder' } }))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await call(running, 'broadcasts', VIEWER, { name: 'x' }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
  })
})

describe('presence over HTTP', () => {
  test('names who watches, and watches nothing itself', async () => {
    const running = await hub()
    const watcher = await client(running, VIEWER)
    await watcher.must('subscribe', { topics: ['task:1'] })
    const watchers = [{ subject: 'page', role: 'viewer', since: expect.any(String) }]
    for (let times = 0; times < 2; times++) expect((await call(running, 'presence?topic=task:1', ENGINE)).body).toEqual({ ok: true, topic: 'task:1', watchers })
    expect((await call(running, 'presence?topic=task:2', ENGINE)).body).toEqual({ ok: true, topic: 'task:2', watchers: [] })
  })

  test('is of one topic that may be subscribed to', async () => {
    const running = await hub()
    expect(codeOf(await call(running, 'presence?topic=task:*', ENGINE))).toEqual([400, 'INVALID_TOPIC'])
    expect(codeOf(await call(running, 'presence', ENGINE))).toEqual([400, 'INVALID_TOPIC'])
    expect(codeOf(await call(running, 'presence?topic=task:1', { ...VIEWER, permissions: ['subscribe:agent:*'] }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
  })
})

describe('an agent that polls', () => {
  const mailSince = async (running: RunningHub, cursor: string) => {
    const { body } = await call(running, `history?topic=inbox:coder&since=${cursor}`, CODER)
    return { ids: (body['events'] as { event: { id: string } }[]).map(({ event }) => event.id), cursor: body['cursor'] as string }
  }
  const register = async (running: RunningHub, as = CODER, json: object = {}) => {
    const told = await call(running, 'agents', as, json)
    expect(told.status).toBe(201)
    return told
  }
  const write = (running: RunningHub, ...ids: string[]) =>
    call(running, 'events', ENGINE, ids.map((id) => ({ id, type: 'custom.letter', data: {}, topics: ['inbox:coder'] })))

  test('registers, is given a task, and delivers it without ever being connected', async () => {
    const running = await hub()
    const { body, headers } = await register(running, CODER, { capabilities: ['ts'] })
    expect(headers.get('location')).toBe('/api/v1/agents/coder')
    expect(body).toMatchObject({ ok: true, agentId: 'coder', status: 'registered', heartbeat: { intervalMs: 30_000 }, mailCursor: expect.any(String) })
    await call(running, 'tasks', ENGINE, { id: 't1', type: 'x', requires: ['ts'] })
    const mail = await call(running, `history?topic=inbox:coder&since=${String(body['mailCursor'])}&wait=20`, CODER)
    const [{ event }] = mail.body['events'] as [{ event: { type: string; data: { taskId: string; leaseToken: string } } }]
    expect(event).toMatchObject({ type: 'task.delegate', data: { taskId: 't1' } })
    const { taskId, leaseToken } = event.data
    expect((await call(running, 'events', CODER, { type: 'task.accepted', data: { taskId, leaseToken } })).status).toBe(201)
    expect((await call(running, 'events', CODER, { type: 'task.result', data: { taskId, leaseToken, result: 3 } })).body).toMatchObject({ ok: true, status: 'completed' })
  })

  test('finds what came while it was away, and again what it was handed but never asked on from', async () => {
    const running = await hub()
    await write(running, 'one', 'two')
    const first = (await register(running)).body['mailCursor'] as string
    const read = await mailSince(running, first)
    expect(read.ids).toEqual(['one', 'two'])
    // A process that died with them: nobody said that they arrived.
    const again = (await register(running)).body['mailCursor'] as string
    expect((await mailSince(running, again)).ids).toEqual(['one', 'two'])
    await write(running, 'three')
    expect((await mailSince(running, read.cursor)).ids).toEqual(['three'])
    const begins = await eventually(async () => {
      const cursor = (await register(running)).body['mailCursor'] as string
      return (await mailSince(running, cursor)).ids.join() === 'three' && cursor
    }, 'the mark behind what was taken')
    expect((await mailSince(running, begins)).ids).toEqual(['three'])
  })

  test('has nothing marked as taken by a narrower question, a cursor that the journal does not know, or somebody else', async () => {
    const running = await hub()
    await write(running, 'one')
    await register(running)
    const { cursor } = await mailSince(running, 'all')
    const future = cursor.replace(/\.\d+-/, '.9999999999999-')
    for (const query of [`topic=inbox:coder&types=custom.*&since=${cursor}`, `topic=inbox:coder&topic=task:1&since=${cursor}`, `topic=inbox:coder&since=${future}`, `topic=inbox:coder&since=other.${cursor.split('.')[1]}`]) {
      expect((await call(running, `history?${query}`, CODER)).status).toBe(200)
    }
    expect((await call(running, `history?topic=inbox:coder&since=${cursor}`, { sub: 'root' })).status).toBe(200)
    expect((await call(running, `history?topic=inbox:coder&since=${cursor}`, { sub: 'other', role: 'agent' })).status).toBe(403)
    expect((await mailSince(running, (await register(running)).body['mailCursor'] as string)).ids).toEqual(['one'])
  })

  test('goes on over a connection where its polling ended', async () => {
    const running = await hub()
    await write(running, 'one', 'two')
    const { cursor } = await mailSince(running, 'all')
    await write(running, 'three')
    await mailSince(running, cursor)
    await eventually(async () => (await mailSince(running, (await register(running)).body['mailCursor'] as string)).ids.join() === 'three', 'the mark')
    const coder = await agent(running)
    await coder.hears('three')
    expect(coder.ids().filter((id) => ['one', 'two', 'three'].includes(id))).toEqual(['three'])
  })

  test('is registered by a service without getting a look into its mail, and refused like the message', async () => {
    const running = await hub()
    expect((await register(running, ENGINE, { agentId: 'coder' })).body).not.toHaveProperty('mailCursor')
    expect(codeOf(await call(running, 'agents', CODER, {}))).toEqual([409, 'DUPLICATE_AGENT'])
    expect(codeOf(await call(running, 'agents', VIEWER, {}))).toEqual([403, 'AGENT_NOT_IDENTIFIED'])
    expect(codeOf(await call(running, 'agents', CODER, { agentId: 'other' }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await call(running, 'agents', CODER, { maxTasks: 0 }))).toEqual([400, 'INVALID_MESSAGE'])
  })
})
