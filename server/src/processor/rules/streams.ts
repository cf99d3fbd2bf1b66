/**
 * What the figures of a stream mean: it started, it is blocked, it is completed. Said of what the hub counted; whoever reports a
 * stream's figures himself says these things himself. To be asked after the rules that free and fail dependent tasks.
 */
import { unfinishedTasks, type Stream } from '@hubbub/protocol'
import { isoAt } from './fields.js'
import type { Effects, Rules, World } from './rule.js'
import { isTally } from './tally.js'

export const STREAM_RULES: Rules = {
  onChange: {
    stream({ before, after }, event, world, effects) {
      if (after === undefined || !isTally(event)) return
      const stream = { streamId: after.id, ...(after.name === undefined ? {} : { streamName: after.name }) }
      const now = isoAt(world.now)
      if (after.startedAt === undefined && hasStarted(after) && !hasStarted(before)) effects.emit('stream.started', { ...stream, startedAt: now })
      // New tasks open it again, at once: who waits for the stream waits for them, too.
      if (after.status === 'completed' && unfinishedTasks(after) > 0 && isThrough(before)) {
        effects.emit('stream.started', { ...stream, startedAt: after.startedAt ?? now })
      }
      if (isCompleted(after) && !isCompleted(before) && after.status !== 'completed') {
        const duration = after.startedAt === undefined ? 0 : Math.max(0, world.now - Date.parse(after.startedAt)) || 0
        effects.emit('stream.completed', { ...stream, totalTasks: after.totalTasks, completedAt: now, duration })
      }
      if (isStuck(after) && (after.status !== 'blocked' || !sameTasks(before, after)) && areBlocked(after, world)) tellBlocked(after, stream, world, effects)
    },
  },
}

function hasStarted(stream: Stream | undefined): boolean {
  return stream !== undefined && stream.inProgressTasks + stream.completedTasks > 0
}

/** Nothing is left to do; it may all have failed. */
function isThrough(stream: Stream | undefined): boolean {
  return stream === undefined || unfinishedTasks(stream) === 0
}

function isCompleted(stream: Stream | undefined): boolean {
  return stream !== undefined && isThrough(stream) && stream.completedTasks > 0
}

function isStuck(stream: Stream): boolean {
  return stream.blockedTasks > 0 && stream.blockedTasks >= unfinishedTasks(stream)
}

/** The same event may have freed some of them, and their counting is still to come: it will ask again. */
function areBlocked(stream: Stream, world: World): boolean {
  return (stream.blockedTaskIds ?? []).every((id) => world.get('task', id)?.status === 'blocked')
}

function sameTasks(before: Stream | undefined, after: Stream): boolean {
  const known = new Set(before?.blockedTaskIds)
  const ids = after.blockedTaskIds ?? []
  return before?.blockedTasks === after.blockedTasks && known.size === ids.length && ids.every((id) => known.has(id))
}

function tellBlocked(after: Stream, stream: Record<string, unknown>, world: World, effects: Effects): void {
  const ids = after.blockedTaskIds ?? []
  const only = after.blockedTasks === 1 && ids[0] !== undefined ? world.get('task', ids[0])?.blockedReason : undefined
  const blockedReason = only ?? (after.blockedTasks === 1 ? 'The only unfinished task is blocked.' : `All ${after.blockedTasks} unfinished tasks are blocked.`)
  effects.emit('stream.blocked', { ...stream, blockedReason, blockedTaskIds: ids })
}
