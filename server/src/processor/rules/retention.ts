/**
 * Forgetting: what is finished leaves the state `finishedMs` later, told as `KIND.forgotten`; what the hub only observes, and hears
 * nothing of, `idleMs` after its last event. Groups in which something is still to be done stay. Runs end without a word when their
 * agent dies: one of which nothing was heard for `finishedMs` goes, too.
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

/** A due time from the first event on: a later one when it is open and of nobody's keeping, an earlier one from its end. */
function schedule(changed: Changed, _event: unknown, world: World, effects: Effects): void {
  const { id, before, after } = changed
  const kind = changed.kind as ForgottenKind
  const [was, is] = [before as Entities[ForgottenKind] | undefined, after as Entities[ForgottenKind] | undefined]
  const hasEnded = endOf(kind, is) !== undefined
  if (was && is && hasEnded === (endOf(kind, was) !== undefined)) return
  const keep = hasEnded ? world.settings.finishedMs : is && isObserved(kind, is) ? world.settings.idleMs : undefined
  effects.timer(`forget.${kind}`, id, keep === undefined ? null : world.now + keep)
}

function look(kind: ForgottenKind, id: string, world: World, effects: Effects): void {
  const entity = world.get(kind, id)
  if (entity === undefined) return
  const { now, settings } = world
  const end = endOf(kind, entity)
  if (end === undefined && !isObserved(kind, entity)) return
  // Producers give times of their own: one that lies ahead keeps nothing.
  const due = end === undefined ? Date.parse(entity.updatedAt) + settings.idleMs : end > now ? now : end + settings.finishedMs
  if (isAwaited(kind, id, world) || ('totalTasks' in entity && unfinishedTasks(entity) > 0)) effects.timer(`forget.${kind}`, id, now + settings.finishedMs)
  else if (due > now) effects.timer(`forget.${kind}`, id, due)
  else forget(kind, id, effects, end === undefined ? 'idle' : 'expired')
}

/** Unfinished tasks wait for it: without it nobody could tell that it was completed. */
export function isAwaited(kind: ForgottenKind, id: string, world: World): boolean {
  return (kind === 'task' && world.dependents(id).length > 0) || (kind === 'stream' && world.dependents(`stream:${id}`).length > 0)
}

/** What the hub does not drive may be left without an end: it must not be kept for ever. */
function isObserved(kind: ForgottenKind, entity: Entities[ForgottenKind]): boolean {
  return kind !== 'task' || !(entity as Entities['task']).managed
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
