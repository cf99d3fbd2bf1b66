/** Pipelines: those of an engine are what it says; those whose tasks the hub drives it ends by itself. */
import { PIPELINE_RULES } from '../../server/src/processor/rules/pipelines.js'
import { TALLY_RULES } from '../../server/src/processor/rules/tally.js'
import { Scene, START } from './scene.js'

const typesOf = (events: { type: string }[]) => events.map(({ type }) => type)

describe('a pipeline', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([TALLY_RULES, PIPELINE_RULES])
  })
  /** Created, and given to an agent: only then can it be finished. */
  const add = (taskId: string, more: object = {}) => {
    const events = scene.announce('task.created', { taskId, pipelineId: 'p', managed: true, ...more })
    scene.announce('task.delegated', { taskId, agentId: 'a', leaseToken: '1' })
    return events
  }

  it('starts with its first task, and tells of each that is done', () => {
    add('t1', { stage: 0 })
    add('t2', { stage: 1 })
    expect(typesOf(scene.publish('task.started', { taskId: 't1', agentId: 'a' }))).toEqual(['pipeline.progress', 'pipeline.started'])
    scene.wait(1000)
    scene.announce('task.completed', { taskId: 't1', agentId: 'a' })
    expect(scene.journal.slice(-2)).toMatchObject([
      {
        type: 'pipeline.progress',
        data: { progress: 50, totalTasks: 2, managedTasks: 2, estimatedCompletion: '2026-03-01T10:00:02.000Z', stages: { 0: { completedTasks: 1 }, 1: { totalTasks: 1 } } },
      },
      { type: 'pipeline.task_completed', data: { pipelineId: 'p', taskId: 't1', stage: 0, agentId: 'a' }, topics: ['pipeline:p', 'pipeline:p:stage:0', 'task:t1'] },
    ])
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'running', progress: 50, startedAt: new Date(START).toISOString() })
  })

  it('of managed tasks is completed when all are finished and none failed, once', () => {
    add('t1')
    add('t2')
    add('t3')
    scene.announce('task.cancelled', { taskId: 't3' })
    scene.announce('task.completed', { taskId: 't1' })
    expect(typesOf(scene.announce('task.completed', { taskId: 't2' }))).toEqual(['pipeline.progress', 'pipeline.task_completed', 'pipeline.completed'])
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'completed', progress: 100, cancelledTasks: 1 })
    expect(scene.announce('task.updated', { taskId: 't2', taskTitle: 'x' })).toEqual([])
    expect(scene.folded('pipeline', 'p')).toEqual(scene.get('pipeline', 'p'))
  })

  it('of managed tasks fails when one did and the others are finished', () => {
    add('t1')
    add('t2')
    expect(typesOf(scene.announce('task.failed', { taskId: 't1' }))).toEqual(['pipeline.progress'])
    expect(scene.announce('task.completed', { taskId: 't2' }).at(-1)).toMatchObject({ type: 'pipeline.failed', data: { pipelineId: 'p', error: '1 of 2 tasks failed.' } })
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'failed', error: '1 of 2 tasks failed.' })
  })

  it('opens again when it gets new tasks', () => {
    add('t1', { stage: 0 })
    scene.announce('task.completed', { taskId: 't1' })
    scene.wait(60)
    expect(add('t2', { stage: 1 })).toMatchObject([
      { type: 'pipeline.progress', data: { progress: 50 } },
      { type: 'pipeline.started', data: { pipelineId: 'p', startedAt: new Date(START).toISOString() } },
    ])
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'running', progress: 50 })
    expect(scene.get('pipeline', 'p')).not.toHaveProperty('finishedAt')
    expect(typesOf(scene.announce('task.completed', { taskId: 't2' }))).toContain('pipeline.completed')
  })

  it('of which the hub only observes a task is ended by its engine alone', () => {
    add('t1')
    scene.publish('task.created', { taskId: 'observed', pipelineId: 'p' })
    scene.announce('task.completed', { taskId: 't1' })
    expect(typesOf(scene.publish('task.completed', { taskId: 'observed' }))).toEqual(['pipeline.progress', 'pipeline.task_completed'])
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'running', progress: 100, managedTasks: 1 })
    scene.publish('pipeline.completed', { pipelineId: 'p', result: { ok: true }, artifacts: ['a'], metrics: { cost: 1 } })
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'completed', result: { ok: true }, artifacts: ['a'], metrics: { cost: 1 } })
    expect(typesOf(scene.publish('task.created', { taskId: 'late', pipelineId: 'p' }))).toEqual(['pipeline.progress'])
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'completed' })
  })
})

describe('a pipeline that its engine reports', () => {
  it('is folded as it stands, and derives nothing', () => {
    const scene = new Scene([TALLY_RULES, PIPELINE_RULES])
    const say = (type: string, data: object = {}) => expect(scene.publish(type, { pipelineId: 'p', ...data })).toEqual([])
    say('pipeline.started', { name: 'Nightly', startedAt: '2026-03-01T09:00:00Z' })
    say('pipeline.progress', { progress: 20, currentStep: 'lint' })
    say('pipeline.step_completed', { step: 'lint', stepIndex: 0, outputs: { warnings: 3 } })
    say('pipeline.own_event', { step: 5 })
    expect(scene.get('pipeline', 'p')).toMatchObject({
      status: 'running', name: 'Nightly', startedAt: '2026-03-01T09:00:00Z', progress: 20, currentStep: 'lint',
      steps: [{ step: 'lint', stepIndex: 0, outputs: { warnings: 3 }, completedAt: '2026-03-01T10:00:00.000Z' }],
    })
    say('pipeline.failed', { error: 'no space', step: 'build' })
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'failed', error: 'no space', currentStep: 'build', finishedAt: '2026-03-01T10:00:00.000Z' })
    say('pipeline.started')
    const again = scene.get('pipeline', 'p')
    expect(again).toMatchObject({ status: 'running', progress: 0, startedAt: '2026-03-01T10:00:00.000Z' })
    expect(again).not.toHaveProperty('error')
    expect(again).not.toHaveProperty('currentStep')
  })

  it('runs from its first progress, even if nobody said that it started', () => {
    const scene = new Scene([TALLY_RULES, PIPELINE_RULES])
    scene.publish('pipeline.progress', { pipelineId: 'p', progress: 5 })
    expect(scene.get('pipeline', 'p')).toMatchObject({ status: 'running' })
  })

  it('keeps its last 100 steps, and the outputs of the latest', () => {
    const scene = new Scene([])
    const outputs = { text: 'x'.repeat(20_000) }
    for (let index = 0; index < 130; index++) scene.publish('pipeline.step_completed', { pipelineId: 'p', step: `s${index}`, stepIndex: index, outputs })
    const { steps } = scene.get('pipeline', 'p')!
    expect(steps.map(({ stepIndex }) => stepIndex)).toEqual(Array.from({ length: 100 }, (_, index) => index + 30))
    expect(steps.map((step) => step.outputs !== undefined)).toEqual([...Array<boolean>(97).fill(false), true, true, true])
  })
})
