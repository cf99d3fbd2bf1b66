/** All rules, in the order in which they are asked. */
import { AGENT_RULES } from './agents.js'
import { CHECKPOINT_RULES } from './checkpoints.js'
import { DELEGATION_RULES } from './delegation.js'
import { GITHUB_RULES } from './github.js'
import { OWNERSHIP_RULES } from './ownership.js'
import { PIPELINE_RULES } from './pipelines.js'
import { RETENTION_RULES } from './retention.js'
import type { Rules } from './rule.js'
import { STREAM_RULES } from './streams.js'
import { SURPLUS_RULES } from './surplus.js'
import { TALLY_RULES } from './tally.js'
import { TASK_RULES } from './tasks.js'

export const RULES: readonly Rules[] = [
  OWNERSHIP_RULES, TASK_RULES, TALLY_RULES, STREAM_RULES, PIPELINE_RULES, CHECKPOINT_RULES, GITHUB_RULES, DELEGATION_RULES, AGENT_RULES, RETENTION_RULES, SURPLUS_RULES,
]
