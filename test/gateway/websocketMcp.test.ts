/** `/ws?dialect=mcp`: agents register, beat, take tasks and hand in results, in `{ type, payload }` and snake_case. */
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { client, hub, service } from './agentHub.js'
import { line, type Told } from './dialectLine.js'
import { answer, refusal } from './mcpAnswer.js'

const PATH = '/ws?dialect=mcp'
const AGENT = { sub: 'coder', role: 'agent', agent_type: 'coder', capabilities: ['ts'] } as const

describe('connecting', () => {
  test('is acknowledged by the first message, with who the agent is and how often it beats', async () => {
    const running = await hub()
    const agent = await line(running, PATH, AGENT)
    await eventually(() => agent.told.length > 0, 'the first message')
    expect(agent.told[0]).toMatchObject({
      type: 'connection:acknowledged', event_type: 'connection:acknowledged', event_id: expect.any(String), timestamp: expect.stringMatching(/Z$/),
      payload: {
        connection_id: expect.any(String), agent_id: 'coder', agent_type: 'coder', capabilities: ['ts'], permissions: expect.arrayContaining(['publish:task.*']),
        heartbeat_interval: 30, connection_timeout: 120, connected_at: expect.stringMatching(/Z$/), cursor: expect.any(String),
      },
    })
  })

  test('takes the token from a header, and from the query as `auth_token` or `token`, with its scheme or without', async () => {
    const running = await hub()
    const text = token(AGENT)
    const paths = [`${PATH}&auth_token=${encodeURIComponent(`Bearer ${text}`)}`, `${PATH}&token=${encodeURIComponent(`Bearer ${text}`)}`, `${PATH}&token=${text}`]
    for (const agent of await Promise.all([line(running, PATH, AGENT), ...paths.map((path) => line(running, path))])) {
      expect((await agent.hears('connection:acknowledged')).payload).toMatchObject({ agent_id: 'coder' })
    }
  })

  test.each([
    ['no token', () => PATH, {}, 'Missing authentication token'],
    ['another scheme', () => PATH, { authorization: 'Basic YTpi' }, 'Invalid authentication format'],
    ['no token at all behind the scheme', () => `${PATH}&auth_token=Bearer%20nonsense`, {}, 'Invalid authentication format'],
    ['an old token', () => `${PATH}&token=${token({ ...AGENT, exp: Math.floor(Date.now() / 1000) - 10 })}`, {}, 'Authentication token expired'],
    ['a forged one', () => `${PATH}&token=${token(AGENT, 'another secret, which is longer than 32 characters')}`, {}, /^Invalid authentication token: ./],
    ['one of another project', () => `${PATH}&project=other&token=${token(AGENT)}`, {}, 'Authentication failed'],
  ])('with %s is refused by a message, then closed with 1008', async (_what, path, headers, message) => {
    const running = await hub()
    const agent = await line(running, path(), undefined, headers)
    expect(await agent.ends()).toEqual({ code: 1008, reason: 'Authentication failed' })
    expect(agent.told).toHaveLength(1)
    const [{ type, payload }] = agent.told as [Told]
    expect({ type, code: payload['code'] }).toEqual({ type: 'error', code: expect.stringMatching(/^(AUTH_|WRONG_PROJECT)/) })
    if (typeof message === 'string') expect(payload['message']).toBe(message)
    else expect(payload['message']).toMatch(message)
  })

  test('ends when the token does, in the same words', async () => {
    const running = await hub()
    const agent = await line(running, PATH, { ...AGENT, exp: Math.floor(Date.now() / 1000) + 2 })
    expect((await agent.hears('error')).payload).toMatchObject({ code: 'AUTH_TOKEN_EXPIRED', message: 'Authentication token expired' })
    expect(await agent.ends()).toEqual({ code: 1008, reason: 'Authentication failed' })
  })

  test('goes on with a new token', async () => {
    const running = await hub()
    const agent = await line(running, PATH, { ...AGENT, exp: Math.floor(Date.now() / 1000) + 60 })
    await agent.hears('connection:acknowledged')
    expect(await answer(agent, { type: 'auth:refresh', payload: { auth_token: `Bearer ${token(AGENT)}` } })).toMatchObject({ type: 'auth:refresh_acknowledged', payload: { expires_at: expect.any(Number) } })
  })

  test('ends orderly, with 1000, when the agent is silent or the hub goes', async () => {
    const running = await hub({ offlineMs: 300, staleMs: 200, heartbeatMs: 100 })
    const [silent, other] = [await line(running, PATH, AGENT), await line(running, PATH, { ...AGENT, sub: 'other' })]
    await silent.hears('connection:acknowledged')
    await answer(silent, { type: 'agent:register', payload: {} })
    expect(await silent.ends()).toEqual({ code: 1000, reason: 'Heartbeat timeout' })
    await other.hears('connection:acknowledged')
    void running.close()
    expect(await other.ends()).toEqual({ code: 1000, reason: 'Server shutting down' })
  })
})

describe('an agent', () => {
  test('works a task from its registration to its result', async () => {
    const running = await hub()
    const planner = await service(running)
    await planner.must('subscribe', { topics: ['task:T-1', 'pipeline:P-1'] })
    const agent = await line(running, PATH, AGENT)
    expect(await answer(agent, { type: 'agent:register', event_id: 'r1', payload: { agent_id: 'coder', agent_type: 'coder', capabilities: ['ts'], max_tasks: 1 } })).toBeDefined()
    expect(await agent.hears('agent:registered')).toMatchObject({
      correlation_id: 'r1', payload: { agent_id: 'coder', status: 'registered', registered_at: expect.stringMatching(/Z$/), permissions: expect.any(Array), heartbeat_interval: 30 },
    })
    await planner.must('command', { command: 'task.start', payload: { id: 'T-1', type: 'build', requires: ['ts'], parameters: { someKey: { innerKey: 1 } }, priority: 5, pipelineId: 'P-1', stage: 2, deadline: '2099-01-01T00:00:00Z' } })
    const { payload: order } = await agent.hears('task:delegate')
    expect(order).toMatchObject({
      task_id: 'T-1', task_type: 'build', parameters: { someKey: { innerKey: 1 } }, deadline: '2099-01-01T00:00:00.000Z', priority: 5, pipeline_id: 'P-1', stage: 2,
      metadata: { assigned_at: expect.stringMatching(/Z$/), estimated_duration: null }, lease_token: expect.any(String), attempt: 1,
    })
    const lease = { task_id: 'T-1', lease_token: order['lease_token'] }
    expect(await answer(agent, { type: 'task:accepted', payload: lease })).toMatchObject({ type: 'task:accepted_acknowledged', payload: { task_id: 'T-1', status: 'accepted' } })
    expect(await answer(agent, { event_type: 'task:progress', payload: { ...lease, progress: 40, message: 'so far' } })).toMatchObject({ type: 'task:progress_acknowledged', payload: { task_id: 'T-1', progress: 40 } })
    const beat = await answer(agent, { type: 'agent:heartbeat', payload: { current_tasks: ['T-1'], system_metrics: { cpu: 3 } } })
    expect(beat).toMatchObject({ type: 'agent:heartbeat_acknowledged', payload: { status: 'acknowledged' } })
    expect(Date.parse(beat.payload['next_heartbeat'] as string)).toBeGreaterThan(Date.now())
    expect(await answer(agent, { type: 'agent:status_update', payload: { status: 'busy' } })).toMatchObject({ type: 'agent:status_update_acknowledged' })
    const result = { type: 'task:result', event_id: 'result-1', timestamp: '2026-11-21T12:00:00.123456', payload: { ...lease, result: { keepMe: true } } }
    expect(await answer(agent, result)).toMatchObject({ type: 'task:completed', correlation_id: 'result-1', payload: { task_id: 'T-1', status: 'completed', completed_at: expect.stringMatching(/Z$/) } })
    await eventually(() => planner.events.some(({ event }) => event.type === 'pipeline.task_completed'), 'the pipeline to hear of it')
    const reported = planner.events.find(({ event }) => event.type === 'task.result')!.event
    expect(reported).toMatchObject({ id: 'result-1', data: { taskId: 'T-1', result: { keepMe: true } }, metadata: { source: '/agents/coder' } })
    // A lost answer is asked for again under the same id; under another it is a second result.
    expect(await answer(agent, result)).toMatchObject({ type: 'task:completed', payload: { status: 'completed' } })
    expect(await answer(agent, { ...result, event_id: 'result-2' })).toMatchObject({ type: 'task:completion_failed', payload: { task_id: 'T-1', code: 'TASK_COMPLETION_ERROR', error: expect.any(String) } })
  })

  test('finds the task that waited for it while it was away, before anything else', async () => {
    const running = await hub({ acceptMs: 60_000 })
    const planner = await service(running)
    const before = await line(running, PATH, AGENT)
    await answer(before, { type: 'agent:register', payload: {} })
    before.close()
    await before.ends()
    await planner.must('command', { command: 'task.start', payload: { id: 'T-2', type: 'build', agentId: 'coder' } })
    const after = await line(running, PATH, AGENT)
    expect((await after.hears('task:delegate')).payload).toMatchObject({ task_id: 'T-2', deadline: null, pipeline_id: null, stage: null, parameters: {} })
    expect(after.told[0]!.type).toBe('connection:acknowledged')
  })

  test('may reject a task, fail it, and be called off', async () => {
    const running = await hub({ retryMs: 50 })
    const planner = await service(running)
    const agent = await line(running, PATH, AGENT)
    await answer(agent, { type: 'agent:register', payload: {} })
    const start = (id: string) => planner.must('command', { command: 'task.start', payload: { id, type: 'build', agentId: 'coder' } })
    const delegated = async (id: string, place = 0) => ({ task_id: id, lease_token: (await agent.hears('task:delegate', ({ payload }) => payload['task_id'] === id, place)).payload['lease_token'] })
    await start('T-3')
    expect(await answer(agent, { type: 'task:rejected', payload: { ...(await delegated('T-3')), reason: 'not now' } })).toMatchObject({ type: 'task:rejected_acknowledged', payload: { task_id: 'T-3' } })
    const again = await delegated('T-3', 1)
    agent.say({ type: 'task:accepted', payload: again })
    await agent.hears('task:accepted_acknowledged')
    expect(await answer(agent, { type: 'task:failed', payload: { ...again, error: 'broken' } })).toMatchObject({ type: 'task:failed_acknowledged', payload: { task_id: 'T-3', status: 'failed' } })
    await start('T-4')
    const held = await delegated('T-4')
    agent.say({ type: 'task:accepted', payload: held })
    await agent.hears('task:accepted_acknowledged', ({ payload }) => payload['task_id'] === 'T-4')
    const cancelling = planner.must<{ result: object }>('command', { command: 'execution.cancel', payload: { taskId: 'T-4', reason: 'enough' } })
    expect((await agent.hears('execution:cancel')).payload).toMatchObject({ task_id: 'T-4', reason: 'enough', lease_token: held.lease_token })
    agent.say({ type: 'task:cancelled', payload: held })
    expect((await cancelling).result).toMatchObject({ status: 'cancelled' })
  })

  test('asks for the health of the hub, and hears what is broadcast', async () => {
    const running = await hub()
    const agent = await line(running, PATH, AGENT)
    expect(await answer(agent, { type: 'system:health_check' })).toBeDefined()
    expect((await agent.hears('system:health_check_acknowledged')).payload).toMatchObject({ status: 'healthy', role: 'all', uptime_seconds: expect.any(Number), store: { ok: true } })
    const planner = await service(running)
    expect(await planner.must('broadcast', { name: 'pause', data: { for: 'lunch' }, to: { agentTypes: ['coder'] } })).toMatchObject({ reached: 1 })
    expect((await agent.hears('signal')).payload).toMatchObject({ name: 'pause', data: { for: 'lunch' }, source: '/services/planner' })
  })
})

describe('a refusal', () => {
  test('is an error event with one of six codes, in the words that agents know', async () => {
    const running = await hub()
    const planner = await service(running)
    await planner.must('publish', [{ type: 'task.created', data: { taskId: 'free' } }])
    const agent = await line(running, PATH, AGENT)
    await agent.hears('connection:acknowledged')
    for (const broken of ['{', '[]', '"text"', {}, { type: 7 }, { payload: {} }]) expect(await refusal(agent, broken)).toEqual(['INVALID_EVENT', 'Invalid event structure'])
    expect(await refusal(agent, { type: 'task:result', payload: 'text' })).toEqual(['VALIDATION_ERROR', 'Invalid task result: `payload` is a JSON object.'])
    expect(await refusal(agent, { type: 'no:such' })).toEqual(['UNSUPPORTED_EVENT', "Event type 'no:such' is not supported"])
    expect(await refusal(agent, { type: '__proto__', payload: {} })).toEqual(['UNSUPPORTED_EVENT', "Event type '__proto__' is not supported"])
    expect(await refusal(agent, { type: 'system:alert', payload: { severity: 'high', message: 'x' } })).toEqual(['INSUFFICIENT_PERMISSIONS', "Agent does not have permission for event 'system:alert'"])
    expect(await refusal(agent, { type: 'task:progress', payload: { task_id: 'free', progress: 140 } })).toEqual(['VALIDATION_ERROR', 'Invalid progress data: Progress must be between 0 and 100'])
    expect(await refusal(agent, { type: 'task:progress', payload: { progress: 1 } })).toEqual(['VALIDATION_ERROR', 'Invalid progress data: data.taskId is required'])
    expect(await refusal(agent, { type: 'task:result', payload: {} })).toEqual(['VALIDATION_ERROR', 'Invalid task result: data.taskId is required'])
    expect(await refusal(agent, { type: 'agent:heartbeat', payload: { current_tasks: 'T' } })).toEqual(['VALIDATION_ERROR', expect.stringMatching(/^Invalid heartbeat data: data.currentTasks /)])
    expect(await refusal(agent, { type: 'agent:register', payload: { max_tasks: 0 } })).toEqual(['VALIDATION_ERROR', expect.stringMatching(/^Invalid registration data: /)])
    expect(await answer(agent, { type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  test('of a domain rule names it, and the hub\'s own code stands beside', async () => {
    const running = await hub()
    const planner = await service(running)
    const [coder, other] = [await line(running, PATH, AGENT), await line(running, PATH, { ...AGENT, sub: 'other' })]
    await answer(coder, { type: 'agent:register', payload: {} })
    await planner.must('command', { command: 'task.start', payload: { id: 'T-5', type: 'build', agentId: 'coder' } })
    await coder.hears('task:delegate')
    expect(await answer(other, { type: 'task:progress', event_id: 'p1', payload: { task_id: 'T-5', progress: 10 } })).toMatchObject({
      type: 'error', correlation_id: 'p1', payload: { code: 'BUSINESS_LOGIC_ERROR', message: 'Agent not authorized to update this task', hub_code: 'NOT_TASK_OWNER', retryable: false },
    })
    expect(await answer(other, { type: 'task:result', payload: { task_id: 'T-5', result: 1 } })).toMatchObject({ type: 'task:completion_failed', payload: { task_id: 'T-5', code: 'NOT_TASK_OWNER' } })
    const viewer = await line(running, PATH, { sub: 'page', role: 'viewer' })
    await viewer.hears('connection:acknowledged')
    expect(await refusal(viewer, { type: 'agent:register', payload: {} })).toEqual(['BUSINESS_LOGIC_ERROR', 'Agent not identified'])
  })

  test('to register an agent that lives and is somebody else\'s is an answer of its own', async () => {
    const running = await hub()
    const planner = await service(running)
    await planner.must('agent.register', { agentId: 'worker-7' })
    const other = await line(running, PATH, { sub: 'other', role: 'service' })
    await other.hears('connection:acknowledged')
    expect(await answer(other, { type: 'agent:register', payload: { agent_id: 'worker-7' } })).toMatchObject({ type: 'agent:registration_failed', payload: { agent_id: 'worker-7', error: expect.any(String) } })
  })

  test('for speaking too fast says when to come back', async () => {
    const running = await hub({ messageRate: 1, messageBurst: 2 })
    const agent = await line(running, PATH, AGENT)
    await agent.hears('connection:acknowledged')
    for (let beat = 0; beat < 4; beat++) agent.say({ type: 'ping' })
    expect((await agent.hears('error')).payload).toMatchObject({ hub_code: 'RATE_LIMITED', retryable: true, details: { retry_after_ms: expect.any(Number) } })
  })
})

test('an event comes with its known fields in snake_case and everything else as it was', async () => {
  const running = await hub()
  const watching = await client(running, { sub: 'watcher', role: 'viewer' })
  await watching.must('subscribe', { topics: ['*'] })
  const agent = await line(running, `${PATH}&topics=*`, AGENT)
  await agent.hears('connection:acknowledged')
  agent.say({ type: 'agent:log', payload: { level: 'info', message: 'built', task_id: 'free', ownField: { keepMe: 1 } } })
  const { payload } = await agent.hears('agent:log')
  expect(payload).toEqual({ agent_id: 'coder', level: 'info', message: 'built', task_id: 'free', ownField: { keepMe: 1 } })
  await agent.hears('agent:log_acknowledged')
  agent.say({ type: 'pipeline:deployed', payload: { pipeline_id: 'P-9', stage: 1, payload: { where: 'there' } } })
  expect((await agent.hears('pipeline:deployed')).payload).toEqual({ pipeline_id: 'P-9', stage: 1, where: 'there' })
  await eventually(() => watching.events.some(({ event }) => event.type === 'pipeline.deployed'), 'the canonical event')
})
