/** Finished entities beyond the count that is kept: the oldest are named, for the rules to forget. */
import type { Kind } from '@hubbub/protocol'
import type { StateStore } from '../../store/entities.js'
import { timerName } from './chain.js'
import { FINISHED } from './terms.js'

/** Of one look; the next one is a second later. */
const MOST = 500

/** Names of due times, `surplus.KIND`. */
export async function findSurplus(state: StateStore, partition: number, places: readonly { project: string; kind: Kind }[], keep: number): Promise<string[]> {
  const found: string[] = []
  for (const { project, kind } of places) {
    const [count = 0] = await state.counts(partition, project, kind, [FINISHED])
    if (count <= keep) continue
    const { entities } = await state.select(partition, project, [{ kind, term: FINISHED }], { count: Math.min(MOST, count - keep), bytes: Number.MAX_SAFE_INTEGER })
    for (const { id } of entities) found.push(timerName(project, `surplus.${kind}`, id))
  }
  return found
}
