/** `/ws?dialect=autosdlc`: `{ id, type, timestamp, data, metadata }`, credentials in a message, subscriptions by resource, compressed data. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { canonicalType } from '@hubbub/protocol'
import { NAMES } from '../../server/src/gateway/websocket/dialects/autosdlc/message.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'
import { token } from '../harness/token.js'
import { client, hub, service } from './agentHub.js'
import { answer } from './autosdlcAnswer.js'
import { line, type Line, type Told } from './dialectLine.js'

const PATH = '/ws?dialect=autosdlc'
const PAGE = { sub: 'page', role: 'viewer' } as const
const CODER = { sub: 'coder-001', role: 'agent', agent_type: 'coder', capabilities: ['ts'] } as const

describe('connecting', () => {
  test('is greeted with `connect`, and let in with `auth_success`', async () => {
    const running = await hub()
    const coder = await line(running, PATH, CODER)
    await coder.hears('auth_success')
    expect(coder.told.map(({ type }) => type).slice(0, 2)).toEqual(['connect', 'auth_success'])
    expect(coder.told[0]).toMatchObject({
      id: expect.any(String), timestamp: expect.any(Number), metadata: { version: '1.0', source: '/hub' },
      data: { connectionId: expect.any(String), protocolVersion: '1.0', heartbeatInterval: 30_000, serverTime: expect.any(Number) },
    })
    expect(coder.told[1]!.data).toMatchObject({
      connectionId: coder.told[0]!.data['connectionId'], agentId: 'coder-001', agentType: 'coder', capabilities: ['ts'], permissions: expect.arrayContaining(['publish:agent.*']), project: 'default', cursor: expect.any(String),
    })
  })

  test('takes the credential behind the upgrade, and hears what was sent right behind it', async () => {
    const running = await hub()
    const page = await line(running, PATH)
    await page.hears('connect')
    page.say({ id: 'a', type: 'auth_request', timestamp: Date.now(), data: { token: token(PAGE) } })
    page.say({ id: 's', type: 'subscribe', timestamp: Date.now(), data: { agentId: 'coder-001' } })
    page.say({ id: 'p', type: 'ping', timestamp: Date.now() })
    await Promise.all([page.hears('subscription_update', ({ metadata }) => metadata['correlationId'] === 's'), page.hears('pong', ({ metadata }) => metadata['correlationId'] === 'p')])
    expect(page.told.map(({ type }) => type).slice(0, 2)).toEqual(['connect', 'auth_success'])
    expect(page.of('error')).toEqual([])
  })

  test.each([
    ['query', (text: string) => ({ path: `${PATH}&token=${text}`, headers: {} })],
    ['header', (text: string) => ({ path: PATH, headers: { authorization: `Bearer ${text}` } })],
    ['cookie', (text: string) => ({ path: PATH, headers: { cookie: `hubbub_token=${text}` } })],
  ])('takes it from the %s', async (_where, how) => {
    const running = await hub()
    const { path, headers } = how(token(PAGE))
    expect((await (await line(running, path, undefined, headers)).hears('auth_success')).data).toMatchObject({ subject: 'page', role: 'viewer' })
  })

  test('with a bad one, or none in time, or any other message first is refused by a message, then closed with 1008', async () => {
    const running = await hub({ connectTimeoutMs: 250 })
    const forged = token(PAGE, 'another secret, which is longer than 32 characters')
    const refused = async (who: Line) => {
      const { data } = await who.hears('auth_failure')
      const { code } = await who.ends()
      return [data['code'], code]
    }
    expect(await refused(await line(running, `${PATH}&token=${forged}`))).toEqual(['AUTH_INVALID_TOKEN', 1008])
    expect(await refused(await line(running, PATH))).toEqual(['AUTH_MISSING_TOKEN', 1008])
    for (const [message, code] of [[{ type: 'auth_request', data: { token: forged } }, 'AUTH_INVALID_TOKEN'], [{ type: 'auth_request' }, 'AUTH_MISSING_TOKEN'], [{ type: 'subscribe', data: {} }, 'AUTH_MISSING_TOKEN'], ['{', 'INVALID_MESSAGE']] as const) {
      const who = await line(running, PATH)
      await who.hears('connect')
      who.say(message)
      expect(await refused(who)).toEqual([code, 1008])
    }
  })

  test('that is refused for many characters of several bytes is closed like any other', async () => {
    const running = await hub()
    const page = await line(running, `${PATH}&topics=task:${encodeURIComponent('語'.repeat(100))}`, { ...PAGE, permissions: ['subscribe:agent:*'] })
    expect((await page.hears('auth_failure')).data).toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    expect(await page.ends()).toMatchObject({ code: 1008, reason: expect.stringMatching(/^Not permitted to subscribe to task:語+$/) })
    expect((await (await line(running, PATH, PAGE)).hears('auth_success')).data).toMatchObject({ subject: 'page' })
  })

  test('that cannot be decided now, the store being away, is closed so that the client comes back', async () => {
    const redis = await startRedis()
    try {
      const running = await hub({ redisUrl: redis.url, connectTimeoutMs: 500 })
      await (await line(running, PATH, CODER)).hears('auth_success')
      await redis.kill('SIGKILL')
      const [coder, other] = await Promise.all([line(running, PATH, CODER), line(running, '/ws?dialect=mcp', CODER)])
      expect((await coder.hears('auth_failure')).data).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      expect(await coder.ends()).toMatchObject({ code: 1013 })
      expect((await other.hears('error')).payload).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      expect(await other.ends()).toEqual({ code: 1011, reason: 'Internal server error' })
      await redis.restart()
      await running.close()
    } finally {
      await redis.stop()
    }
  })

  test('goes on with a new token, and in spite of a bad one', async () => {
    const running = await hub()
    const page = await line(running, PATH, PAGE)
    await page.hears('auth_success')
    expect(await answer(page, { type: 'auth_request', data: { token: token({ ...PAGE, sub: 'somebody-else' }) } })).toMatchObject({ type: 'auth_failure', data: { code: 'AUTH_INVALID_TOKEN' } })
    const later = Math.floor(Date.now() / 1000) + 7200
    page.say({ id: 'again', type: 'auth_request', data: { token: token({ ...PAGE, exp: later }) } })
    expect((await page.hears('auth_success', () => true, 1)).data).toMatchObject({ subject: 'page', expiresAt: later * 1000 })
    expect((await answer(page, { type: 'ping' })).type).toBe('pong')
  })

  test('ends with `disconnect`, from either side', async () => {
    const running = await hub()
    const [leaving, staying] = [await line(running, PATH, PAGE), await line(running, PATH, PAGE)]
    await Promise.all([leaving.hears('auth_success'), staying.hears('auth_success')])
    leaving.say({ type: 'disconnect' })
    expect(await leaving.ends()).toMatchObject({ code: 1000 })
    void running.close()
    expect((await staying.hears('disconnect')).data).toEqual({ reason: 'server shutting down' })
    expect(await staying.ends()).toEqual({ code: 1012, reason: 'Server shutting down' })
  })

  test('is pinged by messages, too', async () => {
    const running = await hub({ wsPingMs: 60 })
    const page = await line(running, PATH, PAGE)
    page.say({ type: 'pong' })
    expect((await page.hears('ping', () => true, 1)).data).toEqual({})
    expect(page.of('error')).toEqual([])
  })
})

describe('events', () => {
  test('have names in both directions that mean the same', () => {
    for (const [type, name] of Object.entries(NAMES)) expect([name, canonicalType(name)]).toEqual([name, type])
  })

  test('of an agent reach whoever watches it, as they were sent', async () => {
    const running = await hub()
    const [coder, page] = [await line(running, PATH, CODER), await line(running, PATH, PAGE)]
    await Promise.all([coder.hears('auth_success'), page.hears('auth_success')])
    expect(await answer(page, { type: 'subscribe', data: { agentId: 'coder-001', events: ['status', 'task_update', 'metrics'] } })).toMatchObject({
      type: 'subscription_update',
      data: { subscriptionId: expect.any(String), action: 'subscribed', topics: ['agent:coder-001'], types: ['agent.status_changed', 'task.progress', 'agent.metric'], activeSubscriptions: 1, cursor: expect.any(String) },
    })
    const status = {
      id: 'evt-123', type: 'agent_status', timestamp: 1703775135000,
      data: {
        agentId: 'coder-001', agentType: 'coder', status: 'busy', currentTask: { id: 'task-789', type: 'implement_feature', progress: 65 },
        metrics: { cpuUsage: 45.2, memoryUsage: 1024000000, tasksCompleted: 12 },
      },
    }
    expect(await answer(coder, status)).toMatchObject({ type: 'ack', data: { id: 'evt-123', type: 'agent.status_changed', offset: expect.any(String) } })
    await answer(coder, { type: 'agent_log', data: { level: 'info', message: 'nobody asked' } })
    await answer(coder, { type: 'agent_task_update', data: { taskId: 'task-789', progress: 70 }, metadata: { version: '1.1', source: '/agents/somebody', correlationId: 'c-1' } })
    await answer(coder, { type: 'agent_metric', data: { metrics: { tokens: 5 } } })
    await page.hears('agent_metric')
    const events = page.told.filter(({ type }) => type.startsWith('agent_'))
    expect(events.map(({ type }) => type)).toEqual(['agent_status', 'agent_task_update', 'agent_metric'])
    expect(events[0]).toEqual({ ...status, metadata: { version: '1.0', source: '/agents/coder-001', recordedAt: expect.any(Number), topics: expect.arrayContaining(['agent:coder-001']), cursor: expect.any(String) } })
    expect(events[1]).toMatchObject({ data: { taskId: 'task-789', progress: 70 }, metadata: { version: '1.1', source: '/agents/coder-001', correlationId: 'c-1' } })
    expect(await answer(coder, status)).toMatchObject({ type: 'ack', data: { duplicate: true } })
  })

  test('of every name that the dialect knows go in and come out under it; all others keep theirs', async () => {
    const running = await hub()
    const [engine, page] = [await line(running, PATH, { sub: 'engine', role: 'service' }), await line(running, `${PATH}&topics=*`, PAGE)]
    await Promise.all([engine.hears('auth_success'), page.hears('auth_success')])
    const messages: [string, object][] = [
      ['agent_status', { agentId: 'a', status: 'idle' }], ['agent_task_update', { taskId: 't', progress: 5 }], ['agent_log', { agentId: 'a', level: 'warn', message: 'm' }],
      ['agent_metric', { agentId: 'a', metrics: { n: 1 } }], ['agent_error', { agentId: 'a', message: 'm' }],
      ['tdd_phase_change', { agentId: 'a', taskId: 't', previousPhase: 'red', currentPhase: 'green', testResults: { total: 45, passing: 45, failing: 0 }, coverage: { lines: 98.5, branches: 95.2, functions: 100 } }],
      ['test_result', { taskId: 't', passing: 1, failing: 0 }], ['coverage_update', { taskId: 't', lines: 80 }],
      ['workflow_started', { workflowId: 'w' }], ['workflow_step_complete', { workflowId: 'w', step: 'build' }], ['workflow_complete', { workflowId: 'w' }], ['workflow_failed', { workflowId: 'w', error: 'e' }],
      ['system_notification', { level: 'info', message: 'm' }], ['system_alert', { severity: 'critical', message: 'm' }], ['deployment_status', { environment: 'prod', status: 'up' }],
      ['github_issue_update', { repository: 'o/r', issueNumber: 1 }], ['github_pr_update', { repository: 'o/r', prNumber: 2 }], ['github_workflow_update', { repository: 'o/r', runId: 3 }],
      ['agent.output', { agentId: 'a', output: 'text' }], ['custom.mine', { any: ['thing'] }],
    ]
    expect(messages.slice(0, -2).map(([name]) => name).sort()).toEqual(Object.values(NAMES).sort())
    for (const [place, [type, data]] of messages.entries()) expect(await answer(engine, { id: `e-${place}`, type, data })).toMatchObject({ type: 'ack' })
    await page.hears('custom.mine')
    const heard = page.told.filter(({ id }) => id?.startsWith('e-'))
    expect(heard.map(({ type, data }) => [type, data])).toEqual(messages.map(([type, data]) => [type, type.startsWith('workflow') ? { ...data, pipelineId: 'w' } : data]))
  })

  test('that are refused are answered with an error that names the message, and nothing else is lost', async () => {
    const running = await hub()
    const coder = await line(running, PATH, CODER)
    await coder.hears('auth_success')
    const refused = async (message: { type: string; data?: object; [field: string]: unknown }) => {
      const { type, data } = await answer(coder, message)
      return [type, data['code']]
    }
    expect(await refused({ type: 'agent_status', data: { status: 'dancing' } })).toEqual(['error', 'VALIDATION_ERROR'])
    expect(await refused({ type: 'no_such' })).toEqual(['error', 'UNKNOWN_TYPE'])
    expect(await refused({ type: 'subscription_update' })).toEqual(['error', 'UNKNOWN_TYPE'])
    expect(await refused({ type: 'agent_log', data: { agentId: 'other', level: 'info', message: 'm' } })).toEqual(['error', 'INSUFFICIENT_PERMISSIONS'])
    expect(await refused({ type: 'system_alert', data: { severity: 'high', message: 'm' } })).toEqual(['error', 'INSUFFICIENT_PERMISSIONS'])
    for (const broken of ['{', '[]', { type: 7 }]) expect((await coder.ask(broken, ({ type }) => type === 'error')).data).toMatchObject({ code: 'INVALID_MESSAGE' })
    expect(await refused({ type: 'agent_log', data: { level: 'info', message: 'm' } })).toEqual(['ack', undefined])
  })

  test('are limited by type family', async () => {
    const running = await hub({ familyRates: 'agent=1,*=1000' })
    const coder = await line(running, PATH, CODER)
    await coder.hears('auth_success')
    for (let n = 0; n < 4; n++) coder.say({ id: `l-${n}`, type: 'agent_log', data: { level: 'info', message: 'm' } })
    expect((await coder.hears('error')).data).toMatchObject({ code: 'RATE_LIMITED', details: { family: 'agent', retryAfterMs: expect.any(Number) } })
    expect((await answer(coder, { type: 'test_result', data: { taskId: 't', passing: 1, failing: 0 } })).type).toBe('ack')
  })
})

describe('compression', () => {
  const large = { agentId: 'a', level: 'info', message: 'again '.repeat(1000) }
  const unpack = ({ data }: Told) => JSON.parse(gunzipSync(Buffer.from(data as unknown as string, 'base64')).toString()) as unknown

  test('is for those who ask for it, in the query or with their credential, and for large events', async () => {
    const running = await hub()
    const planner = await service(running)
    const plain = await line(running, `${PATH}&topics=agent:a`, PAGE)
    const byQuery = await line(running, `${PATH}&topics=agent:a&compress=gzip`, PAGE)
    const byMessage = await line(running, `${PATH}&topics=agent:a`)
    await byMessage.hears('connect')
    byMessage.say({ type: 'auth_request', data: { token: token(PAGE), compress: 'gzip' } })
    await Promise.all([plain, byQuery, byMessage].map((page) => page.hears('auth_success')))
    await planner.must('publish', [{ type: 'agent.log', data: large }, { type: 'agent.log', data: { agentId: 'a', level: 'info', message: 'small' } }])
    for (const page of [byQuery, byMessage]) {
      const [first, second] = [await page.hears('agent_log'), await page.hears('agent_log', () => true, 1)]
      expect(first.metadata).toMatchObject({ compressed: true, version: '1.0', cursor: expect.any(String) })
      expect(unpack(first)).toEqual(large)
      expect(JSON.stringify(first).length).toBeLessThan(1000)
      expect(second).toMatchObject({ data: { message: 'small' } })
      expect(second.metadata).not.toHaveProperty('compressed')
    }
    const whole = await plain.hears('agent_log')
    expect(whole.data).toEqual(large)
    expect(whole.metadata).not.toHaveProperty('compressed')
    const metrics = await (await fetch(`${running.url}/metrics`)).text()
    expect(/^hubbub_event_compressions_total (\d+)$/m.exec(metrics)?.[1]).toBe('1')
  })

  test('is taken from clients, within the limits of an event', async () => {
    const running = await hub({ maxEventBytes: 20_000, maxSnapshotBytes: 20_000 })
    const watching = await client(running, { sub: 'watcher', role: 'viewer' })
    await watching.must('subscribe', { topics: ['agent:a'] })
    const engine = await line(running, PATH, { sub: 'engine', role: 'service' })
    await engine.hears('auth_success')
    const pack = (data: unknown) => gzipSync(JSON.stringify(data)).toString('base64')
    const send = (data: unknown) => answer(engine, { type: 'agent_log', data: data as object, metadata: { version: '1.0', compressed: true } })
    expect(await send(pack(large))).toMatchObject({ type: 'ack' })
    await eventually(() => watching.events.length === 1, 'the event')
    expect(watching.events[0]!.event).toMatchObject({ data: large })
    expect(watching.events[0]!.event.metadata).not.toHaveProperty('compressed')
    expect(await send(pack({ ...large, message: 'x'.repeat(5_000_000) }))).toMatchObject({ type: 'error', data: { code: 'PAYLOAD_TOO_LARGE' } })
    for (const broken of ['not base64 of gzip', { an: 'object' }, gzipSync('{').toString('base64')]) expect(await send(broken)).toMatchObject({ type: 'error', data: { code: 'VALIDATION_ERROR' } })
  })
})
