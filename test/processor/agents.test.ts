/** Agents' lives: heard of, silent, given up, forgotten, back again. */
import { openShop, type Shop } from './shop.js'
import { KINDS, stopRedisOfFile } from './stage.js'

const BRIEF = { heartbeatMs: 50, staleMs: 200, offlineMs: 600, forgetMs: 1200, retryMs: 10 }

afterAll(stopRedisOfFile)

describe.each(KINDS)('agents on the %s store', (kind) => {
  let shop: Shop
  const open = async (settings = {}) => (shop = await openShop(kind, settings))
  afterEach(() => shop.close())
  const said = async () => (await shop.journal()).filter(({ type }) => type === 'agent.status_changed').map(({ data }) => (data as { status: string }).status)

  test('a silent agent is stale, then offline, then forgotten, each told once', async () => {
    await open(BRIEF)
    await shop.hire('a')
    await shop.until('agent', 'a', ({ status }) => status === 'stale')
    await shop.until('agent', 'a', ({ status }) => status === 'offline')
    await shop.stage.journalOf(4)
    expect(await shop.find('agent', 'a')).toBeUndefined()
    expect(await shop.types()).toEqual(['agent.registered', 'agent.status_changed', 'agent.status_changed', 'agent.forgotten'])
    expect(await said()).toEqual(['stale', 'offline'])
  })

  test('a beat brings it back, and says so', async () => {
    await open({ ...BRIEF, forgetMs: 60_000 })
    await shop.hire('a')
    await shop.until('agent', 'a', ({ status }) => status === 'offline')
    await shop.say('a', 'agent.heartbeat', { systemMetrics: { cpu: 3 } })
    expect(await shop.find('agent', 'a')).toMatchObject({ status: 'idle', metrics: { cpu: 3 } })
    expect(await said()).toEqual(['stale', 'offline', 'idle'])
    await shop.until('agent', 'a', ({ status }) => status === 'stale')
  })

  test('a live agent of another subject cannot be taken over; one that is offline can', async () => {
    await open({ ...BRIEF, forgetMs: 60_000 })
    await shop.say('service:one', 'agent.registered', { agentId: 'x', capabilities: ['a'] })
    await expect(shop.say('service:two', 'agent.registered', { agentId: 'x' })).rejects.toMatchObject({ code: 'DUPLICATE_AGENT' })
    await shop.say('service:one', 'agent.registered', { agentId: 'x', capabilities: ['b'] })
    expect((await shop.find('agent', 'x'))?.capabilities).toEqual(['b'])
    await shop.until('agent', 'x', ({ status }) => status === 'offline')
    await shop.say('service:two', 'agent.registered', { agentId: 'x' })
    expect((await shop.find('agent', 'x'))?.owner).toBe('/services/two')
  })

  test('an older connection\'s late end does not lose the newer one, and no end is a leave by itself', async () => {
    await open()
    await shop.say('hub', 'connection.opened', { connectionId: 'k1', agentId: 'a' })
    await shop.hire('a')
    await shop.say('hub', 'connection.opened', { connectionId: 'k2', agentId: 'a' })
    await shop.say('hub', 'connection.closed', { connectionId: 'k1', agentId: 'a', reason: 'late' })
    expect(await shop.find('agent', 'a')).toMatchObject({ connections: ['k2'], status: 'registered' })
    await shop.say('hub', 'connection.closed', { connectionId: 'k2', agentId: 'a', reason: 'gone' })
    expect(await said()).toEqual([])
    // Away, it gets nothing that anybody else could do; what names it waits in its inbox.
    await shop.order('for anybody'.replace(' ', '-'))
    await shop.order('for-it', { assignedAgent: 'a' })
    expect((await shop.find('task', 'for-anybody'))?.status).toBe('pending')
    expect((await shop.find('task', 'for-it'))?.status).toBe('delegated')
    await shop.say('hub', 'connection.opened', { connectionId: 'k3', agentId: 'a' })
    await shop.say('a', 'task.rejected', { taskId: 'for-it' })
    await shop.until('task', 'for-anybody', ({ status }) => status === 'delegated')
  })

  test('an agent that beats without getting on is stalled, and gets nothing new until it moves', async () => {
    await open({ stalledMs: 100, heartbeatMs: 50 })
    await shop.hire('a', { maxTasks: 2 })
    await shop.order('t1')
    await shop.until('task', 't1', ({ status }) => status === 'delegated')
    await shop.say('a', 'task.accepted', { taskId: 't1' })
    await shop.until('agent', 'a', ({ status }) => status === 'stalled')
    await shop.order('t2')
    expect((await shop.find('task', 't2'))?.status).toBe('pending')
    await shop.say('a', 'task.progress', { taskId: 't1', progress: 10 })
    await shop.until('task', 't2', ({ status }) => status === 'delegated')
    expect(await said()).toEqual(['stalled', 'busy'])
  })

  test('an agent that goes offline loses its tasks to others', async () => {
    await open({ ...BRIEF, forgetMs: 60_000, taskLeaseMs: 60_000 })
    await shop.hire('a')
    await shop.order('t1')
    await shop.until('task', 't1', ({ status }) => status === 'delegated')
    await shop.say('a', 'task.accepted', { taskId: 't1' })
    await shop.until('agent', 'a', ({ status }) => status === 'offline')
    await shop.hire('b')
    const task = await shop.until('task', 't1', ({ agentId, status }) => agentId === 'b' && status === 'delegated')
    expect(task.tries).toMatchObject([{ agentId: 'a', reason: 'the agent went offline' }])
    expect((await shop.find('agent', 'a'))?.currentTasks).toEqual([])
  })

  test('what is due outlives the processor that set it, and fires once', async () => {
    await open({ leaseMs: 500, leaseRenewMs: 100, heartbeatMs: 50 })
    await shop.order('t1', { deadline: new Date(Date.now() + 250).toISOString() })
    await shop.processor.stop()
    const others = [shop.stage.processor('p2', await shop.stage.another()), shop.stage.processor('p3', await shop.stage.another())]
    await Promise.all(others.map((other) => other.start()))
    await shop.until('task', 't1', ({ status }) => status === 'failed')
    expect((await shop.types('t1')).filter((type) => type === 'task.failed')).toHaveLength(1)
  })

  test('finished tasks leave after their time, or when there are too many', async () => {
    await open({ finishedMs: 60_000, finishedCount: 2, retryMs: 10 })
    for (const id of ['o1', 'o2', 'o3', 'o4']) await shop.say('service:ci', 'task.completed', { taskId: id })
    await shop.stage.journalOf(6)
    expect((await shop.journal()).filter(({ type }) => type === 'task.forgotten').map(({ data }) => (data as { taskId: string }).taskId)).toEqual(['o1', 'o2'])
    expect(await shop.find('task', 'o1')).toBeUndefined()
    expect(await shop.find('task', 'o4')).toBeDefined()
  })
})
