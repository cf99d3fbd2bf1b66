/** A team at work, told through public ways: twelve agents, three pipelines with streams, a task that went through other hands, TDD, GitHub, a run. */
import type { EventInput } from '@hubbub/protocol'
import { token } from '../harness/token.js'
import type { Stage } from './stage.js'

const REPOSITORY = 'acme/checkout-service'
const TYPES = ['planner', 'coder', 'coder', 'coder', 'tester', 'tester', 'reviewer', 'reviewer', 'docs', 'ops', 'ops', 'researcher'] as const
const STATUSES = ['idle', 'busy', 'busy', 'busy', 'busy', 'idle', 'busy', 'stalled', 'idle', 'error', 'busy', 'idle'] as const

/** In the order of `TYPES`: `planner-1`, `coder-1`, `coder-2`, ... */
export const AGENTS: readonly string[] = TYPES.map((type, at) => `${type}-${TYPES.slice(0, at + 1).filter((other) => other === type).length}`)
export const PIPELINES = ['release-42', 'nightly-regression', 'docs-site'] as const
/** The task with everything: delegated twice, in test, with a checkpoint, a log and a pull request. */
export const HERO = 'T-108'
export const RUN = 'run-7'

/** Plays it all; every event is taken. */
export async function perform(stage: Stage): Promise<void> {
  await stage.publish(fleet())
  await stage.publish(pipelines())
  await playHero(stage)
  await stage.publish(tests(HERO))
  await stage.publish(github(HERO))
  await stage.publish(conversation(RUN, HERO))
  await stage.publish([
    { type: 'system.notification', data: { level: 'info', title: 'Deployment', message: 'checkout-service 4.2 is on staging' } },
    { type: 'system.alert', data: { severity: 'warning', message: 'The test database answers slowly', component: 'regression-db' } },
  ])
}

/** One of each agent. */
export function beats(): EventInput[] {
  return AGENTS.map((agentId, at) => ({ type: 'agent.heartbeat', data: { agentId, systemMetrics: { cpuUsage: 30 + at * 4, memoryUsage: (190 + at * 12) * 1_048_576 } } }))
}

function fleet(): EventInput[] {
  return AGENTS.flatMap((agentId, at): EventInput[] => [
    { type: 'agent.registered', data: { agentId, agentType: TYPES[at], capabilities: [TYPES[at]!, 'typescript'], maxTasks: 2 } },
    ...Array.from({ length: 12 }, (_, beat): EventInput => ({
      type: 'agent.heartbeat',
      data: { agentId, systemMetrics: { cpuUsage: 20 + Math.round(30 * (1 + Math.sin(at + beat / 2))), memoryUsage: (180 + at * 12 + beat) * 1_048_576 } },
    })),
    { type: 'agent.status_changed', data: { agentId, status: STATUSES[at]!, ...(STATUSES[at] === 'busy' && { currentTask: { id: `T-${100 + at}`, type: 'code', progress: 10 + at * 7 } }) } },
    { type: 'agent.log', data: { agentId, level: at % 4 === 3 ? 'warn' : 'info', message: `looked at ${REPOSITORY}, found ${at} places` } },
  ])
}

function pipelines(): EventInput[] {
  const events: EventInput[] = PIPELINES.map((pipelineId, at) => ({ type: 'pipeline.started', data: { pipelineId, name: ['Release 4.2', 'Nightly regression', 'Documentation site'][at]! } }))
  for (let n = 0; n < 18; n++) {
    const [taskId, pipelineId, agentId] = [`T-${100 + n}`, PIPELINES[n % 3]!, AGENTS[n % 12]!]
    if (taskId === HERO) continue
    const place = { pipelineId, stage: 1 + Math.floor(n / 6) }
    events.push({ type: 'task.created', data: { taskId, taskTitle: `Part ${n + 1} of ${pipelineId}`, taskType: 'code', priority: n % 4, streamId: n % 2 ? 'payments' : 'interface', ...place } })
    if (n < 12) events.push({ type: 'task.started', data: { taskId, agentId, ...place } }, { type: 'task.progress', data: { taskId, agentId, progress: 8 * n, message: `step ${n}`, confidence: 0.5 + n / 30, ...place } })
    if (n < 5) events.push({ type: 'task.completed', data: { taskId, agentId, ...place } })
    if (n === 9) events.push({ type: 'task.blocked', data: { taskId, blockedReason: 'waits for the schema of payments' } })
    if (n === 11) events.push({ type: 'task.failed', data: { taskId, error: 'the build of the image failed', ...place } })
  }
  events.push(
    ...['plan', 'build', 'unit tests'].map((step, stepIndex): EventInput => ({ type: 'pipeline.step_completed', data: { pipelineId: PIPELINES[0], step, stepIndex, outputs: { artifact: `${step}.json` } } })),
    { type: 'pipeline.failed', data: { pipelineId: PIPELINES[2], error: 'two links lead nowhere', step: 'link check' } },
    { type: 'stream.blocked', data: { streamId: 'payments', streamName: 'Payments', blockedReason: 'the schema is being reviewed', blockedTaskIds: ['T-109'] } },
  )
  return events
}

/** Managed by the hub: the first agent gives it back, the second one works on it. */
async function playHero(stage: Stage): Promise<void> {
  const as = (agent: string) => ({ as: token({ sub: agent, role: 'agent' }) })
  const order = { id: HERO, type: 'code', title: 'Retry a declined card once', priority: 'high', pipelineId: PIPELINES[0], stage: 2, parameters: { repository: REPOSITORY, branch: 'retry-card', prNumber: 108 } }
  await stage.ask('/api/v1/tasks', { json: { ...order, agentId: 'coder-2' } })
  await stage.publish([{ type: 'task.accepted', data: { taskId: HERO } }, { type: 'task.progress', data: { taskId: HERO, progress: 35, message: 'a failing test stands', confidence: 0.4 } }], as('coder-2'))
  await stage.publish([{ type: 'agent.handoff', data: { fromAgent: 'planner-1', toAgent: 'coder-2', taskId: HERO, handoffContext: 'the plan is in the pull request' } }])
  await stage.publish(
    [
      { type: 'agent.log', data: { agentId: 'coder-2', level: 'info', message: 'PaymentRetry.test.ts: 2 failing', taskId: HERO } },
      { type: 'agent.log', data: { agentId: 'coder-2', level: 'error', message: 'timeout of the sandbox, tried again', taskId: HERO } },
      { type: 'checkpoint.created', data: { checkpointId: 'cp-108-1', taskId: HERO, taskTitle: order.title, sequence: 1, trigger: 'phase', executionPhase: 'green', executionStep: 3, hasDraft: true } },
      { type: 'task.progress', data: { taskId: HERO, progress: 70, message: 'green, now tidying up', confidence: 0.85 } },
    ],
    as('coder-2'),
  )
}

function tests(taskId: string): EventInput[] {
  const phases = [['red', 0, 2, 61], ['green', 2, 0, 68], ['refactor', 14, 0, 74]] as const
  return phases.flatMap(([currentPhase, passing, failing, lines], at): EventInput[] => [
    { type: 'tdd.phase_changed', data: { taskId, agentId: 'coder-2', currentPhase, ...(at > 0 && { previousPhase: phases[at - 1]![0] }), testResults: { total: passing + failing, passing, failing } } },
    { type: 'tdd.test_result', data: { taskId, agentId: 'coder-2', passing, failing, total: passing + failing, duration: 1800 + at * 120, ...(failing > 0 && { failures: [{ name: 'retries a declined card once', message: 'expected 2 calls, got 1' }] }) } },
    { type: 'tdd.coverage_updated', data: { taskId, lines, branches: lines - 9, functions: lines + 4 } },
  ])
}

function github(taskId: string): EventInput[] {
  const about = { repository: REPOSITORY, branch: 'retry-card', sha: 'c0ffee'.repeat(6).slice(0, 40), taskIds: [taskId] }
  const url = `https://github.com/${REPOSITORY}/pull/108`
  return [
    { type: 'github.push', topics: [`task:${taskId}`], data: { ...about, ref: 'refs/heads/retry-card', refType: 'branch', commitCount: 3 } },
    { type: 'github.pr_updated', topics: [`task:${taskId}`], data: { ...about, action: 'opened', prNumber: 108, title: 'Retry a declined card once', state: 'open', draft: false, merged: false, headRef: 'retry-card', baseRef: 'main', url } },
    { type: 'github.workflow_updated', topics: [`task:${taskId}`], data: { ...about, prNumbers: [108], kind: 'workflow_run', runId: 9001, name: 'CI', status: 'in_progress', conclusion: null } },
    { type: 'github.workflow_updated', topics: [`task:${taskId}`], data: { ...about, prNumbers: [108], kind: 'workflow_run', runId: 9001, name: 'CI', status: 'completed', conclusion: 'success', url: `https://github.com/${REPOSITORY}/actions/runs/9001` } },
  ]
}

function conversation(runId: string, taskId: string): EventInput[] {
  const said = (type: string, fields: object): EventInput => ({ type: `agui.${type.toLowerCase()}`, topics: [`run:${runId}`, `task:${taskId}`], data: { type, ...fields } })
  const words = ['A declined card is ', 'tried once more, ', 'after two seconds.']
  return [
    said('RUN_STARTED', { threadId: 'thread-7', runId }),
    said('TEXT_MESSAGE_START', { messageId: 'm1', role: 'user' }),
    said('TEXT_MESSAGE_CONTENT', { messageId: 'm1', delta: 'What happens when a card is declined?' }),
    said('TEXT_MESSAGE_END', { messageId: 'm1' }),
    said('STEP_STARTED', { stepName: 'read the code' }),
    said('TOOL_CALL_START', { toolCallId: 'c1', toolCallName: 'read_file' }),
    said('TOOL_CALL_ARGS', { toolCallId: 'c1', delta: '{"path":"src/payment/retry.ts"}' }),
    said('TOOL_CALL_END', { toolCallId: 'c1' }),
    said('TOOL_CALL_RESULT', { messageId: 'm2', toolCallId: 'c1', content: 'export const RETRIES = 1' }),
    said('STEP_FINISHED', { stepName: 'read the code' }),
    said('STATE_SNAPSHOT', { snapshot: { file: 'src/payment/retry.ts', findings: [] } }),
    said('STATE_DELTA', { delta: [{ op: 'add', path: '/findings/-', value: 'RETRIES is 1' }] }),
    said('TEXT_MESSAGE_START', { messageId: 'm3', role: 'assistant' }),
    ...words.map((delta) => said('TEXT_MESSAGE_CONTENT', { messageId: 'm3', delta })),
    said('TEXT_MESSAGE_END', { messageId: 'm3' }),
    said('RUN_FINISHED', { threadId: 'thread-7', runId }),
  ]
}
