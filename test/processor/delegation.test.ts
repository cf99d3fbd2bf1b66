/** Work meets agents: delegation as a lease, its loss, its next try; exactly one accepted result a task. */
import { eventually } from '../harness/eventually.js'
import { openShop, type Shop } from './shop.js'
import { KINDS, stopRedisOfFile } from './stage.js'

const SOON = { acceptMs: 60, retryMs: 20, retryMostMs: 40, taskTries: 3, taskLeaseMs: 60, offlineMs: 60_000, staleMs: 50_000, heartbeatMs: 50, cancelMs: 60 }

afterAll(stopRedisOfFile)

describe.each(KINDS)('tasks and agents on the %s store', (kind) => {
  let shop: Shop
  const open = async (settings = {}) => (shop = await openShop(kind, settings))
  afterEach(() => shop.close())

  const tokenOf = async (taskId: string) => (await shop.until('task', taskId, (task) => task.leaseToken)).leaseToken!

  test('a task goes to an agent that can do it, comes back as one result, and every step is told', async () => {
    await open()
    await shop.hire('painter', { capabilities: ['paint'] })
    await shop.hire('coder', { capabilities: ['code', 'test'] })
    await shop.order('t1', { requires: ['code'], taskType: 'fix', parameters: { file: 'a.ts' } })
    const leaseToken = await tokenOf('t1')
    const [mail] = await shop.mail('coder')
    expect(mail).toMatchObject({ type: 'task.delegate', topics: ['inbox:coder'], data: { taskId: 't1', agentId: 'coder', taskType: 'fix', parameters: { file: 'a.ts' }, leaseToken, attempt: 1 } })
    expect(await shop.mail('painter')).toEqual([])

    await shop.say('coder', 'task.accepted', { taskId: 't1', leaseToken })
    expect(await shop.find('agent', 'coder')).toMatchObject({ status: 'busy', currentTasks: ['t1'] })
    await shop.say('coder', 'task.progress', { taskId: 't1', progress: 50, leaseToken })
    await shop.say('coder', 'task.result', { taskId: 't1', result: { ok: 1 }, leaseToken })
    expect(await shop.find('task', 't1')).toMatchObject({ status: 'completed', result: { ok: 1 }, progress: 100, attempt: 1, agentId: 'coder' })
    expect(await shop.find('agent', 'coder')).toMatchObject({ status: 'idle', currentTasks: [] })
    expect(await shop.types('t1')).toEqual([
      'task.created', 'task.delegated', 'task.status_changed', 'task.delegate', 'task.accepted', 'task.status_changed', 'task.progress', 'task.status_changed',
      'task.result', 'task.completed', 'task.status_changed',
    ])
    const events = await shop.journal()
    const result = events.find(({ type }) => type === 'task.result')!
    expect(events.find(({ type }) => type === 'task.completed')!.metadata).toMatchObject({ source: '/hub', causationId: result.id })
  })

  test('a second result, a result with an old lease and one of a stranger are refused', async () => {
    await open({ acceptMs: 2000, retryMs: 10 })
    await shop.hire('a')
    await shop.order('t1')
    const old = await tokenOf('t1')
    // Given back: offered again, to the same agent for want of another.
    await shop.say('a', 'task.rejected', { taskId: 't1', leaseToken: old })
    const task = await shop.until('task', 't1', ({ attempt, status }) => attempt === 2 && status === 'delegated')
    expect(task.tries).toMatchObject([{ attempt: 1, agentId: 'a', reason: 'rejected' }])
    await expect(shop.say('a', 'task.result', { taskId: 't1', result: 1, leaseToken: old })).rejects.toMatchObject({ code: 'STALE_LEASE' })
    await expect(shop.say('b', 'task.result', { taskId: 't1', result: 1 })).rejects.toMatchObject({ code: 'NOT_TASK_OWNER' })
    await shop.say('a', 'task.result', { taskId: 't1', result: 2 })
    await expect(shop.say('a', 'task.result', { taskId: 't1', result: 3 })).rejects.toMatchObject({ code: 'TASK_COMPLETION_ERROR', details: { status: 'completed' } })
    expect((await shop.find('task', 't1'))?.result).toBe(2)
    await expect(shop.say('a', 'task.result', { taskId: 'nope', result: 1 })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  })

  test('after its last try a task fails, with its tries on record', async () => {
    await open(SOON)
    await shop.hire('a')
    await shop.hire('b')
    await shop.order('t1')
    const task = await shop.until('task', 't1', ({ status }) => status === 'failed')
    expect(task.tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(task.tries.map(({ agentId }) => agentId)).size).toBe(2)
    const failed = (await shop.journal()).find(({ type }) => type === 'task.failed')!
    expect(failed.data).toMatchObject({ cause: 'tries_exhausted', tries: task.tries })
  })

  test('a rejected task goes to another agent at once after its wait', async () => {
    await open({ retryMs: 10 })
    await shop.hire('a')
    await shop.order('t1')
    await tokenOf('t1')
    await shop.hire('b')
    await shop.say('a', 'task.rejected', { taskId: 't1', reason: 'no disk' })
    const task = await shop.until('task', 't1', ({ agentId, status }) => agentId === 'b' && status === 'delegated')
    expect(task.tries).toMatchObject([{ agentId: 'a', reason: 'rejected: no disk' }])
  })

  test('a task whose agent falls silent goes to another, and the silent one is told to stop', async () => {
    await open(SOON)
    await shop.hire('a')
    await shop.order('t1')
    const leaseToken = await tokenOf('t1')
    await shop.say('a', 'task.accepted', { taskId: 't1', leaseToken })
    await shop.hire('b')
    const task = await shop.until('task', 't1', ({ tries }) => tries.length > 0)
    expect(task.tries[0]).toMatchObject({ agentId: 'a', reason: 'no sign of the agent' })
    // The next agent may fall silent, too, before the mail is read: then the first has got the task again.
    const cancel = (await shop.mail('a')).find(({ type }) => type === 'execution.cancel')
    expect(cancel?.data).toMatchObject({ taskId: 't1', leaseToken })
    await expect(shop.say('a', 'task.progress', { taskId: 't1', progress: 5, leaseToken })).rejects.toMatchObject({ code: 'STALE_LEASE' })
  })

  test('an agent that was restarted beats, but knows of its task no more: the task goes to another', async () => {
    await open({ ...SOON, acceptMs: 5000 })
    await shop.hire('a')
    await shop.order('t1')
    await shop.say('a', 'task.accepted', { taskId: 't1', leaseToken: await tokenOf('t1') })
    await shop.hire('b')
    const task = await eventually(async () => {
      await shop.say('a', 'agent.heartbeat', { currentTasks: [] })
      const found = await shop.find('task', 't1')
      return found?.agentId === 'b' && found
    }, 'the task being offered to b')
    expect(task.tries).toMatchObject([{ agentId: 'a', reason: 'no sign of the agent' }])
  })

  test('the most urgent goes first, and no agent gets more than it takes at once', async () => {
    await open()
    await shop.order('low', { priority: 'low' })
    await shop.order('due', { deadline: '2090-01-01T00:00:00Z' })
    await shop.order('plain')
    await shop.order('high', { priority: 7 })
    await shop.hire('a', { maxTasks: 2 })
    await shop.until('task', 'due', ({ status }) => status === 'delegated')
    expect((await shop.mail('a')).map(({ data }) => data['taskId'])).toEqual(['high', 'due'])
    await shop.say('a', 'task.result', { taskId: 'high' })
    await shop.say('a', 'task.result', { taskId: 'due' })
    expect((await shop.mail('a')).map(({ data }) => data['taskId'])).toEqual(['high', 'due', 'plain', 'low'])
  })

  test('a task waits for what it depends on, and fails with it', async () => {
    await open()
    await shop.hire('a', { maxTasks: 10 })
    await shop.order('first')
    await shop.order('second', { dependsOn: ['first'] })
    await shop.order('third', { dependsOn: ['second', 'first'] })
    expect(await shop.find('task', 'second')).toMatchObject({ status: 'blocked', blockedReason: 'waits for first' })
    await shop.say('a', 'task.result', { taskId: 'first' })
    expect((await shop.find('task', 'second'))?.status).toBe('delegated')
    expect((await shop.find('task', 'third'))?.status).toBe('blocked')
    await shop.say('a', 'task.failed', { taskId: 'second', error: 'broken' })
    expect(await shop.find('task', 'third')).toMatchObject({ status: 'failed', error: expect.stringContaining('second') as string })
    await expect(shop.order('self', { dependsOn: ['self'] })).rejects.toMatchObject({ code: 'BUSINESS_LOGIC_ERROR' })
    await expect(shop.order('first')).rejects.toMatchObject({ code: 'TASK_EXISTS' })
  })

  test('a task waits for a stream, and fails when nothing of it was completed', async () => {
    await open()
    await shop.hire('a', { maxTasks: 10 })
    for (const taskId of ['good1', 'good2', 'bad1', 'bad2']) await shop.order(taskId, { streamId: taskId.slice(0, -1) })
    await shop.order('after-good', { dependsOn: ['stream:good'] })
    await shop.order('after-bad', { dependsOn: ['stream:bad'] })
    await shop.say('a', 'task.failed', { taskId: 'good1' })
    expect((await shop.find('task', 'after-good'))?.status).toBe('blocked')
    await shop.say('a', 'task.result', { taskId: 'good2' })
    expect((await shop.find('task', 'after-good'))?.status).toBe('delegated')
    await shop.say('a', 'task.failed', { taskId: 'bad1' })
    expect((await shop.find('task', 'after-bad'))?.status).toBe('blocked')
    await shop.say('a', 'task.failed', { taskId: 'bad2' })
    expect((await shop.find('task', 'after-bad'))?.status).toBe('failed')
  })

  test('more than one commit can take follows all the same: a thousand tasks that wait for one, and an agent that takes as many', async () => {
    await open()
    await shop.order('first')
    const waiting = Array.from({ length: 1000 }, (_, n) => `t${n}`)
    await Promise.all(waiting.map((taskId) => shop.order(taskId, { dependsOn: ['first'], pipelineId: 'p', streamId: 's' })))
    await shop.hire('a', { maxTasks: 2000 })
    await shop.say('a', 'task.result', { taskId: 'first' })
    await eventually(async () => (await shop.stage.store.state.counts(0, 'default', 'task', ['status:delegated']))[0] === 1000, 'all of them being offered')
    expect(await shop.find('pipeline', 'p')).toMatchObject({ totalTasks: 1000, blockedTasks: 0 })
    await shop.say('hub', 'task.cancel_requested', { taskId: 't0' })
    expect(await shop.find('stream', 's')).toMatchObject({ totalTasks: 1000, cancelledTasks: 1 })
  })

  test('a deadline that passes ends the task', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1', { deadline: new Date(Date.now() + 150).toISOString() })
    await tokenOf('t1')
    const task = await shop.until('task', 't1', ({ status }) => status === 'failed')
    expect(task.error).toContain('deadline')
    expect((await shop.mail('a')).map(({ type }) => type)).toEqual(['task.delegate', 'execution.cancel'])
  })

  test('a cancelled task is confirmed by its agent, or counts as cancelled after a while', async () => {
    await open({ cancelMs: 1500 })
    await shop.hire('a', { maxTasks: 3 })
    const callOff = async (taskId: string) => {
      await shop.order(taskId)
      await shop.say('a', 'task.accepted', { taskId, leaseToken: await tokenOf(taskId) })
      await shop.say('hub', 'task.cancel_requested', { taskId, reason: 'changed my mind' })
    }
    await callOff('t1')
    await shop.say('a', 'task.cancelled', { taskId: 't1' })
    expect((await shop.find('task', 't1'))?.status).toBe('cancelled')
    await callOff('t2')
    // The agent says nothing of the second one.
    await shop.until('task', 't2', ({ status }) => status === 'cancelled')
    const confirmed = (await shop.journal()).filter(({ type }) => type === 'task.cancelled').map(({ data }) => (data as { confirmed?: boolean }).confirmed)
    expect(confirmed).toEqual([undefined, false])
    await expect(shop.say('a', 'task.result', { taskId: 't2' })).rejects.toMatchObject({ code: 'TASK_COMPLETION_ERROR' })
    await expect(shop.say('hub', 'task.cancel_requested', { taskId: 't2' })).rejects.toMatchObject({ code: 'BUSINESS_LOGIC_ERROR' })
  })

  test('progress goes forward in time, by the holder alone', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1')
    await tokenOf('t1')
    await shop.say('a', 'task.progress', { taskId: 't1', progress: 60 }, { timestamp: 1_700_000_002_000 })
    await expect(shop.say('a', 'task.progress', { taskId: 't1', progress: 10 }, { timestamp: 1_700_000_001_000 })).rejects.toMatchObject({ code: 'STALE_REPORT' })
    await expect(shop.say('b', 'task.progress', { taskId: 't1', progress: 70 })).rejects.toMatchObject({ code: 'NOT_TASK_OWNER' })
    await expect(shop.say('service:ci', 'task.status_changed', { taskId: 't1', newStatus: 'completed' })).rejects.toMatchObject({ code: 'BUSINESS_LOGIC_ERROR' })
    expect(await shop.find('task', 't1')).toMatchObject({ progress: 60, status: 'in_progress' })
  })

  test('what the hub did not give is observed, and anybody may tell of it', async () => {
    await open()
    await shop.say('a', 'task.progress', { taskId: 'o1', progress: 30 })
    await shop.say('service:ci', 'task.completed', { taskId: 'o1', pipelineId: 'p1' })
    expect(await shop.find('task', 'o1')).toMatchObject({ managed: false, status: 'completed', pipelineId: 'p1' })
    const placed = (await shop.journal()).find(({ type }) => type === 'task.placed')
    expect(placed).toMatchObject({ topics: expect.arrayContaining(['task:o1', 'pipeline:p1']) as string[] })
  })
})
