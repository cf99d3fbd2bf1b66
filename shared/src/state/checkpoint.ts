/**
 * Checkpoints: `available`, then `resumed` as often as somebody does, and `expired` at the end, resumed or not.
 * What is said of a checkpoint that nobody created makes none.
 */
import type { HubEvent } from '../envelope.js'
import type { Checkpoint } from './entities.js'
import { dataOf, named, numbers, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'

const ids = named('checkpointId')

export const CHECKPOINT_REDUCERS: Reducers<Checkpoint> = {
  'checkpoint.created': {
    ids,
    reduce(before, event, id) {
      const at = timeOf(event)
      const data = dataOf(event)
      const draft = data['hasDraft']
      return {
        id,
        createdAt: before?.createdAt ?? at,
        updatedAt: at,
        status: 'available',
        ...texts(data, 'taskId', 'taskTitle', 'trigger', 'executionPhase', 'expiresAt'),
        ...numbers(data, 'sequence', 'executionStep'),
        ...(typeof draft === 'boolean' ? { hasDraft: draft } : {}),
      }
    },
  },
  'checkpoint.resumed': known((checkpoint, data, event) =>
    checkpoint.status === 'expired' ? checkpoint : { ...checkpoint, status: 'resumed', resumedAt: texts(data, 'resumedAt').resumedAt ?? timeOf(event) },
  ),
  'checkpoint.expired': known((checkpoint, _data, event) =>
    checkpoint.status === 'expired' ? checkpoint : { ...checkpoint, status: 'expired', finishedAt: timeOf(event) },
  ),
  'checkpoint.forgotten': { ids, reduce: () => undefined },
}

function known(fold: (checkpoint: Checkpoint, data: Data, event: HubEvent) => Checkpoint): Reducer<Checkpoint> {
  return {
    ids,
    reduce(before, event) {
      if (before === undefined) return undefined
      const after = fold(before, dataOf(event), event)
      return after === before ? before : { ...after, updatedAt: timeOf(event) }
    },
  }
}
