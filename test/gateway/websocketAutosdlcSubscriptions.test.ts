/** `/ws?dialect=autosdlc`: subscriptions by resource and event, and how they come back. */
import { answer } from './autosdlcAnswer.js'
import { hub, service } from './agentHub.js'
import { line } from './dialectLine.js'

const PATH = '/ws?dialect=autosdlc'
const PAGE = { sub: 'page', role: 'viewer' } as const

const FORMS: [object, string[], string[]?][] = [
  [{ topics: ['task:1', 'agent:*'] }, ['task:1', 'agent:*']],
  [{ resource: 'agent:coder-001' }, ['agent:coder-001']],
  [{ resource: 'agents' }, ['agent:*']],
  [{ resource: 'workflow', resourceId: 'w1' }, ['pipeline:w1']],
  [{ resource: { type: 'task', id: 't1' } }, ['task:t1']],
  [{ resources: ['system', 'github:o/r'] }, ['system', 'repo:o/r']],
  [{ agentId: ['a', 'b'], workflowId: 'w' }, ['agent:a', 'agent:b', 'pipeline:w']],
  [{ events: ['workflow_*', 'test_result', 'alert'] }, ['*'], ['pipeline.*', 'tdd.test_result', 'system.alert']],
  [{ agentId: 'a', events: 'errors' }, ['agent:a'], ['agent.error']],
  [{ taskId: 't', events: ['completed', 'failed'] }, ['task:t'], ['task.completed', 'task.failed']],
  [{ taskId: 't', events: ['agui.*', 'custom.mine'] }, ['task:t'], ['agui.*', 'custom.mine']],
]

test('subscriptions name resources and events in several ways', async () => {
  const running = await hub()
  const page = await line(running, PATH, PAGE)
  await page.hears('auth_success')
  for (const [data, topics, types] of FORMS) {
    const { type, data: told } = await answer(page, { type: 'subscribe', data })
    expect({ type, topics: told['topics'], types: told['types'] }).toEqual({ type: 'subscription_update', topics, types })
  }
})

test('subscriptions that make no sense say what is wrong', async () => {
  const running = await hub()
  const page = await line(running, PATH, { ...PAGE, permissions: ['subscribe:task:*'] })
  await page.hears('auth_success')
  const wrong: [object, string][] = [
    [{}, 'INVALID_MESSAGE'], [{ events: ['no_such'] }, 'INVALID_MESSAGE'], [{ events: [7] }, 'INVALID_MESSAGE'], [{ resource: 7 }, 'INVALID_MESSAGE'], [{ resource: 'constructor' }, 'INVALID_TOPIC'],
    [{ agentId: 'has space' }, 'INVALID_TOPIC'], [{ agentId: 'a' }, 'INSUFFICIENT_PERMISSIONS'], [{ events: ['agent_log'] }, 'INSUFFICIENT_PERMISSIONS'], [{ taskId: 't', since: 'never' }, 'INVALID_CURSOR'],
  ]
  for (const [data, code] of wrong) expect(await answer(page, { type: 'subscribe', data })).toMatchObject({ type: 'error', data: { code } })
  expect(await answer(page, { type: 'subscribe', data: { taskId: 't' } })).toMatchObject({ data: { activeSubscriptions: 1 } })
})

test('subscriptions end by their id, by what they name, or all at once', async () => {
  const running = await hub()
  const page = await line(running, PATH, PAGE)
  await page.hears('auth_success')
  const first = await answer(page, { type: 'subscribe', data: { agentId: 'a' } })
  for (const data of [{ taskId: 't' }, { taskId: 'u' }]) await answer(page, { type: 'subscribe', data })
  const { subscriptionId } = first.data
  expect((await answer(page, { type: 'unsubscribe', data: { subscriptionId } })).data).toMatchObject({ action: 'unsubscribed', subscriptionId, activeSubscriptions: 2 })
  expect((await answer(page, { type: 'unsubscribe', data: { taskId: 't' } })).data).toMatchObject({ action: 'unsubscribed', topics: ['task:t'], activeSubscriptions: 1 })
  expect(await answer(page, { type: 'unsubscribe', data: { taskId: 't' } })).toMatchObject({ type: 'error', data: { code: 'NOT_SUBSCRIBED' } })
  expect((await answer(page, { type: 'unsubscribe', data: {} })).data).toMatchObject({ activeSubscriptions: 0 })
})

test('subscriptions are restored by a new connection, which begins where the last one stood', async () => {
  const running = await hub()
  const planner = await service(running)
  const before = await line(running, PATH, PAGE)
  await before.hears('auth_success')
  await answer(before, { type: 'subscribe', data: { taskId: 't' } })
  await planner.must('publish', { id: 'one', type: 'task.progress', data: { taskId: 't', progress: 1 } })
  const { metadata } = await before.hears('agent_task_update')
  before.drop()
  await planner.must('publish', ['two', 'three'].map((id) => ({ id, type: 'task.progress', data: { taskId: 't', progress: 2 } })))
  const after = await line(running, `${PATH}&topics=task:t&since=${String(metadata['cursor'])}`, PAGE)
  await after.hears('agent_task_update', () => true, 1)
  expect(after.of('agent_task_update').map(({ id }) => id)).toEqual(['two', 'three'])
  const asking = await line(running, PATH, PAGE)
  await asking.hears('auth_success')
  await answer(asking, { type: 'subscribe', data: { taskId: 't', since: 'all', snapshot: false } })
  expect(asking.told.filter(({ type }) => type !== 'cursor').map(({ id, type }) => (type === 'agent_task_update' ? id : type))).toEqual(['connect', 'auth_success', 'one', 'two', 'three', 'subscription_update'])
})

test('subscribers hear signals, and the hub\'s own messages are answered', async () => {
  const running = await hub()
  const planner = await service(running)
  const page = await line(running, PATH, PAGE)
  await page.hears('auth_success')
  await answer(page, { type: 'subscribe', data: { taskId: 't', snapshot: true } })
  expect(page.of('snapshot')[0]!.data).toMatchObject({ entities: [] })
  await planner.must('signal', { topic: 'task:t', name: 'typing', data: { by: 'me' } })
  expect((await page.hears('signal')).data).toMatchObject({ topic: 'task:t', name: 'typing', data: { by: 'me' } })
  expect(await answer(page, { type: 'snapshot', data: { topics: ['task:*'] } })).toMatchObject({ type: 'ack', data: { entities: [], cursor: expect.any(String) } })
  expect(await answer(page, { type: 'system.health_check' })).toMatchObject({ type: 'ack', data: { status: 'healthy' } })
})
