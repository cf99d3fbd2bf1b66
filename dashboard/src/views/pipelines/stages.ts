/** A pipeline's stages, by number, as its tasks are counted in them. */
import type { Entities, EntityView } from '@hubbub/client'
import type { Tone } from '../../parts/Status'

export type Pipeline = EntityView<'pipeline'>
export type Task = EntityView<'task'>
export type Tally = Entities['pipeline']['stages'][string]

export interface Stage {
  number: number
  tally: Tally
  tone: Tone
  /** `3 of 5 done, 1 running`. */
  said: string
}

export function stagesOf({ stages }: Pick<Pipeline, 'stages'>): Stage[] {
  return Object.entries(stages)
    .map(([number, tally]) => ({ number: Number(number), tally, tone: toneOfTally(tally), said: said(tally) }))
    .sort((a, b) => a.number - b.number)
}

export function toneOfTally({ totalTasks, completedTasks, failedTasks, inProgressTasks, blockedTasks, cancelledTasks }: Tally): Tone {
  if (failedTasks > 0) return 'bad'
  if (totalTasks > 0 && completedTasks + cancelledTasks >= totalTasks) return 'good'
  if (inProgressTasks > 0) return 'busy'
  return blockedTasks > 0 ? 'warn' : 'idle'
}

export function said({ totalTasks, completedTasks, failedTasks, cancelledTasks, inProgressTasks, blockedTasks }: Tally): string {
  const others = [[inProgressTasks, 'running'], [blockedTasks, 'blocked'], [failedTasks, 'failed'], [cancelledTasks, 'cancelled']] as const
  return [`${completedTasks} of ${totalTasks} done`, ...others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)].join(', ')
}

/** Its tasks by how they are, in the order in which they are drawn; the rest has not begun. */
export function sharesOf({ totalTasks, completedTasks, failedTasks, cancelledTasks, inProgressTasks, blockedTasks }: Tally): { tone: Tone | undefined; count: number }[] {
  const known = completedTasks + failedTasks + cancelledTasks + inProgressTasks + blockedTasks
  const shares = [['good', completedTasks], ['bad', failedTasks], ['idle', cancelledTasks], ['busy', inProgressTasks], ['warn', blockedTasks], [undefined, Math.max(0, totalTasks - known)]] as const
  return shares.filter(([, count]) => count > 0).map(([tone, count]) => ({ tone, count }))
}
