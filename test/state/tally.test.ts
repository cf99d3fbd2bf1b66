/** Figures of pipelines and streams: in both orders in which derived events may be folded, and the same for whoever folds the journal. */
import { PIPELINE_RULES } from '../../server/src/processor/rules/pipelines.js'
import type { Rules } from '../../server/src/processor/rules/rule.js'
import { STREAM_RULES } from '../../server/src/processor/rules/streams.js'
import { TALLY_RULES } from '../../server/src/processor/rules/tally.js'
import { Scene, type Order } from './scene.js'

/** Frees all at once what waits for a task. */
const FREEING: Rules = {
  onChange: {
    task({ after }, _event, world, effects) {
      if (after?.status === 'completed') for (const { id } of world.dependents(after.id)) effects.emit('task.status_changed', { taskId: id, newStatus: 'pending' })
    },
  },
}
const RULES = [FREEING, TALLY_RULES, PIPELINE_RULES, STREAM_RULES]

describe.each<Order>(['depth', 'breadth'])('figures, derived events being folded by %s,', (order) => {
  const open = () => new Scene(RULES, order)

  it('of a stream follow its tasks', () => {
    const scene = open()
    for (const taskId of ['t1', 't2', 't3', 't4']) scene.publish('task.created', { taskId, streamId: 's' })
    expect(scene.get('stream', 's')).toMatchObject({ status: 'pending', totalTasks: 4, completedTasks: 0, inProgressTasks: 0, progressPercentage: 0 })
    scene.publish('task.accepted', { taskId: 't1' })
    scene.publish('task.started', { taskId: 't1' })
    scene.publish('task.failed', { taskId: 't2' })
    scene.publish('task.cancelled', { taskId: 't3' })
    expect(scene.publish('task.completed', { taskId: 't1' })).toEqual([
      {
        type: 'stream.progress',
        data: {
          streamId: 's', taskId: 't1', change: { completedTasks: 1, inProgressTasks: -1 }, totalTasks: 4, completedTasks: 1, failedTasks: 1, cancelledTasks: 1,
          inProgressTasks: 0, blockedTasks: 0, progressPercentage: 33.33, lastUpdated: '2026-03-01T10:00:00.000Z',
        },
      },
    ])
    expect(scene.folded('stream', 's')).toEqual(scene.get('stream', 's'))
  })

  it('stay right when one event frees many tasks of the same groups', () => {
    const scene = open()
    scene.publish('task.created', { taskId: 'first', streamId: 's', pipelineId: 'p', stage: 0 })
    for (const taskId of ['t1', 't2', 't3']) {
      scene.publish('task.created', { taskId, streamId: 's', pipelineId: 'p', stage: 1, dependsOn: ['first'] })
      scene.publish('task.blocked', { taskId })
    }
    expect(scene.get('stream', 's')).toMatchObject({ blockedTasks: 3, blockedTaskIds: ['t1', 't2', 't3'] })
    scene.publish('task.completed', { taskId: 'first' })
    const figures = { totalTasks: 4, completedTasks: 1, blockedTasks: 0, inProgressTasks: 0 }
    expect(scene.get('stream', 's')).toMatchObject({ ...figures, blockedTaskIds: [], progressPercentage: 25, status: 'running' })
    expect(scene.get('pipeline', 'p')).toMatchObject({ ...figures, progress: 25, stages: { 0: { totalTasks: 1, completedTasks: 1 }, 1: { totalTasks: 3, blockedTasks: 0 } } })
    expect(scene.folded('pipeline', 'p')).toEqual(scene.get('pipeline', 'p'))
    expect(scene.folded('stream', 's')).toEqual(scene.get('stream', 's'))
  })

  it('are told only when they change', () => {
    const scene = open()
    scene.publish('task.created', { taskId: 't', streamId: 's', pipelineId: 'p' })
    scene.publish('task.started', { taskId: 't' })
    expect(scene.publish('task.progress', { taskId: 't', progress: 40 })).toEqual([])
    expect(scene.publish('task.updated', { taskId: 't', taskTitle: 'Another' })).toEqual([])
    expect(scene.publish('task.created', { taskId: 'alone' })).toEqual([])
  })

  it('count a task from where it is found to belong to the group', () => {
    const scene = open()
    scene.publish('task.created', { taskId: 't' })
    scene.publish('task.started', { taskId: 't' })
    scene.announce('task.placed', { taskId: 't', pipelineId: 'p', stage: 2, task: { ...scene.get('task', 't'), pipelineId: 'p', stage: 2 } })
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'running', totalTasks: 1, inProgressTasks: 1, stages: { 2: { totalTasks: 1, inProgressTasks: 1 } } })
  })

  it('keep what finished and was forgotten, and lose what was forgotten before', () => {
    const scene = open()
    for (const taskId of ['done', 'open', 'gone']) scene.publish('task.created', { taskId, streamId: 's', pipelineId: 'p', stage: 0 })
    scene.publish('task.completed', { taskId: 'done' })
    expect(scene.announce('task.forgotten', { taskId: 'done' })).toEqual([])
    scene.announce('task.forgotten', { taskId: 'gone' })
    expect(scene.get('stream', 's')).toMatchObject({ totalTasks: 2, completedTasks: 1, progressPercentage: 50 })
    expect(scene.get('pipeline', 'p')).toMatchObject({ totalTasks: 2, managedTasks: 0, progress: 50, stages: { 0: { totalTasks: 2 } } })
  })

  it('never fall below nothing, and make no group of a forgotten task', () => {
    const scene = open()
    scene.publish('task.created', { taskId: 't', streamId: 's' })
    scene.announce('stream.forgotten', { streamId: 's' })
    scene.publish('task.started', { taskId: 't' })
    scene.publish('task.completed', { taskId: 't' })
    expect(scene.get('stream', 's')).toMatchObject({ totalTasks: 1, completedTasks: 1, inProgressTasks: 0, progressPercentage: 100 })
    scene.publish('task.created', { taskId: 'u', streamId: 'other' })
    scene.announce('stream.forgotten', { streamId: 'other' })
    expect(scene.announce('task.forgotten', { taskId: 'u' })).toEqual([])
    expect(scene.get('stream', 'other')).toBeUndefined()
  })

  it('go on from what a producer reports of the whole', () => {
    const scene = open()
    scene.publish('task.created', { taskId: 't', streamId: 's' })
    scene.publish('stream.progress', { streamId: 's', progressPercentage: 30, totalTasks: 10, completedTasks: 3 })
    scene.publish('task.completed', { taskId: 't' })
    expect(scene.get('stream', 's')).toMatchObject({ totalTasks: 10, completedTasks: 4, progressPercentage: 40 })
  })

  it('are the hub\'s to change', () => {
    expect(() => open().publish('stream.progress', { streamId: 's', progressPercentage: 1, change: { totalTasks: 5 } })).toThrow('filled in by the hub alone')
  })
})
