import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { LIMITS } from './limits.js'

const topicsOf = (input: Record<string, unknown>) => routeTopics(normalise(input, LIMITS, 'hub'))

describe('an event goes to', () => {
  it.each([
    ['its task, pipeline, stage and agent', { type: 'task.progress', data: { taskId: 't', progress: 1, pipelineId: 'p', stage: 0, agentId: 'a' } },
      ['task:t', 'pipeline:p', 'pipeline:p:stage:0', 'agent:a']],
    ['no topic of a field that is absent', { type: 'task.progress', data: { taskId: 't', progress: 1, stage: 2 } }, ['task:t']],
    ['both agents of a handoff', { type: 'agent.handoff', data: { fromAgent: 'a', toAgent: 'b', taskId: 't' } }, ['agent:a', 'agent:b', 'task:t']],
    ['both checkpoint topics', { type: 'checkpoint.created', data: { checkpointId: 'c', taskId: 't' } }, ['checkpoint:t', 'checkpoint:c', 'task:t']],
    ['its project', { type: 'task.started', data: { taskId: 't', projectId: 'anything' } }, ['task:t', 'project']],
    ['the system', { type: 'system.alert', data: { severity: 'critical', message: 'x' } }, ['system']],
    ['the project when it names nothing', { type: 'agent.heartbeat', data: {} }, ['project']],
    ['the project when it is custom', { type: 'custom.build_done', data: 5 }, ['project']],
    ['its pipeline\'s stage when the engine names its own steps', { type: 'pipeline.stage_started', data: { pipelineId: 'p', stage: 3 } }, ['pipeline:p', 'pipeline:p:stage:3']],
    ['the producer\'s topics, too, each once', { type: 'stream.blocked', data: { streamId: 's' }, topics: ['task:t', 'stream:s', 'task:t'] }, ['stream:s', 'task:t']],
    ['run and thread of an AG-UI event', { type: 'agui.run_started', data: { type: 'RUN_STARTED', runId: 'r', threadId: 'th' } }, ['run:r', 'thread:th']],
    ['the run that its envelope names', { type: 'agui.step_started', data: { type: 'STEP_STARTED', stepName: 'x' }, metadata: { runId: 'r' } }, ['run:r']],
    ['no topic of an extra field that fits none', { type: 'agui.raw', data: { type: 'RAW', event: 1, agentId: { not: 'text' }, taskId: 'a b' } }, ['project']],
    ['the reader of the mail alone', { type: 'task.delegate', data: { taskId: 't', agentId: 'a', pipelineId: 'p' }, topics: ['task:t', 'system'] }, ['inbox:a']],
    ['the inbox that the producer names, and not to the whole project', { type: 'custom.note', data: {}, topics: ['inbox:a'] }, ['inbox:a']],
    ['the inbox and the project when the producer names both', { type: 'custom.note', data: {}, topics: ['inbox:a', 'project'] }, ['inbox:a', 'project']],
    ['the inbox beside what its data names', { type: 'task.started', data: { taskId: 't' }, topics: ['inbox:a'] }, ['task:t', 'inbox:a']],
    ['every pull request of a check', { type: 'github.workflow_updated', data: { repository: 'o/r', branch: 'fix/it', runId: 7, prNumbers: [1, 2] } },
      ['repo:o/r', 'branch:o/r@fix/it', 'workflow_run:7', 'pr:o/r#1', 'pr:o/r#2']],
  ])('%s', (_, input, topics) => {
    expect(topicsOf(input)).toEqual(topics)
  })

  it('at most 16 topics', () => {
    const data = { repository: 'o/r', prNumbers: Array.from({ length: 40 }, (_, number) => number) }
    expect(topicsOf({ type: 'github.pr_updated', data, topics: ['task:t'] })).toHaveLength(16)
  })
})
