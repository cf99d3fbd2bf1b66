/** What is known of one agent, task or pipeline, as lines for a reader. */
import type { EntityView, HubEvent } from '@hubbub/client'
import { eventLine } from './event-line.js'
import { plain, table } from './print.js'
import { ago, bytes, duration, percent } from './terminal/figures.js'
import { bar, paint, styleOf, type Ink } from './terminal/paint.js'

const NAME_COLUMNS = 14
const BAR_COLUMNS = 24

export function taskFacts(task: EntityView<'task'>, ink: Ink): string[] {
  const place = task.pipelineId === undefined ? undefined : `${plain(task.pipelineId)}${task.stage === undefined ? '' : `, stage ${task.stage}`}`
  return [
    headLine('task', task.id, task.status, task.progress, ink),
    ...facts([
      ['title', task.title],
      ['type', task.taskType],
      ['message', task.message],
      ['agent', task.agentId === undefined ? undefined : `${task.agentId}${task.attempt > 1 ? ` (delegation ${task.attempt})` : ''}`],
      ['pipeline', place],
      ['stream', task.streamId],
      ['confidence', task.confidence === undefined ? undefined : percent(task.confidence * 100)],
      ['priority', task.priority === undefined ? undefined : String(task.priority)],
      ['blocked by', task.status === 'blocked' ? (task.blockedReason ?? 'unknown') : undefined],
      ['depends on', task.dependsOn?.join(', ')],
      ['needs', task.requires?.join(', ')],
      ['deadline', task.deadline],
      ['refs', task.refs?.join(', ')],
      ['checkpoints', task.checkpoints ? String(task.checkpoints) : undefined],
      ['created', when(task.createdAt)],
      ['started', when(task.startedAt)],
      ['last report', when(task.reportedAt)],
      ['finished', task.finishedAt && `${when(task.finishedAt)}${task.startedAt ? ` after ${duration(Date.parse(task.finishedAt) - Date.parse(task.startedAt))}` : ''}`],
      ['error', task.error],
      ['result', task.result === undefined ? undefined : JSON.stringify(task.result)],
    ]),
    ...(task.tries.length > 0 ? ['', paint('  delegations that came to nothing', 'bold', ink), ...indented(table(task.tries.map(({ attempt, agentId, reason, endedAt }) => [String(attempt), plain(agentId), plain(reason), when(endedAt) ?? ''])))] : []),
  ]
}

/** @param tasks of those that it holds, what is known */
export function agentFacts(agent: EntityView<'agent'>, tasks: readonly EntityView<'task'>[], ink: Ink): string[] {
  const { cpuUsage, memoryUsage, tasksCompleted } = (agent.metrics ?? {}) as Record<string, unknown>
  return [
    headLine('agent', agent.id, agent.status, undefined, ink),
    ...facts([
      ['type', agent.agentType],
      ['capabilities', agent.capabilities.join(', ') || undefined],
      ['takes', `${agent.maxTasks} at once`],
      ['last heard of', when(agent.lastSeenAt)],
      ['registered', when(agent.registeredAt)],
      ['by', agent.owner],
      ['connections', agent.connections === undefined ? undefined : String(agent.connections.length)],
      ['cpu', typeof cpuUsage === 'number' ? percent(cpuUsage) : undefined],
      ['memory', typeof memoryUsage === 'number' ? bytes(memoryUsage) : undefined],
      ['tasks done', typeof tasksCompleted === 'number' ? String(tasksCompleted) : undefined],
    ]),
    ...(agent.currentTasks.length > 0 ? ['', paint('  tasks', 'bold', ink)] : []),
    ...agent.currentTasks.map((id) => {
      const task = tasks.find((one) => one.id === id)
      return `  ${task ? taskLine(task, ink) : plain(id)}`
    }),
  ]
}

export function pipelineFacts(pipeline: EntityView<'pipeline'>, tasks: readonly EntityView<'task'>[], ink: Ink): string[] {
  const stages = Object.entries(pipeline.stages).map(([stage, tally]) => [stage, `${tally.completedTasks}/${tally.totalTasks}`, String(tally.inProgressTasks), String(tally.blockedTasks), String(tally.failedTasks)])
  return [
    headLine('pipeline', pipeline.id, pipeline.status, pipeline.progress, ink),
    ...facts([
      ['name', pipeline.name],
      ['step', pipeline.currentStep],
      ['tasks', `${pipeline.completedTasks} of ${pipeline.totalTasks} done, ${pipeline.inProgressTasks} running, ${pipeline.blockedTasks} blocked, ${pipeline.failedTasks} failed`],
      ['done at about', pipeline.estimatedCompletion],
      ['started', when(pipeline.startedAt)],
      ['finished', when(pipeline.finishedAt)],
      ['error', pipeline.error],
    ]),
    ...(stages.length > 0 ? ['', ...indented(table([['STAGE', 'DONE', 'RUNNING', 'BLOCKED', 'FAILED'], ...stages]))] : []),
    ...(pipeline.steps.length > 0 ? ['', paint('  steps', 'bold', ink), ...pipeline.steps.map(({ step, completedAt }) => `  ✓ ${plain(step)}  ${when(completedAt)}`)] : []),
    ...(tasks.length > 0 ? ['', paint('  tasks', 'bold', ink), ...tasks.map((task) => `  ${taskLine(task, ink)}`)] : []),
  ]
}

/** The last things said about it. */
export function lastEvents(events: readonly HubEvent[], columns: number, ink: Ink): string[] {
  if (events.length === 0) return []
  return ['', paint('  last events', 'bold', ink), ...events.map((event) => `  ${eventLine(event, { ...ink, columns: columns - 2 })}`)]
}

export function taskLine(task: EntityView<'task'>, ink: Ink): string {
  const progress = task.progress === undefined ? ' '.repeat(16) : `${bar(task.progress / 100, 10)} ${percent(task.progress).padStart(5)}`
  return `${paint(task.status.padEnd(11), styleOf(task.status), ink)} ${progress}  ${plain(task.title ?? task.id)}${task.title ? paint(`  ${plain(task.id)}`, 'dim', ink) : ''}${task.agentId ? `  → ${plain(task.agentId)}` : ''}`
}

function headLine(kind: string, id: string, status: string, progress: number | undefined, ink: Ink): string {
  const done = progress === undefined ? '' : `  ${paint(bar(progress / 100, BAR_COLUMNS), styleOf(status), ink)} ${percent(progress)}`
  return `${kind} ${paint(plain(id), 'bold', ink)}  ${paint(status.replaceAll('_', ' '), styleOf(status), ink)}${done}`
}

function facts(rows: readonly (readonly [string, string | undefined])[]): string[] {
  return rows.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`  ${name.padEnd(NAME_COLUMNS)}${plain(value)}`]))
}

function when(at: string | undefined): string | undefined {
  return at === undefined ? undefined : `${at.slice(0, 19).replace('T', ' ')} UTC, ${ago(at)}`
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
