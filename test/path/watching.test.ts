/** What those who watch tasks, streams, checkpoints, agents and pipelines are told, over the wire: each at its own topic, and nowhere else. */
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { openOffice, type Data, type Office } from './registry.js'

let office: Office
let engine: Tap
beforeAll(async () => {
  office = await openOffice()
  engine = await office.connect({ sub: 'engine', role: 'service' })
}, 60_000)
afterAll(() => office?.close(), 60_000)

const told = ({ events }: Tap) => events.map(({ event: { type, data } }): Data => ({ ...(data as Data), type }))
const say = (type: string, data: Data) => engine.must('publish', { type, data })

async function watch(topic: string, more: Data = {}): Promise<Tap & { hearsType(type: string): Promise<Data> }> {
  const watching = await office.connect({ sub: 'dashboard', role: 'viewer' })
  await watching.must('subscribe', { topics: [topic], ...more })
  return Object.assign(watching, { hearsType: (type: string) => eventually(() => told(watching).find((heard) => heard['type'] === type), `${type} at ${topic}`) })
}

test('a task that is changed over HTTP: its subscribers hear what was changed, and those of other tasks do not', async () => {
  const taskId = await office.order({ title: 'Old', requires: ['nobody'] })
  const [watching, elsewhere, every] = [await watch(`task:${taskId}`), await watch('task:another'), await watch('task:*')]
  const changed = await ask(`${office.hub.url}/api/v1/tasks/${taskId}`, { method: 'PUT', as: token({ sub: 'engine', role: 'service' }), json: { title: 'New' } })
  expect(changed.status).toBe(200)
  for (const hearer of [watching, every]) {
    expect(await hearer.hearsType('task.updated')).toMatchObject({ taskId, changes: [{ field: 'title', oldValue: 'Old', newValue: 'New' }], updatedAt: expect.any(String) })
  }
  expect(told(elsewhere)).toEqual([])
})

test('a task of a stream that is completed: the stream\'s subscribers hear its progress, and its end', async () => {
  const watching = await watch('stream:lane')
  for (const taskId of ['lane-1', 'lane-2']) await say('task.created', { taskId, streamId: 'lane' })
  await say('task.completed', { taskId: 'lane-1' })
  await eventually(() => told(watching).some(({ progressPercentage }) => progressPercentage === 50), 'half of it')
  await say('task.completed', { taskId: 'lane-2' })
  expect(await watching.hearsType('stream.completed')).toMatchObject({ streamId: 'lane', totalTasks: 2, completedAt: expect.any(String), duration: expect.any(Number) })
  expect(told(watching).findLast(({ type }) => type === 'stream.progress')).toMatchObject({
    streamId: 'lane', totalTasks: 2, completedTasks: 2, inProgressTasks: 0, blockedTasks: 0, progressPercentage: 100,
  })
})

test('checkpoints: their task\'s subscribers hear them with their numbers', async () => {
  const watching = await watch('checkpoint:saved')
  await say('task.created', { taskId: 'saved', taskTitle: 'Parse' })
  for (const checkpointId of ['c1', 'c2']) await say('checkpoint.created', { checkpointId, taskId: 'saved' })
  await eventually(() => told(watching).length === 2, 'both')
  expect(told(watching)).toMatchObject([1, 2].map((sequence) => ({ type: 'checkpoint.created', checkpointId: `c${sequence}`, taskId: 'saved', taskTitle: 'Parse', sequence })))
})

test('a handoff: the subscribers of both agents and of the task hear it, and no others', async () => {
  const [giver, taker, other] = [await office.hire(), await office.hire(), await office.hire()]
  for (const agent of [giver, taker, other]) await agent.must('subscribe', { topics: [`agent:${agent.id}`], types: ['agent.handoff', 'custom.*'] })
  const watching = await watch('task:handed')
  const handoff = { fromAgent: giver.id, toAgent: taker.id, taskId: 'handed', handoffContext: 'Design is ready', chainPosition: 1, chainLength: 2 }
  await giver.must('agent.handoff', handoff)
  await engine.must('publish', { id: 'behind', type: 'custom.end', data: {}, topics: [`agent:${other.id}`] })
  expect(await watching.hearsType('agent.handoff')).toMatchObject(handoff)
  for (const agent of [giver, taker]) await eventually(() => told(agent).some(({ type }) => type === 'agent.handoff'), 'the handoff')
  await other.hears('behind')
  expect(told(other).filter(({ type }) => type === 'agent.handoff')).toEqual([])
})

test('an engine\'s own step of a pipeline: the pipeline\'s subscribers hear it, and of the stages\' only that stage\'s', async () => {
  const [pipeline, second, third] = [await watch('pipeline:built'), await watch('pipeline:built:stage:2'), await watch('pipeline:built:stage:3')]
  await engine.must('pipeline:artifact_ready', { pipeline_id: 'built', stage: 2, payload: { path: 'a.tgz' } })
  await engine.must('pipeline:artifact_ready', { pipeline_id: 'built', stage: 3, payload: { path: 'b.tgz' } })
  await eventually(() => told(pipeline).length === 2 && told(second).length === 1 && told(third).length === 1, 'both')
  expect(told(pipeline)).toMatchObject([{ type: 'pipeline.artifact_ready', pipelineId: 'built', stage: 2, path: 'a.tgz' }, { stage: 3 }])
  expect([told(second), told(third)]).toMatchObject([[{ stage: 2 }], [{ stage: 3 }]])
})

test('a subscription\'s types and filter hold on after its connection was cut', async () => {
  const watching = await tap(office.hub.url, { auth: { token: token({ sub: 'dashboard', role: 'viewer' }) }, reconnection: true })
  await watching.must('subscribe', { topics: ['pipeline:filtered'], types: ['pipeline.note'], filter: { stage: 2 } })
  const note = (n: number, stage: number, type = 'pipeline.note') => say(type, { pipelineId: 'filtered', stage, n })
  await note(1, 2)
  await eventually(() => watching.events.length === 1, 'the first')
  watching.socket.io.engine.close()
  await eventually(() => watching.socket.connected && watching.socket.recovered, 'the session being resumed')
  await note(2, 3)
  await note(3, 2, 'pipeline.other')
  await note(4, 2)
  await eventually(() => told(watching).at(-1)?.['n'] === 4, 'the last')
  expect(told(watching).map(({ n }) => n)).toEqual([1, 4])
})
