/**
 * Forgetting: what is finished leaves the state `finishedMs` later, told as `KIND.forgotten`. Groups in which something is still to
 * be done stay. Runs end without a word when their agent dies: one of which nothing was heard for as long goes, too.
 */
import { isFinished, unfinishedTasks, type Entities } from '@hubbub/protocol'
import type { Changed, Effects, Rules, World } from './rule.js'

export const FORGOTTEN_KINDS = ['task', 'pipeline', 'stream', 'checkpoint', 'run'] as const
export type ForgottenKind = (typeof FORGOTTEN_KINDS)[number]

export const RETENTION_RULES: Rules = {
  onChange: {
    task: schedule,
    pipeline: schedule,
    stream: schedule,
    checkpoint: schedule,
    run: schedule,
  },
  onTimer: {
    'forget.task': (id, world, effects) => look('task', id, world, effects),
    'forget.pipeline': (id, world, effects) => look('pipeline', id, world, effects),
    'forget.stream': (id, world, effects) => look('stream', id, world, effects),
    'forget.checkpoint': (id, world, effects) => look('checkpoint', id, world, effects),
    'forget.run': (id, world, effects) => look('run', id, world, effects),
  },
}

/** Takes it out of the state. `reason`: `expired`, or whatever else the caller has. */
export function forget(kind: ForgottenKind, id: string, effects: Effects, reason: string): void {
  effects.emit(`${kind}.forgotten`, { [`${kind}Id`]: id, reason })
}

/** A due time for each end, taken back when it is open again. */
function schedule(changed: Changed, _event: unknown, world: World, effects: Effects): void {
  const { id, before, after } = changed
  const kind = changed.kind as ForgottenKind
  const [was, is] = [endOf(kind, before as Entities[ForgottenKind] | undefined), endOf(kind, after as Entities[ForgottenKind] | undefined)]
  if (is !== undefined && was === undefined) {
    effects.timer(`forget.${kind}`, id, world.now + world.settings.finishedMs)
  } else if (is === undefined && was !== undefined) {
    effects.timer(`forget.${kind}`, id, null)
  }
}

function look(kind: ForgottenKind, id: string, world: World, effects: Effects): void {
  const entity = world.get(kind, id)
  const end = endOf(kind, entity)
  if (entity === undefined || end === undefined) return
  const { now, settings } = world
  // Producers give times of their own: one that lies ahead keeps nothing.
  const due = end > now ? now : end + settings.finishedMs
  if ('totalTasks' in entity && unfinishedTasks(entity) > 0) effects.timer(`forget.${kind}`, id, now + settings.finishedMs)
  else if (due > now) effects.timer(`forget.${kind}`, id, due)
  else forget(kind, id, effects, 'expired')
}

/** ms; since when nothing more is expected of it, undefined while something is. */
function endOf<K extends ForgottenKind>(kind: K, entity: Entities[K] | undefined): number | undefined {
  if (entity === undefined) return undefined
  const ends: { [P in ForgottenKind]: (entity: Entities[P]) => string | undefined } = {
    task: (task) => (isFinished(task) ? (task.finishedAt ?? task.updatedAt) : undefined),
    // Those of an engine that never came to its end, and streams of which nothing was completed.
    pipeline: (pipeline) => pipeline.finishedAt ?? (pipeline.totalTasks > 0 && unfinishedTasks(pipeline) === 0 ? pipeline.updatedAt : undefined),
    stream: (stream) => stream.finishedAt ?? (stream.totalTasks > 0 && unfinishedTasks(stream) === 0 ? stream.updatedAt : undefined),
    checkpoint: ({ finishedAt }) => finishedAt,
    run: (run) => run.finishedAt ?? run.updatedAt,
  }
  const end = Date.parse(ends[kind](entity) ?? '')
  return Number.isNaN(end) ? undefined : end
}
