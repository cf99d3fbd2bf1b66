/** More finished entities of a kind than are kept: the oldest, which housekeeping finds, go before their time. */
import { forget, FORGOTTEN_KINDS, type ForgottenKind } from './retention.js'
import type { Effects, Rules, World } from './rule.js'

export const SURPLUS_RULES: Rules = {
  onTimer: Object.fromEntries(FORGOTTEN_KINDS.map((kind) => [`surplus.${kind}`, (id: string, world: World, effects: Effects) => drop(kind, id, world, effects)])),
}

function drop(kind: ForgottenKind, id: string, world: World, effects: Effects): void {
  // It may have been opened again since it was found.
  if (world.get(kind, id)?.finishedAt !== undefined) forget(kind, id, effects, 'too many are finished')
}
