/**
 * What the figures of a pipeline mean. That it started is said of any whose first task did. That it is completed or failed only
 * where the hub drives it, which is where all of its tasks are managed: otherwise an engine knows better what is still to come.
 *
 * New tasks after the end open it again (`pipeline.started` with the first start), so that an engine which hands in stage after
 * stage sees it end after each; one that wants one end hands in all tasks first.
 */
import { unfinishedTasks, type Pipeline } from '@hubbub/protocol'
import { isoAt } from './fields.js'
import type { Rules } from './rule.js'
import { isTally } from './tally.js'

export const PIPELINE_RULES: Rules = {
  onChange: {
    pipeline({ before, after }, event, world, effects) {
      if (after === undefined || !isTally(event)) return
      const pipelineId = after.id
      const now = isoAt(world.now)
      const isOver = after.status === 'completed' || after.status === 'failed'
      if (after.startedAt === undefined && !isOver && hasStarted(after) && !hasStarted(before)) effects.emit('pipeline.started', { pipelineId, startedAt: now })
      if (isOver && isDriven(after) && unfinishedTasks(after) > 0 && isThrough(before)) {
        effects.emit('pipeline.started', { pipelineId, startedAt: after.startedAt ?? now })
      }
      if (isOver || !isDriven(after) || !isThrough(after) || (before !== undefined && isDriven(before) && isThrough(before))) return
      const { failedTasks, totalTasks } = after
      if (failedTasks === 0) effects.emit('pipeline.completed', { pipelineId, completedAt: now })
      else effects.emit('pipeline.failed', { pipelineId, error: `${failedTasks} of ${totalTasks} tasks failed.`, failedAt: now })
    },
  },
}

function hasStarted(pipeline: Pipeline | undefined): boolean {
  return pipeline !== undefined && pipeline.inProgressTasks + pipeline.completedTasks > 0
}

function isThrough(pipeline: Pipeline | undefined): boolean {
  return pipeline === undefined || unfinishedTasks(pipeline) === 0
}

function isDriven({ totalTasks, managedTasks }: Pipeline): boolean {
  return totalTasks > 0 && managedTasks >= totalTasks
}
