/** Agents at the gateway: how they register, what becomes of silent ones, the receipts of their reports, and the older names of it all. */
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { agent, client, closings, dataOf, hub, service } from './agentHub.js'

describe('agent.register', () => {
  test('makes an agent known, by what it says and else by its token, and says how often to beat', async () => {
    const running = await hub({ heartbeatMs: 1000, staleMs: 3000, offlineMs: 4000 })
    const watching = await client(running, { sub: 'watcher', role: 'viewer' })
    await watching.must('subscribe', { topics: ['agent:coder'], types: ['agent.*'] })
    const coder = await agent(running, 'coder', { agentType: 'coder', capabilities: ['ts'] })
    expect(await coder.must('agent.register', {})).toEqual({
      ok: true, agentId: 'coder', status: 'registered', registeredAt: expect.any(String), permissions: expect.arrayContaining(['publish:agent.*']),
      heartbeat: { intervalMs: 1000, staleMs: 3000, offlineMs: 4000 },
    })
    await coder.must('agent.register', { agentId: 'coder', agentType: 'reviewer', capabilities: ['py', 'ts'], maxTasks: 3 })
    await eventually(() => watching.events.length === 2, 'both registrations')
    expect(watching.events.map(({ event }) => dataOf(event))).toMatchObject([
      { agentId: 'coder', agentType: 'coder', capabilities: ['ts'], maxTasks: 1, status: 'registered' },
      { agentId: 'coder', agentType: 'reviewer', capabilities: ['py', 'ts'], maxTasks: 3, status: 'registered' },
    ])
  })

  test('is refused to whoever is no agent, speaks for another one, may not, or says nonsense', async () => {
    const running = await hub()
    const [coder, mute] = [await agent(running), await agent(running, 'mute', { permissions: ['subscribe:*'] })]
    const [viewer, planner] = [await client(running, { sub: 'page', role: 'viewer' }), await service(running)]
    const refusals = [
      await coder.call('agent.register', { agentId: 'other' }),
      await mute.call('agent.register', {}),
      await viewer.call('agent.register', { agentId: 'page' }),
      await planner.call('agent.register', {}),
      await coder.call('agent.register', { maxTasks: 0 }),
      await coder.call('agent.register', { agentId: 'has space' }),
      await coder.call('agent.register', 'me'),
    ]
    expect(refusals.map((answer) => (answer.ok ? 'taken' : answer.error.code))).toEqual([
      'INSUFFICIENT_PERMISSIONS', 'INSUFFICIENT_PERMISSIONS', 'AGENT_NOT_IDENTIFIED', 'AGENT_NOT_IDENTIFIED', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE',
    ])
  })

  test('by a service names the agent; an agent that lives is then nobody else\'s', async () => {
    const running = await hub()
    const planner = await service(running)
    expect(await planner.must('agent.register', { agentId: 'worker-7', capabilities: ['ts'] })).toMatchObject({ agentId: 'worker-7', status: 'registered' })
    const other = await client(running, { sub: 'other', role: 'service' })
    expect(await other.call('agent.register', { agentId: 'worker-7' })).toMatchObject({ ok: false, error: { code: 'DUPLICATE_AGENT' } })
    expect(await planner.call('agent.register', { agentId: 'worker-7' })).toMatchObject({ ok: true })
  })

  test('lets the connection of an agent that falls silent be closed, told why, so that its client comes back', async () => {
    const running = await hub({ offlineMs: 400, staleMs: 300, heartbeatMs: 100 })
    const watching = await client(running, { sub: 'watcher', role: 'viewer' })
    await watching.must('subscribe', { topics: ['connection:*'] })
    const unregistered = await agent(running, 'unregistered')
    const coder = await agent(running, 'coder', {}, { reconnection: true })
    await coder.must('agent.register', {})
    const first = coder.socket.id
    await eventually(() => coder.socket.connected && coder.socket.id !== first, 'the next connection')
    expect(coder.complaints.map(({ code }) => code)).toEqual(['TIMEOUT'])
    await eventually(() => closings(watching).some(({ connectionId, reason }) => connectionId === first && reason === 'heartbeat timeout'), 'the end')
    // The session was resumed, and with it that it is registered: it is watched again.
    expect(coder.socket.recovered).toBe(true)
    const second = coder.socket.id
    await eventually(() => coder.socket.connected && coder.socket.id !== second, 'the one after it')
    expect(unregistered.socket.connected).toBe(true)
  })

  test('does not let one be closed that goes on beating', async () => {
    const running = await hub({ offlineMs: 300, staleMs: 200, heartbeatMs: 50 })
    const coder = await agent(running)
    await coder.must('agent.register', {})
    const until = Date.now() + 1000
    await eventually(async () => {
      await coder.must('agent.heartbeat', {})
      return Date.now() > until
    }, 'a second of beats')
    expect(coder.endings).toEqual([])
  })
})

describe('receipts', () => {
  test('say when to beat next, also where the commit is not waited for', async () => {
    const running = await hub({ heartbeatMs: 5000 })
    const coder = await agent(running)
    const near = (answer: { nextHeartbeat?: string }) => {
      const left = Date.parse(answer.nextHeartbeat!) - Date.now()
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThanOrEqual(5000)
    }
    const committed = await coder.must<{ nextHeartbeat: string }>('agent.heartbeat', { currentTasks: [] })
    expect(committed).toMatchObject({ status: 'acknowledged', type: 'agent.heartbeat', offset: expect.any(String) })
    near(committed)
    const accepted = await coder.must<{ nextHeartbeat: string }>('publish', { type: 'agent.heartbeat', data: {}, ack: 'accepted' })
    expect(accepted).toMatchObject({ status: 'acknowledged' })
    expect(accepted).not.toHaveProperty('offset')
    near(accepted)
  })

  test('say how far and what a task is, in single answers and in batches, over HTTP as well', async () => {
    const running = await hub()
    const coder = await agent(running)
    expect(await coder.must('task.progress', { taskId: 't1', progress: 40 })).toMatchObject({ taskId: 't1', progress: 40 })
    const reports = [
      { type: 'task.created', data: { taskId: 't2' } },
      { type: 'task.accepted', data: { taskId: 't2' } },
      { type: 'progress_update', data: { task_id: 't2', progress: 0.5 } },
      { type: 'task.result', data: { taskId: 't2', result: { lines: 3 } } },
      { type: 'task.failed', data: { taskId: 't3', error: 'no' } },
      { type: 'task.log', data: {} },
      { type: 'agent.log', data: { level: 'info', message: 'x' } },
    ]
    const expected = [
      { ok: true, type: 'task.created' },
      { ok: true, taskId: 't2', status: 'completed' },
      { ok: true, taskId: 't2', progress: 50 },
      { ok: true, taskId: 't2', status: 'completed', completedAt: expect.any(String) },
      { ok: true, taskId: 't3', status: 'failed' },
      { ok: false, error: { code: 'UNKNOWN_TYPE' } },
      { ok: true, type: 'agent.log' },
    ]
    const { results } = await coder.must<{ results: object[] }>('publish', reports)
    expect(results).toMatchObject(expected)
    expect(results[6]).not.toHaveProperty('taskId')
    const told = await ask(`${running.url}/api/v1/events`, { as: token({ sub: 'tester', role: 'agent' }), json: reports.map(({ type, data }) => ({ type, data: JSON.parse(JSON.stringify(data).replace(/"t(\d)"/, '"h$1"')) as object })) })
    expect(told.body['results']).toMatchObject([{}, { taskId: 'h2', status: 'completed' }, { taskId: 'h2', progress: 50 }, { taskId: 'h2', status: 'completed', completedAt: expect.any(String) }, { taskId: 'h3', status: 'failed' }, {}, {}])
  })
})

test('system.health_check tells how the worker is, its name to admins only', async () => {
  const running = await hub({ nodeId: 'node-1' })
  const [coder, admin] = [await agent(running), await client(running, { sub: 'boss', role: 'admin' })]
  const health = { ok: true, status: 'healthy', role: 'all', uptimeSeconds: expect.any(Number), store: { kind: 'memory', ok: true, pingMs: 0 } }
  expect(await coder.must('system.health_check')).toEqual(health)
  expect(await admin.must('system.health_check', {})).toEqual({ ...health, node: 'node-1' })
})

describe('older names', () => {
  test('with their snake_case payloads are taken, and answered like the canonical ones', async () => {
    const running = await hub()
    const [planner, coder] = [await service(running), await agent(running)]
    await planner.must('subscribe', { topics: ['agent:coder', 'task:*'], types: ['agent.*', 'task.*'] })
    expect(await coder.must('agent:register', { agent_id: 'coder', agent_type: 'coder', capabilities: ['ts'], max_tasks: 2 })).toMatchObject({ agentId: 'coder', status: 'registered' })
    expect(await coder.must('agent:heartbeat', { current_tasks: ['t1'], system_metrics: { cpu: 3 } })).toMatchObject({ type: 'agent.heartbeat', status: 'acknowledged' })
    expect(await coder.must('agent:status_update', { status: 'busy' })).toMatchObject({ type: 'agent.status_changed' })
    await planner.must('publish', ['t1', 't2', 't3'].map((taskId) => ({ type: 'task.created', data: { taskId } })))
    expect(await coder.must('task:accepted', { task_id: 't1' })).toMatchObject({ type: 'task.accepted', taskId: 't1', status: 'accepted' })
    expect(await coder.must('task:progress', { task_id: 't1', progress: 10, message: 'so' })).toMatchObject({ type: 'task.progress', taskId: 't1', progress: 10 })
    expect(await coder.must('task:result', { task_id: 't1', result: 1 })).toMatchObject({ type: 'task.result', taskId: 't1', status: 'completed' })
    expect(await coder.must('task:failed', { task_id: 't2', error: 'no' })).toMatchObject({ type: 'task.failed', taskId: 't2', status: 'failed' })
    expect(await coder.must('task:rejected', { task_id: 't3', reason: 'busy' })).toMatchObject({ type: 'task.rejected', taskId: 't3' })
    expect(await coder.must('system:health_check')).toMatchObject({ status: 'healthy' })
    await eventually(() => planner.events.some(({ event }) => event.type === 'task.rejected'), 'all of them')
    const beat = planner.events.find(({ event }) => event.type === 'agent.heartbeat')
    expect(beat?.event.data).toMatchObject({ agentId: 'coder', currentTasks: ['t1'], systemMetrics: { cpu: 3 } })
    expect(planner.events.find(({ event }) => event.type === 'agent.status_changed')?.event.data).toMatchObject({ agentId: 'coder', status: 'busy' })
  })

  test('are refused with a code: unknown, malformed, not allowed, nobody\'s beat', async () => {
    const running = await hub()
    const [coder, viewer, planner] = [await agent(running), await client(running, { sub: 'page', role: 'viewer' }), await service(running)]
    const refusals = [
      await coder.call('agent:unknown', {}),
      await coder.call('task:progress', 'half', 'done'),
      await coder.call('task:progress', { task_id: 't1', progress: 101 }),
      await viewer.call('task:progress', { task_id: 't1', progress: 1 }),
      await coder.call('agent:heartbeat', { agent_id: 'other' }),
      await planner.call('agent:heartbeat', {}),
      await planner.call('publish', { type: 'agent.heartbeat', data: {}, ack: 'accepted' }),
    ]
    expect(refusals.map((answer) => (answer.ok ? 'taken' : answer.error.code))).toEqual([
      'UNKNOWN_TYPE', 'INVALID_MESSAGE', 'VALIDATION_ERROR', 'INSUFFICIENT_PERMISSIONS', 'INSUFFICIENT_PERMISSIONS', 'AGENT_NOT_IDENTIFIED', 'AGENT_NOT_IDENTIFIED',
    ])
    expect(await planner.call('agent:heartbeat', { agent_id: 'coder' })).toMatchObject({ ok: true, status: 'acknowledged' })
  })
})
