/** AG-UI runs: starts and ends of the events on a run's topic. */
import { Scene } from './scene.js'

const CONTEXT = ['run:r', 'thread:th', 'agent:a', 'task:t']

describe('a run', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([])
  })
  const say = (type: string, data: object = {}) => scene.publish(`agui.${type.toLowerCase()}`, { type, ...data }, CONTEXT)

  it('is where its events say', () => {
    say('RUN_STARTED', { threadId: 'th', runId: 'r', parentRunId: 'r0' })
    say('STEP_STARTED', { stepName: 'plan' })
    say('TEXT_MESSAGE_START', { messageId: 'm1' })
    say('TOOL_CALL_START', { toolCallId: 'c1', toolCallName: 'search' })
    say('TOOL_CALL_START', { toolCallId: 'c2', toolCallName: 'search' })
    expect(scene.get('run', 'r')).toEqual({
      id: 'r', createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z', status: 'running', threadId: 'th', parentRunId: 'r0', agentId: 'a', taskId: 't',
      currentStep: 'plan', messages: 1, toolCalls: 2,
    })
    say('STEP_FINISHED', { stepName: 'plan' })
    expect(scene.get('run', 'r')).not.toHaveProperty('currentStep')
    say('RUN_FINISHED', { threadId: 'th', runId: 'r', outcome: { type: 'cancelled' } })
    expect(scene.get('run', 'r')).toMatchObject({ status: 'finished', finishedAt: '2026-03-01T10:00:00.000Z', messages: 1, toolCalls: 2 })
  })

  it('is not changed by content', () => {
    say('RUN_STARTED', { threadId: 'th', runId: 'r' })
    const before = scene.get('run', 'r')
    scene.wait(5)
    say('TEXT_MESSAGE_CONTENT', { messageId: 'm', delta: 'x' })
    say('TOOL_CALL_ARGS', { toolCallId: 'c', delta: '{' })
    expect(scene.get('run', 'r')).toBe(before)
  })

  it('fails with its error, and begins anew under the same id', () => {
    say('RUN_STARTED', { threadId: 'th', runId: 'r' })
    say('TEXT_MESSAGE_START', { messageId: 'm1' })
    say('RUN_ERROR', { message: 'no model' })
    expect(scene.get('run', 'r')).toMatchObject({ status: 'failed', error: 'no model', messages: 1 })
    say('RUN_STARTED', { threadId: 'th', runId: 'r' })
    expect(scene.get('run', 'r')).toMatchObject({ status: 'running', messages: 0 })
    expect(scene.get('run', 'r')).not.toHaveProperty('error')
    expect(scene.get('run', 'r')).not.toHaveProperty('finishedAt')
  })

  it('joined under way is known from there', () => {
    say('TEXT_MESSAGE_START', { messageId: 'm1' })
    expect(scene.get('run', 'r')).toMatchObject({ status: 'running', messages: 1 })
    scene.announce('run.forgotten', { runId: 'r' })
    expect(scene.get('run', 'r')).toBeUndefined()
  })
})
