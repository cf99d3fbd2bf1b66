/**
 * Every handler of the registry, over a stock client and a hub that is a process: what it answers, what others hear of it, and each
 * of its refusals, under its older name with snake_case fields and under its canonical one. The two spellings are one table.
 */
import { eventually } from '../harness/eventually.js'
import type { Tap } from '../harness/tap.js'
import { HANDLERS, openOffice, REPORTS, SPELLINGS, type Data, type Handler, type Office, type Worker } from './registry.js'

let office: Office
beforeAll(async () => {
  office = await openOffice()
}, 60_000)
afterAll(() => office?.close(), 60_000)

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string
const codeOf = (answer: { ok: boolean; error?: { code: string } }) => (answer.ok ? 'taken' : answer.error!.code)
const PUBLISHED = HANDLERS.filter((handler) => handler !== 'system.health_check' && handler !== 'agent.register')

/** A viewer of the topics; `data` are those of one type, in order. */
async function watch(...topics: string[]): Promise<Tap & { data(type: string): Data[]; until(type: string): Promise<Data> }> {
  const watching = await office.connect({ sub: 'dashboard', role: 'viewer' })
  await watching.must('subscribe', { topics })
  const data = (type: string) => watching.events.filter(({ event }) => event.type === type).map(({ event }) => event.data as Data)
  return Object.assign(watching, { data, until: (type: string) => eventually(() => data(type)[0], `${type} on ${topics.join(' ')}`) })
}

describe.each(SPELLINGS)('the registry under its %s', (_, { name, fields, event }) => {
  const say = (who: Tap, handler: Handler, data: Data = {}) => who.call(name(handler), fields(data))
  const must = (who: Tap, handler: Handler, data: Data = {}) => who.must(name(handler), fields(data))

  describe('takes', () => {
    test('a registration: the agent is told who it is and what it may, others hear of it, and tasks for what it can do come to it', async () => {
      const coder = await office.hire({ unknown: true, agentType: 'coder' })
      const watching = await watch(`agent:${coder.id}`)
      const skill = `skill of ${coder.id}`
      expect(await must(coder, 'agent.register', { agentId: coder.id, agentType: 'reviewer', capabilities: [skill], maxTasks: 2 })).toEqual({
        ok: true, agentId: coder.id, status: 'registered', registeredAt: ISO, permissions: expect.arrayContaining(['publish:agent.*', 'publish:task.*']),
        heartbeat: { intervalMs: 30_000, staleMs: 90_000, offlineMs: 120_000 },
      })
      expect(await watching.until('agent.registered')).toMatchObject({ agentId: coder.id, agentType: 'reviewer', capabilities: [skill], registeredAt: ISO })
      expect(await office.find('agents', coder.id)).toMatchObject({ status: 'registered', agentType: 'reviewer', capabilities: [skill], maxTasks: 2, connections: [coder.socket.id] })
      await coder.mail(await office.order({ requires: [skill] }))
    })

    test('a heartbeat: it is told when to beat again, and what it said of itself is known', async () => {
      const coder = await office.hire()
      const watching = await watch(`agent:${coder.id}`)
      const { taskId } = await office.delegate(coder)
      const answer = await must(coder, 'agent.heartbeat', { currentTasks: [taskId], systemMetrics: { cpuUsage: 3 } })
      expect(answer).toMatchObject({ type: 'agent.heartbeat', status: 'acknowledged', nextHeartbeat: ISO })
      expect(Date.parse(answer['nextHeartbeat'] as string)).toBeGreaterThan(Date.now())
      expect(await watching.until('agent.heartbeat')).toMatchObject({ agentId: coder.id, currentTasks: [taskId], systemMetrics: { cpuUsage: 3 }, receivedAt: ISO })
      expect(await office.find('agents', coder.id)).toMatchObject({ reportedTasks: [taskId], metrics: { cpuUsage: 3 } })
    })

    test('a status: others hear it, and it is known', async () => {
      const coder = await office.hire()
      const watching = await watch(`agent:${coder.id}`)
      expect(await must(coder, 'agent.status_changed', { status: 'error', reason: 'no disk' })).toMatchObject({ type: 'agent.status_changed', offset: expect.any(String) })
      expect(await watching.until('agent.status_changed')).toMatchObject({ agentId: coder.id, status: 'error', reason: 'no disk' })
      expect(await office.find('agents', coder.id)).toMatchObject({ status: 'error' })
    })

    test('an acceptance and progress: both are receipted, and the pipeline\'s and the stage\'s subscribers hear them', async () => {
      const coder = await office.hire()
      const pipelineId = `p of ${coder.id}`.replaceAll(' ', '-')
      const watchers = [await watch(`pipeline:${pipelineId}`), await watch(`pipeline:${pipelineId}:stage:2`)]
      const lease = await office.delegate(coder, { pipelineId, stage: 2 })
      expect(await must(coder, 'task.accepted', lease)).toMatchObject({ type: 'task.accepted', taskId: lease.taskId, status: 'accepted' })
      expect(await must(coder, 'task.progress', { ...lease, progress: 40, message: 'half way' })).toMatchObject({ type: 'task.progress', taskId: lease.taskId, progress: 40 })
      for (const watching of watchers) {
        expect(await watching.until('task.accepted')).toMatchObject({ taskId: lease.taskId })
        expect(await watching.until('task.progress')).toMatchObject({ taskId: lease.taskId, progress: 40, message: 'half way', agentId: coder.id })
      }
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ status: 'in_progress', progress: 40, message: 'half way', agentId: coder.id })
    })

    test('a result: the task is completed, its pipeline is told, and the agent gets what waited for it', async () => {
      const coder = await office.hire({ unknown: true })
      await coder.must('agent.register', { maxTasks: 1 })
      const pipelineId = `p-${coder.id}`
      const [pipeline, stage] = [await watch(`pipeline:${pipelineId}`), await watch(`pipeline:${pipelineId}:stage:1`)]
      const lease = await office.delegate(coder, { pipelineId, stage: 1 })
      const next = await office.order({ agentId: coder.id, pipelineId, stage: 2 })
      await coder.must('task.accepted', lease)
      const answer = await must(coder, 'task.result', { ...lease, result: { lines: 3 }, status: 'done' })
      expect(answer).toMatchObject({ type: 'task.result', taskId: lease.taskId, status: 'completed', completedAt: ISO })
      for (const watching of [pipeline, stage]) {
        expect(await watching.until('pipeline.task_completed')).toEqual({ taskId: lease.taskId, pipelineId, stage: 1, agentId: coder.id })
        expect(await watching.until('task.completed')).toMatchObject({ taskId: lease.taskId, status: 'completed', completedAt: answer['completedAt'] })
      }
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ status: 'completed', result: { lines: 3 }, finishedAt: answer['completedAt'] })
      expect(await office.find('pipelines', pipelineId)).toMatchObject({ status: 'running', totalTasks: 2, completedTasks: 1, progress: 50 })
      await coder.mail(next)
    })

    test('a failure: the task has failed, its pipeline hears why', async () => {
      const coder = await office.hire()
      const pipelineId = `p-${coder.id}`
      const watching = await watch(`pipeline:${pipelineId}`)
      const lease = await office.delegate(coder, { pipelineId })
      expect(await must(coder, 'task.failed', { ...lease, error: 'no disk', code: 'ENOSPC' })).toMatchObject({ type: 'task.failed', taskId: lease.taskId, status: 'failed' })
      expect(await watching.until('task.failed')).toMatchObject({ taskId: lease.taskId, error: 'no disk', code: 'ENOSPC' })
      expect(await watching.until('pipeline.failed')).toMatchObject({ pipelineId })
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ status: 'failed', error: 'no disk' })
    })

    test('a rejection: its pipeline hears why, and the task is offered again under another lease', async () => {
      const coder = await office.hire()
      const pipelineId = `p-${coder.id}`
      const watching = await watch(`pipeline:${pipelineId}`)
      const lease = await office.delegate(coder, { pipelineId })
      expect(await must(coder, 'task.rejected', { ...lease, reason: 'busy' })).toMatchObject({ type: 'task.rejected', taskId: lease.taskId, status: 'pending' })
      expect(await watching.until('task.rejected')).toMatchObject({ taskId: lease.taskId, reason: 'busy' })
      expect((await coder.mail(lease.taskId, 2)).leaseToken).not.toBe(lease.leaseToken)
    })

    test('a question for the hub\'s health, of whoever is connected', async () => {
      const viewer = await office.connect({ sub: 'page', role: 'viewer', permissions: [] })
      expect(await viewer.must(name('system.health_check'))).toEqual({
        ok: true, status: 'healthy', role: 'all', uptimeSeconds: expect.any(Number), store: { kind: 'redis', ok: true, pingMs: expect.any(Number) },
      })
    })
  })

  describe('refuses', () => {
    let coder: Worker
    beforeAll(async () => {
      coder = await office.hire()
    })

    test.each(HANDLERS)('%s of an invalid structure', async (handler) => {
      const answer = await coder.call(name(handler), { taskId: 't' }, 'more')
      expect(answer).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE', message: expect.any(String), retryable: false } })
    })

    test('what is no event, and what the registry does not know', async () => {
      for (const input of [null, 7, 'text', {}, { type: 7, data: {} }]) expect([input, codeOf(await coder.call('publish', input))]).toEqual([input, 'INVALID_MESSAGE'])
      for (const unknown of [name('task.result').replace('result', 'resultat'), name('agent.register').replace('register', 'unregister'), 'nonsense']) {
        expect([unknown, codeOf(await coder.call(unknown, {}))]).toEqual([unknown, 'UNKNOWN_TYPE'])
      }
    })

    test.each([...PUBLISHED, 'agent.register'] as const)('%s without the permission', async (handler) => {
      const mute = await office.hire({ unknown: true, permissions: ['subscribe:*', 'publish:custom.*'] })
      const needed = `publish:${handler === 'agent.register' ? 'agent.registered' : handler}`
      expect(await say(mute, handler, { taskId: 't', progress: 1, status: 'idle' })).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS', details: { needed } } })
    })

    test.each<[Handler, Data]>([
      ['agent.heartbeat', { currentTasks: 't' }], ['agent.heartbeat', { systemMetrics: 3 }],
      ['agent.status_changed', {}], ['agent.status_changed', { status: 'sleepy' }],
      ['task.result', {}], ['task.result', { taskId: 7 }], ['task.result', { taskId: 't', leaseToken: 7 }],
      ['task.progress', { progress: 1 }], ['task.progress', { taskId: 't' }], ['task.progress', { taskId: 't', progress: 'half' }],
      ['task.progress', { taskId: 't', progress: -1 }], ['task.progress', { taskId: 't', progress: 100.5 }],
      ['task.failed', { error: 'no task' }], ['task.failed', { taskId: 't', error: 7 }],
      ['task.accepted', {}], ['task.accepted', { taskId: 'a b' }],
      ['task.rejected', {}], ['task.rejected', { taskId: 't', reason: 7 }],
    ])('%s with the payload %j', async (handler, data) => {
      expect(await say(coder, handler, data)).toMatchObject({ ok: false, error: { code: 'VALIDATION_ERROR', retryable: false } })
    })

    test.each<Data>([{ maxTasks: 0 }, { agentId: 'a b' }, { capabilities: 'all' }])('agent.register with the payload %j', async (data) => {
      // It is no event, and is answered as every other message of that kind.
      expect(codeOf(await say(coder, 'agent.register', data))).toBe('INVALID_MESSAGE')
    })

    test('whoever is no agent, and an agent that speaks for another one', async () => {
      const [service, viewer] = [await office.connect({ sub: 'ci', role: 'service' }), await office.connect({ sub: 'page', role: 'viewer' })]
      expect(codeOf(await say(service, 'agent.register'))).toBe('AGENT_NOT_IDENTIFIED')
      expect(codeOf(await say(viewer, 'agent.register', { agentId: 'page' }))).toBe('AGENT_NOT_IDENTIFIED')
      expect(codeOf(await say(service, 'agent.heartbeat'))).toBe('AGENT_NOT_IDENTIFIED')
      const lease = await office.delegate(coder)
      for (const handler of REPORTS) expect([handler, codeOf(await say(service, handler, { ...lease, progress: 1 }))]).toEqual([handler, 'NOT_TASK_OWNER'])
      for (const handler of ['agent.register', 'agent.heartbeat', 'agent.status_changed'] as const) {
        expect([handler, codeOf(await say(coder, handler, { agentId: 'another', status: 'idle' }))]).toEqual([handler, 'INSUFFICIENT_PERMISSIONS'])
      }
    })

    test('a registration of an agent that lives as somebody else\'s', async () => {
      const [mine, yours] = [await office.connect({ sub: 'mine', role: 'service' }), await office.connect({ sub: 'yours', role: 'service' })]
      const agentId = `hired-by-${name('agent.register')}`.replace(':', '-')
      await must(mine, 'agent.register', { agentId })
      expect(await say(yours, 'agent.register', { agentId })).toMatchObject({ ok: false, error: { code: 'DUPLICATE_AGENT', details: { agentId, status: 'registered' } } })
      expect(codeOf(await say(yours, 'agent.register', { agentId: coder.id }))).toBe('DUPLICATE_AGENT')
    })

    test.each(REPORTS)('%s of a task that there is not', async (handler) => {
      const lease = { taskId: `none for ${handler}`.replaceAll(' ', '-'), leaseToken: 'of-old' }
      expect(await say(coder, handler, { ...lease, progress: 1 })).toMatchObject({ ok: false, error: { code: 'TASK_NOT_FOUND', message: 'Task not found.', details: { taskId: lease.taskId } } })
    })

    test.each(REPORTS)('%s of somebody else\'s task', async (handler) => {
      const [other, lease] = [await office.hire(), await office.delegate(coder)]
      expect(codeOf(await say(other, handler, { taskId: lease.taskId, progress: 1 }))).toBe('NOT_TASK_OWNER')
      // Nor does it help to know the lease.
      expect(codeOf(await say(other, handler, { ...lease, progress: 1 }))).toBe('NOT_TASK_OWNER')
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ status: 'delegated', agentId: coder.id })
    })

    test.each(REPORTS)('%s under an old lease', async (handler) => {
      const lease = await office.delegate(coder)
      await coder.must('task.rejected', lease)
      const { leaseToken } = await coder.mail(lease.taskId, 2)
      expect(codeOf(await say(coder, handler, { ...lease, progress: 1 }))).toBe('STALE_LEASE')
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ status: 'delegated', attempt: 2, leaseToken })
    })

    test('a second result, and an acceptance of what is under way', async () => {
      const lease = await office.delegate(coder)
      await coder.must('task.progress', { ...lease, progress: 1 })
      expect(await say(coder, 'task.accepted', lease)).toMatchObject({ ok: false, error: { code: 'BUSINESS_LOGIC_ERROR', details: { status: 'in_progress' } } })
      await coder.must('task.result', { ...lease, result: 1 })
      expect(await say(coder, 'task.result', { ...lease, result: 2 })).toMatchObject({ ok: false, error: { code: 'TASK_COMPLETION_ERROR', details: { taskId: lease.taskId, status: 'completed' } } })
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ result: 1 })
    })

    test('progress that is older than the last', async () => {
      const lease = await office.delegate(coder)
      const at = Date.now()
      await coder.must('publish', event('task.progress', { ...lease, progress: 60 }, { timestamp: at }))
      expect(codeOf(await coder.call('publish', event('task.progress', { ...lease, progress: 10 }, { timestamp: at - 1000 })))).toBe('STALE_REPORT')
      expect(await office.find('tasks', lease.taskId)).toMatchObject({ progress: 60 })
    })
  })
})
