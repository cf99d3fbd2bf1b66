/** Checkpoints: numbered in their task, created once, resumed only while they stand, and expired when their time is over. */
import { HubError, type Checkpoint, type HubEvent } from '@hubbub/protocol'
import { isoAt } from './fields.js'
import type { Rules, World } from './rule.js'

interface Named {
  checkpointId: string
  taskId?: string
}

export const CHECKPOINT_RULES: Rules = {
  judge: {
    /** @throws HubError BUSINESS_LOGIC_ERROR: who would resume it must find what he knows under that id */
    'checkpoint.created': (event, world) => {
      const { checkpointId } = named(event)
      const known = world.get('checkpoint', checkpointId)
      if (known === undefined) return
      const { status, createdAt } = known
      throw new HubError('BUSINESS_LOGIC_ERROR', `There is a checkpoint ${checkpointId} already.`, { checkpointId, status, createdAt })
    },
    /** @throws HubError NOT_FOUND, BUSINESS_LOGIC_ERROR */
    'checkpoint.resumed': (event, world) => {
      const { checkpointId } = named(event)
      const known = world.get('checkpoint', checkpointId)
      if (known === undefined) throw new HubError('NOT_FOUND', `There is no checkpoint ${checkpointId}.`, { checkpointId })
      if (known.status !== 'expired' && !isOver(known, world)) return
      const details = { checkpointId, status: 'expired', ...(known.expiresAt === undefined ? {} : { expiresAt: known.expiresAt }) }
      throw new HubError('BUSINESS_LOGIC_ERROR', `Checkpoint ${checkpointId} has expired.`, details)
    },
  },
  fill: {
    // What the producer says of itself stands: its own numbering, above all.
    'checkpoint.created': (event, world) => {
      const data = event.data as Record<string, unknown> & Named
      const task = data.taskId === undefined ? undefined : world.get('task', data.taskId)
      const more: Record<string, unknown> = {}
      if (data.taskId !== undefined && data['sequence'] === undefined) more['sequence'] = (task?.checkpoints ?? 0) + 1
      if (task?.title !== undefined && data['taskTitle'] === undefined) more['taskTitle'] = task.title
      if (data['createdAt'] === undefined) more['createdAt'] = isoAt(world.now)
      return more
    },
    'checkpoint.resumed': (event, world) => ofTask(named(event), world),
    'checkpoint.expired': (event, world) => ofTask(named(event), world),
  },
  onChange: {
    checkpoint({ id, before, after }, _event, _world, effects) {
      const due = dueOf(after)
      if (due !== dueOf(before)) effects.timer('checkpoint', id, due)
    },
  },
  onTimer: {
    checkpoint(checkpointId, world, effects) {
      const known = world.get('checkpoint', checkpointId)
      const due = dueOf(known)
      if (known === undefined || due === null) return
      if (due > world.now) return effects.timer('checkpoint', checkpointId, due)
      effects.emit('checkpoint.expired', { checkpointId, ...ofTask({ checkpointId }, world), expiredAt: isoAt(world.now) })
    },
  },
}

function named(event: HubEvent): Named {
  return event.data as Named
}

/** Clients filter by the task, which whoever resumes a checkpoint need not know. */
function ofTask({ checkpointId, taskId }: Named, world: World): Record<string, unknown> | undefined {
  const known = world.get('checkpoint', checkpointId)?.taskId
  return taskId === undefined && known !== undefined ? { taskId: known } : undefined
}

function isOver(checkpoint: Checkpoint, world: World): boolean {
  const due = dueOf(checkpoint)
  return due !== null && due <= world.now
}

/** When it has to expire, resumed or not; null: never, or it has. */
function dueOf(checkpoint: Checkpoint | undefined): number | null {
  if (checkpoint?.expiresAt === undefined || checkpoint.status === 'expired') return null
  const due = Date.parse(checkpoint.expiresAt)
  return Number.isNaN(due) ? null : due
}
