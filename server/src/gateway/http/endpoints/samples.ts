/** What the examples show: one little project in which a test is written and run. */
const CREATED = '2026-11-21T10:00:00.000Z'
const UPDATED = '2026-11-21T10:04:10.120Z'
const base = { revision: '1795255450120-0', createdAt: CREATED, updatedAt: UPDATED }
const tally = { totalTasks: 1, completedTasks: 0, failedTasks: 0, cancelledTasks: 0, inProgressTasks: 1, blockedTasks: 0 }

export const CURSOR = '4kQ0.1795255450120-0'

export const EVENT = {
  id: 'e-1', type: 'task.progress', timestamp: 1_795_255_450_000, project: 'default', topics: ['task:T-1', 'agent:coder-1'],
  data: { taskId: 'T-1', progress: 40, message: 'two of five pass' }, metadata: { version: '1.0', source: '/agents/coder-1', recordedAt: 1_795_255_450_120 },
}

export const TASK = {
  kind: 'task', id: 'T-1', ...base, status: 'in_progress', managed: false, title: 'Write the tests', pipelineId: 'P-1', stage: 1, streamId: 'S-1', agentId: 'coder-1', attempt: 0, tries: [], progress: 40,
}

export const SAMPLES = {
  agent: { kind: 'agent', id: 'coder-1', ...base, status: 'busy', agentType: 'coder', capabilities: ['test'], maxTasks: 2, owner: '/agents/coder-1', lastSeenAt: UPDATED, currentTasks: [] },
  task: TASK,
  pipeline: { kind: 'pipeline', id: 'P-1', ...base, ...tally, status: 'running', managedTasks: 0, progress: 40, stages: { 1: tally }, steps: [] },
  stream: { kind: 'stream', id: 'S-1', ...base, ...tally, status: 'running', name: 'foundation', progressPercentage: 0 },
  checkpoint: { kind: 'checkpoint', id: 'C-1', ...base, status: 'available', taskId: 'T-1', trigger: 'manual', sequence: 1 },
  run: { kind: 'run', id: 'R-1', ...base, status: 'running', threadId: 'TH-1', messages: 0, toolCalls: 0 },
  task_type: { kind: 'task_type', id: 'test', ...base, resultSchema: { type: 'object', required: ['passed'] } },
}
