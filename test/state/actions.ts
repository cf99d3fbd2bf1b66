/** One thing that somebody does in a project, drawn by dice; refusals are part of life and no fault. */
import type { Data, Shop } from '../processor/shop.js'

type Roll = (sides: number) => number

const SHA = 'a'.repeat(40)

export async function randomAction(roll: Roll, shop: Shop): Promise<void> {
  const [who, type, data] = draw(roll)
  await shop.say(who, type, data).catch((error: unknown) => {
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
  })
}

function draw(roll: Roll): [who: string, type: string, data: Data] {
  const agent = `a${roll(3)}`
  const taskId = `t${roll(8)}`
  const place = drawPlace(roll)
  const facts: [string, string, Data][] = [
    ['hub', 'agent.registered', { agentId: agent, capabilities: roll(2) ? ['code'] : [], maxTasks: 1 + roll(3) }],
    ['hub', 'connection.opened', { connectionId: `k${roll(3)}`, agentId: agent }],
    ['hub', 'connection.closed', { connectionId: `k${roll(3)}`, agentId: agent, reason: 'gone' }],
    [agent, 'agent.heartbeat', { systemMetrics: { cpu: roll(100) }, currentTasks: [taskId] }],
    [agent, 'agent.status_changed', { status: ['idle', 'busy', 'error'][roll(3)]! }],
    ['hub', 'task.created', { taskId, managed: true, taskTitle: `Task ${taskId}`, ...place, ...drawOrder(roll) }],
    ['hub', 'task.created', { taskId, managed: true, ...place }],
    [agent, 'task.accepted', { taskId }],
    [agent, 'task.rejected', { taskId, reason: 'no' }],
    [agent, 'task.progress', { taskId, progress: roll(101), ...(roll(3) ? {} : place) }],
    [agent, 'task.started', { taskId }],
    [agent, 'task.result', { taskId, result: { n: roll(9) } }],
    [agent, 'task.result', { taskId, result: roll(9) }],
    [agent, 'task.failed', { taskId, error: 'broken' }],
    ['hub', 'task.cancel_requested', { taskId, reason: 'enough' }],
    ['hub', 'task.forgotten', { taskId, reason: 'deleted' }],
    ['service:ci', 'task.created', { taskId: `o${roll(4)}`, ...place }],
    ['service:ci', 'task.status_changed', { taskId: `o${roll(4)}`, newStatus: ['pending', 'in_progress', 'blocked', 'completed'][roll(4)]! }],
    ['service:ci', 'task.completed', { taskId: `o${roll(4)}`, ...place }],
    ['service:ci', 'task.progress', { taskId: `o${roll(4)}`, progress: roll(101), ...place }],
    ['service:ci', 'task.updated', { taskId, changes: [{ field: 'priority', newValue: roll(9) }] }],
    ['service:ci', 'pipeline.started', { pipelineId: `p${roll(2)}`, name: 'build' }],
    ['service:ci', 'pipeline.step_completed', { pipelineId: `p${roll(2)}`, step: `s${roll(5)}` }],
    ['service:ci', ['pipeline.completed', 'pipeline.failed'][roll(2)]!, { pipelineId: `p${roll(2)}` }],
    ['service:ci', 'stream.blocked', { streamId: `s${roll(2)}`, blockedReason: 'wait' }],
    [agent, 'checkpoint.created', { checkpointId: `c${roll(4)}`, taskId, ...(roll(2) ? { expiresAt: new Date(Date.now() + 40).toISOString() } : {}) }],
    [agent, 'checkpoint.resumed', { checkpointId: `c${roll(4)}`, taskId }],
    ['service:ci', 'github.push', { repository: 'octo/hub', branch: 'fix', sha: SHA, ...(roll(2) ? { taskIds: [taskId] } : {}) }],
    [agent, 'agent.handoff', { fromAgent: agent, toAgent: `a${roll(3)}`, taskId, handoffContext: 'yours' }],
    ['hub', 'task_type.defined', { taskType: 'fix', resultSchema: { type: 'object' } }],
    ...drawRun(roll),
  ]
  return facts[roll(facts.length)]!
}

function drawPlace(roll: Roll): Data {
  return { ...(roll(2) ? { pipelineId: `p${roll(2)}`, ...(roll(2) ? { stage: roll(3) } : {}) } : {}), ...(roll(2) ? { streamId: `s${roll(2)}` } : {}) }
}

function drawOrder(roll: Roll): Data {
  return {
    ...(roll(3) ? {} : { dependsOn: [`t${roll(8)}`, ...(roll(3) ? [] : [`stream:s${roll(2)}`])] }),
    ...(roll(3) ? {} : { requires: ['code'] }),
    ...(roll(4) ? {} : { assignedAgent: `a${roll(3)}` }),
    ...(roll(4) ? {} : { deadline: new Date(Date.now() + 30).toISOString() }),
    ...(roll(2) ? { taskType: 'fix' } : {}),
    ...(roll(3) ? {} : { parameters: { repository: 'octo/hub', branch: 'fix' } }),
  }
}

function drawRun(roll: Roll): [string, string, Data][] {
  const run = { threadId: 'th', runId: `r${roll(2)}` }
  return [
    ['service:ag', 'agui.run_started', { type: 'RUN_STARTED', ...run }],
    ['service:ag', 'agui.run_finished', { type: 'RUN_FINISHED', ...run }],
  ]
}
