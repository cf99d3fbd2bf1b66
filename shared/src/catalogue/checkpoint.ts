/** Checkpoints of a task's execution. Clients look for them under the task or under the checkpoint: every event goes to both. */
import { Type } from 'typebox'
import { fact, hubFact } from './fact.js'
import { Count, Flag, Id, maybe, orNull, Text, Time } from './scalars.js'

const BOTH = ['checkpoint:{taskId}', 'checkpoint:{checkpointId}'] as const

const checkpoint = { checkpointId: Id, taskId: maybe(Id) }

export const CHECKPOINT_FACTS = {
  'checkpoint.created': fact('A checkpoint can be resumed from.', [...BOTH, 'task:{taskId}'], Type.Object({
    ...checkpoint, taskTitle: maybe(Text), sequence: maybe(Count), trigger: maybe(Text), executionPhase: maybe(Text), executionStep: maybe(Count),
    hasDraft: maybe(Flag), expiresAt: maybe(orNull(Time)), createdAt: maybe(Time),
  })),
  'checkpoint.resumed': fact('Work went on from a checkpoint.', BOTH, Type.Object({ ...checkpoint, resumedAt: maybe(Time) })),
  'checkpoint.expired': fact('A checkpoint can no longer be resumed from.', BOTH, Type.Object({ ...checkpoint, expiredAt: maybe(Time) })),
  'checkpoint.forgotten': hubFact('A checkpoint left the state.', BOTH, Type.Object({ ...checkpoint, reason: maybe(Text) })),
}
