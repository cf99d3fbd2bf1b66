import { isFinished, mayStep, TASK_STEPS, type TaskStatus } from '@hubbub/protocol'
import { Scene } from './scene.js'

const STATUSES = Object.keys(TASK_STEPS) as TaskStatus[]

describe('the life of a task', () => {
  it('ends for good when the hub manages it: no event moves a finished task', () => {
    for (const last of ['completed', 'failed', 'cancelled'] as const) {
      expect(TASK_STEPS[last]).toEqual([])
      const scene = new Scene([])
      scene.announce('task.created', { taskId: 't', managed: true })
      scene.announce('task.delegated', { taskId: 't', agentId: 'a', leaseToken: '1' })
      scene.publish(`task.${last}`, { taskId: 't' })
      for (const type of ['task.started', 'task.blocked', 'task.paused', 'task.accepted', 'task.completed', 'task.failed', 'task.cancelled']) scene.publish(type, { taskId: 't', agentId: 'a' })
      expect(scene.get('task', 't')?.status).toBe(last)
    }
  })

  it('goes on after its end when the hub only observes it: it was started again', () => {
    const scene = new Scene([])
    scene.publish('task.completed', { taskId: 'o' })
    scene.publish('task.started', { taskId: 'o' })
    expect(scene.get('task', 'o')).toMatchObject({ status: 'in_progress' })
    expect(scene.get('task', 'o')?.finishedAt).toBeUndefined()
  })

  it('can end from every status that is no end, and reach every status', () => {
    for (const from of STATUSES.filter((status) => !isFinished({ status }))) expect([from, mayStep(from, 'failed'), mayStep(from, 'cancelled')]).toEqual([from, true, true])
    const reached = new Set<TaskStatus>(['pending'])
    for (const from of reached) for (const to of TASK_STEPS[from]) reached.add(to)
    expect([...reached].sort()).toEqual([...STATUSES].sort())
  })
})
