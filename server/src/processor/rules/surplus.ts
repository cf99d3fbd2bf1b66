/** More finished entities of a kind than are kept: the oldest, which housekeeping finds, go before their time. */
import { unfinishedTasks } from '@hubbub/protocol'
import { forget, FORGOTTEN_KINDS, isAwaited, type ForgottenKind } from './retention.js'
import type { Effects, Rules, World } from './rule.js'

export const SURPLUS_RULES: Rules = {
  onTimer: Object.fromEntries(FORGOTTEN_KINDS.map((kind) => [`surplus.${kind}`, (id: string, world: World, effects: Effects) => drop(kind, id, world, effects)])),
}

function drop(kind: ForgottenKind, id: string, world: World, effects: Effects): void {
  // It may have been opened again since it was found, or have got more to do.
  const entity = world.get(kind, id)
  const isBusy = entity !== undefined && 'totalTasks' in entity && unfinishedTasks(entity) > 0
  if (entity?.finishedAt !== undefined && !isBusy && !isAwaited(kind, id, world)) forget(kind, id, effects, 'too many are finished')
}
