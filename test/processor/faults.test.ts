/** Faults that were looked for in the processor's state and rules: each test says what must hold. */
import { createClient } from 'redis'
import { eventually } from '../harness/eventually.js'
import { contradictions, stored } from './inspection.js'
import { openShop, type Shop } from './shop.js'
import { redisOfFile, stopRedisOfFile } from './stage.js'

afterAll(stopRedisOfFile)

let shop: Shop
const open = async (settings = {}) => (shop = await openShop('memory', settings))
afterEach(() => shop?.close())

const tokenOf = async (taskId: string) => (await shop.until('task', taskId, (task) => task.status === 'delegated' && task.leaseToken)).leaseToken!
const accept = async (agent: string, taskId: string) => {
  const leaseToken = await tokenOf(taskId)
  await shop.say(agent, 'task.accepted', { taskId, leaseToken })
  return leaseToken
}

describe('a report that names a place of the task', () => {
  test('with the result: the task stays completed', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await shop.say('a', 'task.result', { taskId: 't1', result: 1, pipelineId: 'p1' })
    expect((await shop.find('task', 't1'))?.status).toBe('completed')
    await expect(shop.say('a', 'task.result', { taskId: 't1', result: 2 })).rejects.toMatchObject({ code: 'TASK_COMPLETION_ERROR' })
  })

  test('with a rejection: the task is offered again', async () => {
    await open({ retryMs: 20, retryMostMs: 20 })
    await shop.hire('a')
    await shop.order('t1')
    await shop.say('a', 'task.rejected', { taskId: 't1', leaseToken: await tokenOf('t1'), pipelineId: 'p1' })
    await shop.until('task', 't1', ({ attempt, tries, status }) => attempt === 2 && tries.length === 1 && status === 'delegated')
  })

  test('of another place than its own: nothing is set back', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1', { pipelineId: 'p1', stage: 1 })
    await accept('a', 't1')
    await shop.say('a', 'task.result', { taskId: 't1', pipelineId: 'p2' })
    expect(await shop.find('task', 't1')).toMatchObject({ status: 'completed', pipelineId: 'p1' })
  })
})

describe('leases', () => {
  test('of an agent that begins without accepting run out, too', async () => {
    await open({ acceptMs: 60, taskLeaseMs: 100, retryMs: 20, retryMostMs: 20, heartbeatMs: 50 })
    await shop.hire('a')
    await shop.order('t1')
    await shop.say('a', 'task.progress', { taskId: 't1', progress: 1, leaseToken: await tokenOf('t1') })
    expect((await shop.find('agent', 'a'))?.currentTasks).toEqual(['t1'])
    await shop.until('task', 't1', ({ tries }) => tries.length > 0)
  })

  test('a later holder is not refused for the clock of the one before', async () => {
    await open({ retryMs: 10, retryMostMs: 10 })
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await shop.say('a', 'task.progress', { taskId: 't1', progress: 10 }, { timestamp: Date.now() + 3_600_000 })
    await shop.hire('b')
    await shop.say('a', 'task.rejected', { taskId: 't1' })
    await shop.until('task', 't1', ({ agentId, status }) => agentId === 'b' && status === 'delegated')
    await shop.say('b', 'task.progress', { taskId: 't1', progress: 20 }, { timestamp: Date.now() })
    expect((await shop.find('task', 't1'))?.progress).toBe(20)
  })

  test('a holder that waits for something keeps its task when a dependency is completed once more', async () => {
    await open()
    await shop.hire('a', { maxTasks: 2 })
    await shop.say('service:ci', 'task.completed', { taskId: 'build' })
    await shop.order('t1', { dependsOn: ['build'] })
    await accept('a', 't1')
    await shop.say('a', 'task.blocked', { taskId: 't1', blockedReason: 'needs a human' })
    await shop.say('service:ci', 'task.progress', { taskId: 'build', progress: 1 })
    await shop.say('service:ci', 'task.status_changed', { taskId: 'build', newStatus: 'in_progress' })
    await shop.say('service:ci', 'task.completed', { taskId: 'build' })
    expect(await shop.find('task', 't1')).toMatchObject({ status: 'blocked', attempt: 1 })
    expect(contradictions(await stored(shop.stage.store))).toEqual([])
  })

  test('a holder that waits for something keeps its task when a dependency is run again and fails', async () => {
    await open()
    await shop.hire('a', { maxTasks: 2 })
    await shop.say('service:ci', 'task.completed', { taskId: 'build' })
    await shop.order('t1', { dependsOn: ['build'] })
    await accept('a', 't1')
    await shop.say('a', 'task.blocked', { taskId: 't1', blockedReason: 'needs a human' })
    await shop.say('service:ci', 'task.status_changed', { taskId: 'build', newStatus: 'in_progress' })
    await shop.say('service:ci', 'task.failed', { taskId: 'build' })
    expect(await shop.find('task', 't1')).toMatchObject({ status: 'blocked', attempt: 1 })
  })

  test('of a task that is called off again and again end in their time', async () => {
    await open({ cancelMs: 200 })
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await eventually(async () => {
      await shop.say('hub', 'task.cancel_requested', { taskId: 't1' }).catch(() => undefined)
      return (await shop.find('task', 't1'))?.status === 'cancelled'
    }, 't1 being cancelled', 5000)
  })
})

describe('dependencies', () => {
  test('that were completed and forgotten are still met', async () => {
    await open({ finishedMs: 100 })
    await shop.hire('a', { maxTasks: 1 })
    await shop.order('first')
    await shop.order('second', { assignedAgent: 'later' })
    await shop.order('third', { dependsOn: ['first', 'second'] })
    await shop.say('a', 'task.result', { taskId: 'first', leaseToken: await tokenOf('first') })
    await shop.say('service:ci', 'task.completed', { taskId: 'bystander' })
    await eventually(async () => (await shop.find('task', 'bystander')) === undefined, 'what nobody waits for being forgotten')
    await shop.hire('later')
    await shop.say('later', 'task.result', { taskId: 'second' })
    await shop.until('task', 'third', ({ status }) => status === 'delegated')
  })

  test('that were deleted end what waits for them', async () => {
    await open()
    await shop.order('first')
    await shop.order('second', { dependsOn: ['first'] })
    await shop.say('hub', 'task.forgotten', { taskId: 'first', reason: 'deleted' })
    await shop.until('task', 'second', ({ status }) => status === 'failed')
  })

  test('of a managed task are judged once, when it is created', async () => {
    await open()
    await shop.hire('a')
    await shop.order('first', { assignedAgent: 'a' })
    await shop.order('second', { dependsOn: ['first'] })
    await shop.say('service:planner', 'task.updated', { taskId: 'second', changes: [{ field: 'dependsOn', newValue: ['second'] }] })
    await shop.say('a', 'task.result', { taskId: 'first' })
    await shop.until('task', 'second', ({ status }) => status === 'delegated')
  })
})

describe('agents', () => {
  test('that stalled and lost what they held are given work again', async () => {
    await open({ stalledMs: 60, cancelMs: 60, heartbeatMs: 50 })
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await shop.until('agent', 'a', ({ status }) => status === 'stalled')
    await shop.say('hub', 'task.cancel_requested', { taskId: 't1' })
    await shop.until('task', 't1', ({ status }) => status === 'cancelled')
    await shop.order('t2')
    await shop.say('a', 'agent.heartbeat', {})
    await shop.until('task', 't2', ({ status }) => status === 'delegated')
  })

  test('that stalled and then deliver are idle', async () => {
    await open({ stalledMs: 60, heartbeatMs: 50 })
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await shop.until('agent', 'a', ({ status }) => status === 'stalled')
    await shop.say('a', 'task.result', { taskId: 't1' })
    expect(await shop.find('agent', 'a')).toMatchObject({ status: 'idle', currentTasks: [] })
  })

  test('that fail their task without naming themselves are idle', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1')
    await accept('a', 't1')
    await shop.say('a', 'task.failed', { taskId: 't1', error: 'x' })
    expect(await shop.find('agent', 'a')).toMatchObject({ status: 'idle', currentTasks: [] })
  })

  test('that left their connection and go on over HTTP are given work', async () => {
    await open()
    await shop.hire('a')
    await shop.say('hub', 'connection.opened', { connectionId: 'c1', agentId: 'a' })
    await shop.say('hub', 'connection.closed', { connectionId: 'c1', agentId: 'a' })
    await shop.hire('a')
    await shop.say('a', 'agent.heartbeat', {})
    await shop.order('t1')
    expect((await shop.find('task', 't1'))?.status).toBe('delegated')
  })
})

describe('topics of an event that changes an entity', () => {
  test('hold all of the entity, however many its producer adds', async () => {
    await open()
    await shop.hire('a')
    await shop.order('t1', { pipelineId: 'p1', stage: 2, streamId: 's1' })
    await accept('a', 't1')
    const topics = Array.from({ length: 16 }, (_, n) => `branch:b${n}`)
    await shop.say('service:x', 'task.updated', { taskId: 't1', taskTitle: 'new' }, { topics })
    const event = (await shop.journal()).find(({ type }) => type === 'task.updated')!
    expect(event.topics).toEqual(expect.arrayContaining(['task:t1', 'pipeline:p1', 'pipeline:p1:stage:2', 'stream:s1']))
  })
})

describe('figures', () => {
  test('of a stream hold a task that could never be done', async () => {
    await open()
    await shop.order('gone')
    await shop.say('hub', 'task.cancel_requested', { taskId: 'gone' })
    await shop.order('t1', { dependsOn: ['gone'], streamId: 's1', pipelineId: 'p1' })
    expect((await shop.find('task', 't1'))?.status).toBe('failed')
    expect(await shop.find('stream', 's1')).toMatchObject({ totalTasks: 1, failedTasks: 1, blockedTasks: 0 })
    expect(contradictions(await stored(shop.stage.store))).toEqual([])
  })

  test('of a stream hold an observed task that waits once', async () => {
    await open()
    await shop.say('service:x', 'task.created', { taskId: 'o1', dependsOn: ['o0'], streamId: 's1' })
    expect(await shop.find('stream', 's1')).toMatchObject({ totalTasks: 1, blockedTasks: 1 })
  })
})

describe('due times', () => {
  test('of a commit that Redis lost come again', async () => {
    shop = await openShop('redis', { staleMs: 300, offlineMs: 400, acceptMs: 400, retryMs: 20, retryMostMs: 20, heartbeatMs: 50, leaseMs: 60_000, leaseRenewMs: 20_000 })
    // Mail for one that nobody knows: only its due time goes on with it.
    await shop.order('t1', { assignedAgent: 'away' })
    const client = createClient({ url: (await redisOfFile()).url })
    await client.connect()
    // A failover leaves the commit behind as it was a moment ago; the owner learns of it when it commits what is due.
    await client.hSet('hubbub:{p0}:commit', 'number', String(Number(await client.hGet('hubbub:{p0}:commit', 'number')) - 1))
    client.destroy()
    await shop.until('task', 't1', ({ tries }) => tries.length > 0)
  })
})
