/** Counts of a group's tasks as an event reports them: pipelines, their stages, and streams. */
import { NO_TASKS, type Tally } from './entities.js'
import { bag, type Data } from './reducer.js'

const COUNTS = Object.keys(NO_TASKS) as (keyof Tally)[]
const MOST_STAGES = 100

/** What the data does not count stays as it was. */
export function counted(data: Data, before: Tally): Tally {
  return Object.fromEntries(COUNTS.map((name) => [name, countOf(data[name]) ?? before[name]])) as unknown as Tally
}

export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** By stage number; a stage that the data does not name stays as it was. */
export function countedStages(stages: unknown, before: Readonly<Record<string, Tally>>): Readonly<Record<string, Tally>> {
  const reported = bag(stages)
  if (reported === undefined) return before
  const after: Record<string, Tally> = { ...before }
  let room = MOST_STAGES - Object.keys(after).length
  for (const [stage, value] of Object.entries(reported)) {
    const counts = bag(value)
    const known = after[stage]
    if (counts === undefined || !/^\d{1,15}$/.test(stage) || (known === undefined && room-- <= 0)) continue
    after[stage] = counted(counts, known ?? NO_TASKS)
  }
  return after
}
