/** `/ws?dialect=mcp`: what agents and those who watch them subscribe to, by event type and filters. */
import { eventually } from '../harness/eventually.js'
import { hub, service } from './agentHub.js'
import { line } from './dialectLine.js'
import { answer, refusal } from './mcpAnswer.js'

const PATH = '/ws?dialect=mcp'
const PAGE = { sub: 'page', role: 'viewer' } as const

test('subscriptions are by event type, narrowed to a pipeline and its stage', async () => {
  const running = await hub()
  const planner = await service(running)
  const watcher = await line(running, PATH, PAGE)
  await watcher.hears('connection:acknowledged')
  const subscribed = await watcher.ask({ type: 'subscribe', event_id: 's1', payload: { event_type: 'pipeline:*', filters: { pipeline_id: 'P-1', stage: 2 } } }, ({ type }) => type === 'subscribed')
  expect(subscribed).toMatchObject({ correlation_id: 's1', payload: { subscription_id: expect.any(String), event_type: 'pipeline:*', topics: ['pipeline:P-1:stage:2'], active_subscriptions: 1 } })
  await watcher.ask({ type: 'subscribe', payload: { event_type: 'task:progress_updated', filters: { agent_id: 'coder' } } }, ({ type }) => type === 'subscribed')
  await planner.must('publish', [
    { type: 'pipeline.step_completed', data: { pipelineId: 'P-1', stage: 1, step: 'one' } },
    { type: 'pipeline.step_completed', data: { pipelineId: 'P-1', stage: 2, step: 'two' } },
    { type: 'pipeline.linted', data: { pipelineId: 'P-1', stage: 2, eventType: 'linted' } },
    { type: 'pipeline.linted', data: { pipelineId: 'P-2', stage: 2 } },
    { type: 'task.progress', data: { taskId: 'free', agentId: 'coder', progress: 3 } },
    { type: 'task.confidence_updated', data: { taskId: 'free', agentId: 'coder', confidence: 0.3 } },
    { type: 'task.progress', data: { taskId: 'free', agentId: 'other', progress: 4 } },
    { type: 'pipeline.completed', data: { pipelineId: 'P-1', stage: 2 } },
  ])
  await watcher.hears('pipeline:completed')
  const events = watcher.told.filter(({ payload, type }) => type.startsWith('pipeline:') || payload['task_id'] !== undefined)
  expect(events.map(({ type, payload }) => [type, payload['step'] ?? payload['progress'] ?? payload['event_type']])).toEqual([
    ['pipeline:step_completed', 'two'], ['pipeline:linted', 'linted'], ['task:progress_updated', 3], ['pipeline:completed', undefined],
  ])
  expect(events[0]).toMatchObject({ event_type: 'pipeline:step_completed', event_id: expect.any(String), timestamp: expect.stringMatching(/Z$/), cursor: expect.any(String), payload: { pipeline_id: 'P-1', stage: 2 } })
})

test('subscriptions end by their id, by their event type, or all at once', async () => {
  const running = await hub()
  const watcher = await line(running, PATH, PAGE)
  const subscribe = async (payload: object) => (await watcher.ask({ type: 'subscribe', payload }, ({ type }) => type === 'subscribed')).payload
  const unsubscribe = (payload: object) => watcher.ask({ type: 'unsubscribe', payload }, ({ type }) => type === 'unsubscribed' || type === 'error')
  const first = await subscribe({ event_type: 'task:progress' })
  await subscribe({ event_type: ['agent:heartbeat', 'agent:log'] })
  await subscribe({ event_type: '*', filters: { task_id: 'T-1' } })
  expect(await subscribe({ topics: ['system'] })).toMatchObject({ active_subscriptions: 4, topics: ['system'] })
  expect((await unsubscribe({ subscription_id: first['subscription_id'] })).payload).toMatchObject({ subscription_ids: [first['subscription_id']], active_subscriptions: 3 })
  expect((await unsubscribe({ event_type: 'agent:log' })).payload).toMatchObject({ active_subscriptions: 2 })
  expect((await unsubscribe({ event_type: 'agent:log' })).payload).toMatchObject({ code: 'BUSINESS_LOGIC_ERROR', hub_code: 'NOT_SUBSCRIBED' })
  expect((await unsubscribe({})).payload).toMatchObject({ active_subscriptions: 0 })
})

test('subscriptions that make no sense say what is wrong', async () => {
  const running = await hub()
  const watcher = await line(running, PATH, { ...PAGE, permissions: ['subscribe:task:*'] })
  await watcher.hears('connection:acknowledged')
  const problems = [{}, { event_type: [] }, { event_type: 7 }, { event_type: 'task:*', filters: [] }, { event_type: 'task:*', filters: { pipeline_id: 7 } }, { event_type: 'task:*', filters: { capabilities: ['a', 'b'] } }, { event_type: 'NO SUCH' }]
  for (const payload of problems) expect(await refusal(watcher, { type: 'subscribe', payload })).toEqual(['VALIDATION_ERROR', expect.any(String)])
  expect(await refusal(watcher, { type: 'subscribe', payload: { event_type: 'task:*' } })).toEqual(['INSUFFICIENT_PERMISSIONS', "Agent does not have permission for event 'subscribe'"])
  expect(await answer(watcher, { type: 'subscribe', payload: { event_type: 'task:*', topics: ['task:*'] } })).toMatchObject({ type: 'subscribed' })
})

test('subscriptions with `since` bring the past first, page after page, and a connection may begin with it', async () => {
  const running = await hub({ pageEvents: 100 })
  const planner = await service(running)
  await planner.must('publish', Array.from({ length: 500 }, (_each, place) => ({ type: 'task.progress', data: { taskId: 'free', progress: place / 10 } })))
  await planner.must('publish', { type: 'task.progress', data: { taskId: 'free', progress: 99, message: 'last' } })
  const watcher = await line(running, PATH, PAGE)
  await watcher.ask({ type: 'subscribe', payload: { event_type: 'task:progress', filters: { task_id: 'free' }, since: 'all' } }, ({ type }) => type === 'subscribed')
  expect(watcher.of('task:progress_updated').map(({ payload }) => payload['progress'])).toEqual([...Array.from({ length: 500 }, (_each, place) => place / 10), 99])
  expect(watcher.told.at(-1)!.type).toBe('subscribed')
  const cursor = String(watcher.of('task:progress_updated').at(-3)!['cursor'])
  const again = await line(running, `${PATH}&topics=task:free&since=${cursor}`, PAGE)
  await again.hears('task:progress_updated', ({ payload }) => payload['message'] === 'last')
  expect(again.told[0]!.type).toBe('connection:acknowledged')
  expect(again.of('task:progress_updated')).toHaveLength(2)
})

test('a gap before all that comes is told behind the first message', async () => {
  const running = await hub({ partitions: 1, retentionMs: 150, retentionCount: 10, windowEvents: 100 })
  const planner = await service(running)
  const gapped = await eventually(async () => {
    await planner.must('publish', Array.from({ length: 100 }, () => ({ type: 'task.progress', data: { taskId: 'free', progress: 1 } })))
    const watcher = await line(running, `${PATH}&topics=task:free&since=1h`, PAGE)
    await watcher.hears('task:progress_updated')
    return watcher.of('gap').length > 0 && watcher
  }, 'a journal that forgot')
  expect(gapped.told.slice(0, 2).map(({ type }) => type)).toEqual(['connection:acknowledged', 'gap'])
  expect(gapped.told[1]!.payload).toMatchObject({ reason: 'trimmed' })
})
