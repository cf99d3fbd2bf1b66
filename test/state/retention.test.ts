/** What is finished is forgotten, and nothing else. */
import { CHECKPOINT_RULES } from '../../server/src/processor/rules/checkpoints.js'
import { PIPELINE_RULES } from '../../server/src/processor/rules/pipelines.js'
import { RETENTION_RULES } from '../../server/src/processor/rules/retention.js'
import { STREAM_RULES } from '../../server/src/processor/rules/streams.js'
import { TALLY_RULES } from '../../server/src/processor/rules/tally.js'
import { Scene, START } from './scene.js'

/** The scene's `finishedMs`. */
const KEPT = 1000
/** And its `idleMs`. */
const IDLE = 5000

describe('what is finished', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([TALLY_RULES, PIPELINE_RULES, STREAM_RULES, CHECKPOINT_RULES, RETENTION_RULES])
  })

  it('is forgotten when its time is over: a task', () => {
    scene.publish('task.created', { taskId: 't' })
    scene.wait(10)
    scene.publish('task.completed', { taskId: 't' })
    expect(scene.timers.get('forget.task t')).toBe(START + 10 + KEPT)
    expect(scene.fire('forget.task', 't')).toEqual([{ type: 'task.forgotten', data: { taskId: 't', reason: 'expired' } }])
    expect(scene.get('task', 't')).toBeUndefined()
    expect([...scene.timers]).toEqual([])
  })

  it('is forgotten when its time is over: a pipeline and a stream', () => {
    scene.publish('pipeline.failed', { pipelineId: 'p' })
    scene.publish('stream.completed', { streamId: 's' })
    expect(scene.fire('forget.pipeline', 'p')).toEqual([{ type: 'pipeline.forgotten', data: { pipelineId: 'p', reason: 'expired' } }])
    expect(scene.fire('forget.stream', 's')).toEqual([{ type: 'stream.forgotten', data: { streamId: 's', reason: 'expired' } }])
    expect([scene.get('pipeline', 'p'), scene.get('stream', 's')]).toEqual([undefined, undefined])
  })

  it('is forgotten when its time is over: an expired checkpoint', () => {
    scene.publish('checkpoint.created', { checkpointId: 'c', expiresAt: '2026-03-01T10:00:01Z' })
    scene.fire('checkpoint', 'c')
    expect(scene.fire('forget.checkpoint', 'c')).toEqual([{ type: 'checkpoint.forgotten', data: { checkpointId: 'c', reason: 'expired' } }])
  })

  it('is forgotten when its time is over: a run', () => {
    scene.publish('agui.run_started', { type: 'RUN_STARTED', threadId: 'th', runId: 'r' })
    scene.wait(900)
    scene.publish('agui.run_finished', { type: 'RUN_FINISHED', threadId: 'th', runId: 'r' })
    expect(scene.fire('forget.run', 'r')).toEqual([])
    expect(scene.timers.get('forget.run r')).toBe(START + 900 + KEPT)
    expect(scene.fire('forget.run', 'r')).toEqual([{ type: 'run.forgotten', data: { runId: 'r', reason: 'expired' } }])
  })

  it('stays when it was opened again', () => {
    scene.publish('task.created', { taskId: 't' })
    scene.publish('task.completed', { taskId: 't' })
    scene.publish('task.status_changed', { taskId: 't', newStatus: 'in_progress' })
    scene.publish('pipeline.completed', { pipelineId: 'p' })
    scene.publish('pipeline.started', { pipelineId: 'p' })
    expect([...scene.timers]).toEqual([['forget.task t', START + IDLE], ['forget.pipeline p', START + IDLE]])
  })

  it.each([
    ['task', 'task.progress', { taskId: 'x', progress: 1 }],
    ['pipeline', 'pipeline.started', { pipelineId: 'x' }],
    ['stream', 'stream.started', { streamId: 'x' }],
    ['checkpoint', 'checkpoint.created', { checkpointId: 'x' }],
  ] as const)('or was left without an end: a %s of which nothing is heard', (kind, type, data) => {
    scene.publish(type, data)
    scene.wait(IDLE - 1)
    scene.publish(kind === 'checkpoint' ? 'checkpoint.resumed' : type, data)
    expect(scene.fire(`forget.${kind}`, 'x')).toEqual([])
    expect(scene.fire(`forget.${kind}`, 'x')).toEqual([{ type: `${kind}.forgotten`, data: { [`${kind}Id`]: 'x', reason: 'idle' } }])
  })

  it('stays when the hub drives it, however long nothing happens', () => {
    scene.announce('task.created', { taskId: 't', managed: true })
    expect(scene.timers.has('forget.task t')).toBe(false)
  })

  it('stays while something in it is still to be done', () => {
    scene.publish('pipeline.completed', { pipelineId: 'p' })
    scene.publish('task.created', { taskId: 't', pipelineId: 'p' })
    expect(scene.fire('forget.pipeline', 'p')).toEqual([])
    scene.publish('task.completed', { taskId: 't' })
    expect(scene.fire('forget.pipeline', 'p')).toMatchObject([{ type: 'pipeline.forgotten' }])
  })

  it('is what has no end, but nothing left to do', () => {
    scene.publish('task.created', { taskId: 't', pipelineId: 'p', streamId: 's' })
    scene.publish('task.failed', { taskId: 't' })
    expect(scene.fire('forget.pipeline', 'p')).toMatchObject([{ type: 'pipeline.forgotten' }])
    expect(scene.fire('forget.stream', 's')).toMatchObject([{ type: 'stream.forgotten' }])
  })

  it('stays as long by the hub\'s clock, whatever time its producer gives', () => {
    for (const [taskId, completedAt] of [['past', '2020-01-01T00:00:00Z'], ['future', '2040-01-01T00:00:00Z']]) {
      scene.publish('task.completed', { taskId, completedAt })
      expect(scene.timers.get(`forget.task ${taskId}`)).toBe(scene.now + KEPT)
      expect(scene.fire('forget.task', taskId!)).toMatchObject([{ type: 'task.forgotten' }])
    }
  })
})

describe('what is not finished', () => {
  it('is not forgotten, but for runs that nobody hears of any more', () => {
    const scene = new Scene([RETENTION_RULES])
    scene.publish('task.started', { taskId: 't' })
    scene.publish('pipeline.started', { pipelineId: 'p' })
    scene.publish('checkpoint.created', { checkpointId: 'c' })
    expect([...scene.timers.values()]).toEqual([START + IDLE, START + IDLE, START + IDLE])
    scene.publish('agui.step_started', { type: 'STEP_STARTED', stepName: 'x' }, ['run:r'])
    scene.wait(700)
    scene.publish('agui.step_started', { type: 'STEP_STARTED', stepName: 'y' }, ['run:r'])
    expect(scene.fire('forget.run', 'r')).toEqual([])
    expect(scene.fire('forget.run', 'r')).toMatchObject([{ type: 'run.forgotten' }])
  })
})
