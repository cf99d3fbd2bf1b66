/** A stream starts, blocks, ends and opens again as its tasks do. */
import { STREAM_RULES } from '../../server/src/processor/rules/streams.js'
import { TALLY_RULES } from '../../server/src/processor/rules/tally.js'
import { Scene, START } from './scene.js'

const typesOf = (events: { type: string }[]) => events.map(({ type }) => type)

describe('a stream', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([TALLY_RULES, STREAM_RULES])
  })
  const add = (taskId: string) => scene.publish('task.created', { taskId, streamId: 's' })

  it('starts with its first task, once', () => {
    add('t1')
    add('t2')
    scene.wait(500)
    expect(scene.publish('task.accepted', { taskId: 't1' })).toMatchObject([
      { type: 'stream.progress' },
      { type: 'stream.started', data: { streamId: 's', startedAt: '2026-03-01T10:00:00.500Z' } },
    ])
    expect(typesOf(scene.publish('task.accepted', { taskId: 't2' }))).toEqual(['stream.progress'])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'running', startedAt: '2026-03-01T10:00:00.500Z' })
  })

  it('is completed when nothing is left to do and something was done', () => {
    add('t1')
    add('t2')
    scene.publish('task.started', { taskId: 't1' })
    scene.publish('task.failed', { taskId: 't2' })
    scene.wait(1500)
    expect(scene.publish('task.completed', { taskId: 't1' })).toMatchObject([
      { type: 'stream.progress', data: { progressPercentage: 50 } },
      { type: 'stream.completed', data: { streamId: 's', totalTasks: 2, completedAt: '2026-03-01T10:00:01.500Z', duration: 1500 } },
    ])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'completed', progressPercentage: 50, finishedAt: '2026-03-01T10:00:01.500Z' })
    expect(scene.publish('task.updated', { taskId: 't1', taskTitle: 'Done' })).toEqual([])
  })

  it('of which nothing was done is not completed', () => {
    add('t1')
    expect(typesOf(scene.publish('task.cancelled', { taskId: 't1' }))).toEqual(['stream.progress'])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'pending', cancelledTasks: 1, progressPercentage: 0 })
  })

  it('that never started is completed all the same', () => {
    add('t1')
    expect(typesOf(scene.publish('task.completed', { taskId: 't1' }))).toEqual(['stream.progress', 'stream.started', 'stream.completed'])
  })

  it('opens again when it gets new tasks, and ends again', () => {
    add('t1')
    scene.publish('task.started', { taskId: 't1' })
    scene.publish('task.completed', { taskId: 't1' })
    expect(add('t2')).toMatchObject([{ type: 'stream.progress', data: { progressPercentage: 50 } }, { type: 'stream.started', data: { startedAt: new Date(START).toISOString() } }])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'running' })
    expect(scene.get('stream', 's')).not.toHaveProperty('finishedAt')
    expect(typesOf(scene.publish('task.completed', { taskId: 't2' }))).toEqual(['stream.progress', 'stream.completed'])
  })

  it('is blocked when all that is left is blocked, and told again only of other tasks', () => {
    for (const id of ['t1', 't2', 't3']) add(id)
    scene.publish('task.completed', { taskId: 't1' })
    expect(typesOf(scene.publish('task.blocked', { taskId: 't2' }))).toEqual(['stream.progress'])
    expect(scene.publish('task.blocked', { taskId: 't3' })).toMatchObject([
      { type: 'stream.progress' },
      { type: 'stream.blocked', data: { streamId: 's', blockedTaskIds: ['t2', 't3'], blockedReason: 'All 2 unfinished tasks are blocked.' } },
    ])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'blocked' })
    expect(scene.publish('task.blocked', { taskId: 't3', blockedReason: 'still' })).toEqual([])
    expect(scene.publish('task.cancelled', { taskId: 't2' })).toMatchObject([
      { type: 'stream.progress' },
      { type: 'stream.blocked', data: { blockedTaskIds: ['t3'], blockedReason: 'still' } },
    ])
    scene.publish('task.started', { taskId: 't3' })
    expect(scene.get('stream', 's')).toMatchObject({ status: 'running', blockedTaskIds: [] })
    expect(scene.get('stream', 's')).not.toHaveProperty('blockedReason')
    expect(scene.folded('stream', 's')).toEqual(scene.get('stream', 's'))
  })

  it('that only its producer reports is what he says, and nothing is derived', () => {
    expect(scene.publish('stream.started', { streamId: 's', streamName: 'Lane A' })).toEqual([])
    expect(scene.publish('stream.progress', { streamId: 's', progressPercentage: 50, totalTasks: 2, completedTasks: 1 })).toEqual([])
    expect(scene.publish('stream.blocked', { streamId: 's', blockedReason: 'a dependency' })).toEqual([])
    expect(scene.get('stream', 's')).toMatchObject({ name: 'Lane A', status: 'blocked', blockedReason: 'a dependency' })
    expect(scene.publish('stream.progress', { streamId: 's', progressPercentage: 100, completedTasks: 2 })).toEqual([])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'running', progressPercentage: 100 })
    expect(scene.publish('stream.completed', { streamId: 's', totalTasks: 2 })).toEqual([])
    expect(scene.get('stream', 's')).toMatchObject({ status: 'completed' })
  })

  it('keeps its name in what is derived', () => {
    scene.publish('stream.started', { streamId: 's', streamName: 'Lane A' })
    expect(add('t1')).toMatchObject([{ type: 'stream.progress', data: { streamName: 'Lane A' } }])
  })
})
