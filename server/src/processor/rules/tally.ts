/**
 * Counting: what a task's change adds to the figures of its pipeline, of the stage, and of its stream. The figures go out in
 * `pipeline.progress` and `stream.progress`, so that whoever folds the events has them, too.
 *
 * Figures are taken from the entity and this one change, never from a list of tasks. They are worked out again by `fill` when the
 * event's turn comes: until then other tasks may have been counted, and of two events made from the same figures the second would
 * undo the first. `change` says what this event adds; only the hub writes it.
 */
import { isFinished, NO_TASKS, type HubEvent, type Pipeline, type Stream, type Tally, type Task } from '@hubbub/protocol'
import { isoAt } from './fields.js'
import type { Changed, Effects, Rules, World } from './rule.js'

/** What is added to each count; counts that stay are left out. */
type Difference = Partial<Record<keyof Tally, number>>
type PipelineDifference = Difference & { managedTasks?: number; stages?: Record<string, Difference> }

const COUNTS = Object.keys(NO_TASKS) as (keyof Tally)[]
const MOST_BLOCKED = 100
const MOST_STAGES = 100
/** The last millisecond that an ISO 8601 time of four digits can name. */
const END_OF_TIME = Date.parse('9999-12-31T23:59:59.999Z')

export const TALLY_RULES: Rules = {
  onChange: {
    task(changed, event, world, effects) {
      for (const id of groups(changed, 'streamId')) countInStream(id, changed, world, effects)
      for (const id of groups(changed, 'pipelineId')) countInPipeline(id, changed, event, world, effects)
    },
  },
  fill: {
    'stream.progress': (event, world) => (isTally(event) ? streamFigures(event.data, world) : undefined),
    'pipeline.progress': (event, world) => (isTally(event) ? pipelineFigures(event.data, world) : undefined),
  },
}

interface TallyData {
  streamId: string
  pipelineId: string
  taskId: string
  change: PipelineDifference
}

/** One that this rule made, and not a producer's own report. */
export function isTally(event: HubEvent): event is HubEvent<TallyData> {
  const { data } = event
  return typeof data === 'object' && data !== null && 'change' in data && typeof data.change === 'object' && data.change !== null
}

function groups({ before, after }: Changed<'task'>, field: 'streamId' | 'pipelineId'): string[] {
  return [...new Set([before?.[field], after?.[field]])].filter((id) => id !== undefined)
}

// ---------------------------------------------------------------- streams

function countInStream(streamId: string, changed: Changed<'task'>, world: World, effects: Effects): void {
  const change = difference(changed, (task) => task.streamId === streamId)
  if (isNothing(change) || (changed.after === undefined && world.get('stream', streamId) === undefined)) return
  const data = { streamId, taskId: changed.id, change }
  effects.emit('stream.progress', { ...data, ...streamFigures(data, world) })
}

function streamFigures({ streamId, taskId, change }: Pick<TallyData, 'streamId' | 'taskId' | 'change'>, world: World): Record<string, unknown> {
  const stream = world.get('stream', streamId)
  const figures = added(stream ?? NO_TASKS, change)
  const name = stream?.name === undefined ? {} : { streamName: stream.name }
  return { ...name, ...figures, progressPercentage: percentage(figures), ...blocked(stream, taskId, change), lastUpdated: isoAt(world.now) }
}

function blocked(stream: Stream | undefined, taskId: string, { blockedTasks = 0 }: Difference): { blockedTaskIds?: string[] } {
  if (blockedTasks === 0) return {}
  const others = (stream?.blockedTaskIds ?? []).filter((id) => id !== taskId)
  return { blockedTaskIds: blockedTasks > 0 ? [...others, taskId].slice(-MOST_BLOCKED) : others }
}

// ---------------------------------------------------------------- pipelines

function countInPipeline(pipelineId: string, changed: Changed<'task'>, event: HubEvent, world: World, effects: Effects): void {
  const { before, after } = changed
  const change = pipelineDifference(pipelineId, changed)
  if (!isNothing(change) && (after !== undefined || world.get('pipeline', pipelineId) !== undefined)) {
    const data = { pipelineId, taskId: changed.id, change }
    effects.emit('pipeline.progress', { ...data, ...pipelineFigures(data, world) })
  }
  const completed = after?.pipelineId === pipelineId && after.status === 'completed' && before?.status !== 'completed'
  // Engines may say it themselves.
  if (!completed || event.type === 'pipeline.task_completed') return
  const { stage, agentId } = after
  effects.emit('pipeline.task_completed', {
    pipelineId, taskId: changed.id, ...(stage === undefined ? {} : { stage }), ...(agentId === undefined ? {} : { agentId }),
  })
}

function pipelineDifference(pipelineId: string, changed: Changed<'task'>): PipelineDifference {
  const { before, after } = changed
  const change: PipelineDifference = difference(changed, (task) => task.pipelineId === pipelineId)
  // Those that finished and were forgotten stay in the figures.
  const was = Number(before?.pipelineId === pipelineId && before.managed)
  const is = Number(after?.pipelineId === pipelineId && after.managed)
  const managed = after === undefined && change.totalTasks === undefined ? 0 : is - was
  if (managed !== 0) change.managedTasks = managed
  const stages: Record<string, Difference> = {}
  for (const stage of new Set([before?.stage, after?.stage])) {
    const inStage = stage === undefined ? {} : difference(changed, (task) => task.pipelineId === pipelineId && task.stage === stage)
    if (!isNothing(inStage)) stages[String(stage)] = inStage
  }
  if (Object.keys(stages).length > 0) change.stages = stages
  return change
}

function pipelineFigures({ pipelineId, change }: Pick<TallyData, 'pipelineId' | 'change'>, world: World): Record<string, unknown> {
  const pipeline = world.get('pipeline', pipelineId)
  const figures = added(pipeline ?? NO_TASKS, change)
  const progress = percentage(figures)
  const estimatedCompletion = estimate(pipeline, progress, world.now)
  const stages = { ...pipeline?.stages }
  for (const [stage, inStage] of Object.entries(change.stages ?? {})) {
    if (stages[stage] !== undefined || Object.keys(stages).length < MOST_STAGES) stages[stage] = added(stages[stage] ?? NO_TASKS, inStage)
  }
  return {
    progress,
    ...figures,
    managedTasks: Math.max(0, (pipeline?.managedTasks ?? 0) + (change.managedTasks ?? 0)),
    ...(Object.keys(stages).length > 0 ? { stages } : {}),
    ...(pipeline?.currentStep === undefined ? {} : { currentStep: pipeline.currentStep }),
    ...(estimatedCompletion === undefined ? {} : { estimatedCompletion }),
  }
}

/** As if the rest took as long as what is done: the time since the start, divided by the share that is done. */
function estimate(pipeline: Pipeline | undefined, progress: number, now: number): string | undefined {
  const start = Date.parse(pipeline?.startedAt ?? '')
  if (Number.isNaN(start) || now < start || progress <= 0 || progress >= 100) return undefined
  const end = Math.round(start + ((now - start) * 100) / progress)
  return end <= END_OF_TIME ? isoAt(end) : undefined
}

// ---------------------------------------------------------------- counts

/** A finished task that is forgotten stays in the figures: what was done is done. */
function difference({ before, after }: Changed<'task'>, belongs: (task: Task) => boolean): Difference {
  const was = before !== undefined && belongs(before) ? countsOf(before) : NO_TASKS
  const is = after !== undefined && belongs(after) ? countsOf(after) : NO_TASKS
  if (after === undefined && before !== undefined && isFinished(before)) return {}
  return Object.fromEntries(COUNTS.flatMap((name) => (is[name] === was[name] ? [] : [[name, is[name] - was[name]]])))
}

function countsOf({ status }: Task): Tally {
  return {
    totalTasks: 1,
    completedTasks: Number(status === 'completed'),
    failedTasks: Number(status === 'failed'),
    cancelledTasks: Number(status === 'cancelled'),
    inProgressTasks: Number(status === 'accepted' || status === 'in_progress'),
    blockedTasks: Number(status === 'blocked'),
  }
}

function isNothing(change: Difference): boolean {
  return Object.keys(change).length === 0
}

/** Producers report figures of their own, and groups are forgotten: whatever stood there, counts stay counts and parts of the total. */
function added(tally: Tally, change: Difference): Tally {
  const sum = Object.fromEntries(COUNTS.map((name) => [name, Math.max(0, tally[name] + (change[name] ?? 0))])) as unknown as Tally
  const parts = COUNTS.reduce((count, name) => (name === 'totalTasks' ? count : count + sum[name]), 0)
  return { ...sum, totalTasks: Math.max(sum.totalTasks, parts) }
}

/** 0 to 100 with two decimals: what was called off is not waited for. */
function percentage({ totalTasks, completedTasks, cancelledTasks }: Tally): number {
  const wanted = totalTasks - cancelledTasks
  return wanted <= 0 ? 0 : Math.round((completedTasks / wanted) * 10_000) / 100
}
