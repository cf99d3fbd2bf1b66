/** What follows from a task's change: its status told, its dependents blocked and freed, its result made its completion. */
import { entityTopics, isFinished, unfinishedTasks, type HubEvent, type Stream, type Task } from '@hubbub/protocol'
import { isHeld } from './bench.js'
import { isoAt, nameOfTask, placeOfTask } from './fields.js'
import { AT_ONCE, endFailed } from './lease.js'
import type { Changed, Effects, Rules, World } from './rule.js'

export const TASK_RULES: Rules = {
  fill: {
    'task.created': (event, world) => {
      const { managed, dependsOn = [] } = event.data as { managed?: boolean; dependsOn?: string[] }
      if (!managed) return undefined
      return { status: isMet(dependsOn, world) ? 'pending' : 'blocked', createdAt: isoAt(event.metadata.recordedAt) }
    },
    // As it is when its turn comes: what the same report led to stands in the journal before it.
    'task.placed': (event, world) => {
      const { taskId, ...place } = event.data as Pick<Task, 'pipelineId' | 'stage' | 'streamId'> & { taskId: string }
      return { task: placedAt(world.get('task', taskId)!, place) }
    },
  },
  moot: {
    'task.completed': isOver,
    'task.failed': isOver,
    'task.cancelled': isOver,
    'task.placed': (event, world) => world.get('task', (event.data as { taskId: string }).taskId) === undefined,
  },
  onEvent: {
    'task.result': (event, world, effects) => {
      const task = world.get('task', (event.data as { taskId: string }).taskId)
      if (!task || isFinished(task)) return
      const { agentId } = task
      effects.emit('task.completed', {
        ...nameOfTask(task), status: 'completed', completedAt: isoAt(event.metadata.recordedAt), ...placeOfTask(task), ...(agentId === undefined ? {} : { agentId }),
      })
    },
    'stream.completed': (event, world, effects) => settle(`stream:${(event.data as { streamId: string }).streamId}`, world, effects),
  },
  onChange: {
    task(changed, event, world, effects) {
      const { before, after } = changed
      tellStatus(changed, event, effects)
      if (after && event.type !== 'task.placed') findPlace(after, event, effects)
      const hasEnded = after ? isFinished(after) && !(before && isFinished(before)) : before !== undefined
      if (hasEnded) settle(changed.id, world, effects)
    },
    stream({ id, before, after }, _event, world, effects) {
      if (after && isFruitless(after) && !(before && isFruitless(before))) settle(`stream:${id}`, world, effects)
    },
  },
  onTimer: { dependents: settle },
}

/** To be asked after the rules that count: what was created is counted before what becomes of it, or its figures would pass below zero. */
export const CREATION_RULES: Rules = {
  onChange: {
    task({ after }, event, world, effects) {
      if (event.type === 'task.created' && after && !isFinished(after) && !isMet(after.dependsOn ?? [], world)) block(after, world, effects)
    },
  },
}

/** A task ends once, however many of its dependencies are lost together. */
function isOver(event: HubEvent, world: World): boolean {
  const task = world.get('task', (event.data as { taskId: string }).taskId)
  return !task || isFinished(task)
}

/** Once for each change, whatever it came from; not for an event that says it itself. */
function tellStatus({ before, after }: Changed<'task'>, event: HubEvent, effects: Effects): void {
  if (!before || !after || before.status === after.status || event.type === 'task.status_changed') return
  effects.emit('task.status_changed', { ...nameOfTask(after), oldStatus: before.status, newStatus: after.status, statusChangedAt: after.updatedAt })
}

/**
 * An event names a place that is not the task's. If it has none yet, it belongs there from now on; otherwise it stays where it is.
 * Either way those who watch there get the whole task, for they did not see what came before, or took it for theirs.
 */
function findPlace(task: Task, event: HubEvent, effects: Effects): void {
  if (!event.type.startsWith('task.') && event.type !== 'checkpoint.created') return
  const { pipelineId, stage, streamId } = (event.data ?? {}) as Pick<Task, 'pipelineId' | 'stage' | 'streamId'>
  if (pipelineId === undefined && streamId === undefined) return
  const bare = { ...task, pipelineId: undefined, stage: undefined, streamId: undefined } as unknown as Task
  const inPipeline = pipelineId === undefined ? {} : { pipelineId, ...(stage === undefined ? {} : { stage }) }
  const inStream = streamId === undefined ? {} : { streamId }
  const named = entityTopics('task', { ...bare, ...inPipeline, ...inStream })
  const own = entityTopics('task', task)
  if (named.every((topic) => own.includes(topic))) return
  const placed = placedAt(task, { ...inPipeline, ...inStream })
  effects.emit('task.placed', { taskId: task.id, ...placeOfTask(placed), task: placed }, named)
}

/** Where it has no place of the kind yet. */
function placedAt(task: Task, { pipelineId, stage, streamId }: Pick<Task, 'pipelineId' | 'stage' | 'streamId'>): Task {
  const inPipeline = task.pipelineId !== undefined || pipelineId === undefined ? {} : { pipelineId, ...(stage === undefined ? {} : { stage }) }
  return { ...task, ...inPipeline, ...(task.streamId !== undefined || streamId === undefined ? {} : { streamId }) }
}

function block(task: Task, world: World, effects: Effects): void {
  const waitsFor = (task.dependsOn ?? []).filter((dependency) => !isDone(dependency, world))
  // One that can never be met any more ends the task at once, as it would have later.
  const lost = waitsFor.find((dependency) => isLost(dependency, world))
  if (lost !== undefined && task.managed) return dependencyFailed(task, lost, effects)
  effects.emit('task.blocked', {
    ...nameOfTask(task), blockedReason: `waits for ${waitsFor.slice(0, 10).join(', ')}`, ...placeOfTask(task),
  })
}

/** What waited for this, and for nothing else, is free; or lost, if this will never be completed. So many at once, the rest right after. */
function settle(dependency: string, world: World, effects: Effects): void {
  // Each that is lost may have dependents of its own, however long the line.
  if (world.isCrowded()) return effects.timer('dependents', dependency, world.now)
  const isFree = (task: Task) => isMet(task.dependsOn ?? [], world)
  // A task of which nothing is known here was deleted.
  const isGone = !dependency.startsWith('stream:') && world.get('task', dependency) === undefined
  const [done, lost] = [isDone(dependency, world), isGone || isLost(dependency, world)]
  // Whoever holds one is past its dependencies: it is blocked by something else.
  const concerned = world.dependents(dependency).filter((task) => task.status === 'blocked' && !isHeld(task) && (done ? isFree(task) : lost && task.managed))
  for (const task of concerned.slice(0, AT_ONCE)) {
    if (done) unblock(task, world, effects)
    else dependencyFailed(task, dependency, effects)
  }
  if (concerned.length > AT_ONCE) effects.timer('dependents', dependency, world.now)
}

function unblock(task: Task, world: World, effects: Effects): void {
  effects.emit('task.status_changed', { ...nameOfTask(task), oldStatus: 'blocked', newStatus: 'pending', statusChangedAt: isoAt(world.now) })
}

function dependencyFailed(task: Task, dependency: string, effects: Effects): void {
  endFailed(task, 'dependency_failed', `It waits for ${dependency}, which will not be completed.`, effects)
}

function isMet(dependsOn: readonly string[], world: World): boolean {
  return dependsOn.every((dependency) => isDone(dependency, world))
}

function isDone(dependency: string, world: World): boolean {
  if (dependency.startsWith('stream:')) return world.get('stream', dependency.slice('stream:'.length))?.status === 'completed'
  return world.get('task', dependency)?.status === 'completed'
}

/** All of its tasks are finished, and none was completed. */
function isFruitless(stream: Stream): boolean {
  return stream.completedTasks === 0 && stream.totalTasks > 0 && unfinishedTasks(stream) === 0
}

function isLost(dependency: string, world: World): boolean {
  if (dependency.startsWith('stream:')) {
    const stream = world.get('stream', dependency.slice('stream:'.length))
    return stream !== undefined && isFruitless(stream)
  }
  const task = world.get('task', dependency)
  return task !== undefined && isFinished(task) && task.status !== 'completed'
}
