/** A pipeline's tasks as lanes of bars, one lane a stage. */
import { wayTo } from '../../parts/address'
import type { Bar, Lane, Lost } from '../../parts/lanes'
import { toneOf } from '../../parts/Status'
import type { KnownAttempts } from './attempts'
import { said, type Pipeline, type Task } from './stages'

/** Tasks that are drawn; the last to begin, if there are more. */
export const DRAWN_MOST = 1000
const ENDED: ReadonlySet<Task['status']> = new Set(['completed', 'failed', 'cancelled'])

export interface Group {
  /** Undefined: tasks that name no stage. */
  stage: number | undefined
  tasks: readonly Task[]
}

export function groupsOf(tasks: readonly Task[], { stages }: Pick<Pipeline, 'stages'>): Group[] {
  const groups = new Map<number | undefined, Task[]>(Object.keys(stages).map((stage) => [Number(stage), []]))
  for (const task of tasks) {
    const group = groups.get(task.stage)
    if (group) group.push(task)
    else groups.set(task.stage, [task])
  }
  return [...groups].map(([stage, of]) => ({ stage, tasks: of })).sort((a, b) => (a.stage ?? Infinity) - (b.stage ?? Infinity))
}

export function nameOf(stage: number | undefined): string {
  return stage === undefined ? 'No stage' : `Stage ${stage}`
}

export function lanesOf(groups: readonly Group[], pipeline: Pick<Pipeline, 'stages'>, attempts: KnownAttempts): Lane[] {
  return groups.map(({ stage, tasks }) => {
    const bars = tasks.flatMap((task) => barOf(task, attempts) ?? [])
    const tally = stage === undefined ? undefined : pipeline.stages[stage]
    const waiting = tasks.length - bars.length
    return { id: String(stage ?? '-'), name: nameOf(stage), note: tally ? said(tally) : waiting > 0 ? `${waiting} not begun` : `${tasks.length} tasks`, bars }
  })
}

/** Undefined of a task that nobody has begun. */
function barOf(task: Task, attempts: KnownAttempts): Bar | undefined {
  const { id, title = id, status, startedAt, finishedAt, tries, dependsOn = [] } = task
  const known = attempts.get(id) ?? []
  const holding = known.findLast(({ to }) => to === undefined)
  const lost: Lost[] = tries.map(({ attempt, agentId, reason, endedAt }) => {
    const one = known.find((other) => other.attempt === attempt)
    return { from: one?.from, to: Date.parse(endedAt), title: `Try ${attempt}, ${agentId}: ${reason}` }
  })
  const isHeld = status === 'accepted' || status === 'in_progress' || ((status === 'blocked' || status === 'paused') && holding !== undefined)
  const to = finishedAt === undefined ? undefined : Date.parse(finishedAt)
  const begun = lost.length > 0 ? holding?.from : startedAt !== undefined ? Date.parse(startedAt) : holding?.from
  if (!isHeld && !ENDED.has(status) && lost.length === 0 && startedAt === undefined) return undefined
  const last = lost.at(-1)?.to
  const bar = { id, label: title, tone: toneOf(status), status, href: wayTo('tasks', id), lost, needs: dependsOn }
  // Between two tries it waits: a short end at the last loss is all there is of it now.
  if (!isHeld && to === undefined && last !== undefined && begun === undefined) return { ...bar, from: last, to: last }
  const from = begun ?? last ?? to ?? Date.parse(task.updatedAt)
  return { ...bar, from: to === undefined ? from : Math.min(from, to), to }
}
