/** All rules, in the order in which they are asked; found by type once, because they are asked for each event. */
import { KINDS, type Kind } from '@hubbub/protocol'
import { AGENT_RULES } from './agents.js'
import { CHECKPOINT_RULES } from './checkpoints.js'
import { DELEGATION_RULES } from './delegation.js'
import { GITHUB_RULES } from './github.js'
import { OWNERSHIP_RULES } from './ownership.js'
import { PIPELINE_RULES } from './pipelines.js'
import { RETENTION_RULES } from './retention.js'
import type { Rules, TimerKind } from './rule.js'
import { STREAM_RULES } from './streams.js'
import { SURPLUS_RULES } from './surplus.js'
import { TALLY_RULES } from './tally.js'
import { CREATION_RULES, TASK_RULES } from './tasks.js'

const RULES: readonly Rules[] = [
  OWNERSHIP_RULES, TASK_RULES, TALLY_RULES, CREATION_RULES, STREAM_RULES, PIPELINE_RULES, CHECKPOINT_RULES, GITHUB_RULES, DELEGATION_RULES, AGENT_RULES, RETENTION_RULES, SURPLUS_RULES,
]

type Named<T> = NonNullable<T> extends Record<string, infer R> ? readonly R[] : never

/** What is asked of the events of one type. */
export interface RulesOfType {
  judges: Named<Rules['judge']>
  fills: Named<Rules['fill']>
  moots: Named<Rules['moot']>
  followers: Named<Rules['onEvent']>
  topics: Named<Rules['topics']>
}

const BY_TYPE = new Map<string, RulesOfType>()

/** Only for types that are folded: there are not many. */
export function rulesOf(type: string): RulesOfType {
  const known = BY_TYPE.get(type)
  if (known) return known
  const family = type.slice(0, type.indexOf('.'))
  const rules: RulesOfType = {
    judges: RULES.flatMap(({ judge }) => judge?.[type] ?? []),
    fills: RULES.flatMap(({ fill }) => fill?.[type] ?? []),
    moots: RULES.flatMap(({ moot }) => moot?.[type] ?? []),
    followers: RULES.flatMap(({ onEvent }) => onEvent?.[type] ?? []),
    topics: RULES.flatMap(({ topics }) => topics?.[family] ?? []),
  }
  BY_TYPE.set(type, rules)
  return rules
}

type OnChange = NonNullable<NonNullable<Rules['onChange']>[Kind]>

export const ON_CHANGE = Object.fromEntries(KINDS.map((kind) => [kind, RULES.flatMap(({ onChange }) => onChange?.[kind] ?? [])])) as unknown as Record<Kind, readonly OnChange[]>

export function onTimer(what: TimerKind, ...[id, world, effects]: Parameters<NonNullable<NonNullable<Rules['onTimer']>[TimerKind]>>): void {
  for (const rules of RULES) rules.onTimer?.[what]?.(id, world, effects)
}
