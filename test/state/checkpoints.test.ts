/** Checkpoints: numbered in their task, resumed while they stand, expired when their time is over. */
import { CHECKPOINT_RULES } from '../../server/src/processor/rules/checkpoints.js'
import { refused, Scene } from './scene.js'

const WHEN = '2026-03-01T10:00:05.000Z'

describe('a checkpoint', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([CHECKPOINT_RULES])
    scene.publish('task.created', { taskId: 't', taskTitle: 'Parse' })
  })
  const create = (checkpointId: string, more: object = {}) => scene.publish('checkpoint.created', { checkpointId, taskId: 't', ...more })

  it('gets its number, its task\'s title and its time', () => {
    create('c1', { trigger: 'manual', executionPhase: 'plan', executionStep: 3, hasDraft: true })
    create('c2')
    expect(scene.journal.slice(-2).map(({ data }) => data)).toEqual([
      {
        checkpointId: 'c1', taskId: 't', trigger: 'manual', executionPhase: 'plan', executionStep: 3, hasDraft: true, sequence: 1, taskTitle: 'Parse',
        createdAt: '2026-03-01T10:00:00.000Z',
      },
      { checkpointId: 'c2', taskId: 't', sequence: 2, taskTitle: 'Parse', createdAt: '2026-03-01T10:00:00.000Z' },
    ])
    expect(scene.get('checkpoint', 'c1')).toEqual({
      id: 'c1', createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z', status: 'available', taskId: 't', taskTitle: 'Parse', sequence: 1,
      trigger: 'manual', executionPhase: 'plan', executionStep: 3, hasDraft: true,
    })
  })

  it('keeps what its producer says, and needs no task', () => {
    create('c1', { sequence: 7, taskTitle: 'Mine' })
    expect(scene.get('checkpoint', 'c1')).toMatchObject({ sequence: 7, taskTitle: 'Mine' })
    scene.publish('checkpoint.created', { checkpointId: 'free' })
    expect(scene.get('checkpoint', 'free')).toEqual({ id: 'free', createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z', status: 'available' })
  })

  it('is created once', () => {
    create('c1')
    expect(refused(() => create('c1'))).toMatchObject({ code: 'BUSINESS_LOGIC_ERROR', message: 'There is a checkpoint c1 already.', details: { checkpointId: 'c1', status: 'available' } })
  })

  it('is resumed as often as somebody does, and its task is told', () => {
    create('c1')
    scene.publish('checkpoint.resumed', { checkpointId: 'c1' })
    expect(scene.journal.at(-1)).toMatchObject({ type: 'checkpoint.resumed', data: { checkpointId: 'c1', taskId: 't' } })
    scene.wait(10)
    scene.publish('checkpoint.resumed', { checkpointId: 'c1' })
    expect(scene.get('checkpoint', 'c1')).toMatchObject({ status: 'resumed', resumedAt: '2026-03-01T10:00:00.010Z' })
  })

  it('expires in its time, resumed or not, and is then resumed no more', () => {
    create('c1', { expiresAt: WHEN })
    scene.publish('checkpoint.resumed', { checkpointId: 'c1' })
    expect(scene.fire('checkpoint', 'c1')).toEqual([{ type: 'checkpoint.expired', data: { checkpointId: 'c1', taskId: 't', expiredAt: WHEN } }])
    expect(scene.get('checkpoint', 'c1')).toMatchObject({ status: 'expired', finishedAt: WHEN })
    expect([...scene.timers]).toEqual([])
    expect(refused(() => scene.publish('checkpoint.resumed', { checkpointId: 'c1' }))).toMatchObject({
      code: 'BUSINESS_LOGIC_ERROR', message: 'Checkpoint c1 has expired.', details: { checkpointId: 'c1', status: 'expired', expiresAt: WHEN },
    })
  })

  it('whose time is over is expired for whoever resumes it, even before it is told', () => {
    create('c1', { expiresAt: WHEN })
    scene.wait(6000)
    expect(refused(() => scene.publish('checkpoint.resumed', { checkpointId: 'c1' })).code).toBe('BUSINESS_LOGIC_ERROR')
  })

  it('that nobody created is not resumed', () => {
    expect(refused(() => scene.publish('checkpoint.resumed', { checkpointId: 'nowhere' }))).toMatchObject({ code: 'NOT_FOUND', details: { checkpointId: 'nowhere' } })
  })

  it('without a time to expire never does', () => {
    create('c1', { expiresAt: null })
    expect([...scene.timers]).toEqual([])
  })

  it('has no due time any more when it expired by a producer\'s word, or was forgotten', () => {
    create('c1', { expiresAt: WHEN })
    scene.publish('checkpoint.expired', { checkpointId: 'c1' })
    create('c2', { expiresAt: WHEN })
    scene.announce('checkpoint.forgotten', { checkpointId: 'c2' })
    expect([...scene.timers]).toEqual([])
    expect(scene.get('checkpoint', 'c2')).toBeUndefined()
  })
})
