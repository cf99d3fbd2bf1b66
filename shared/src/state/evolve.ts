/**
 * What an event makes of the state: the one reading of the journal, in the processor, in the SDKs and in every test.
 * Pure and total: it takes whatever stands in the journal, decides nothing and asks no clock. A kind's own file beside this one
 * holds its reducers, by event type.
 */
import type { HubEvent } from '../envelope.js'
import { AGENT_REDUCERS } from './agent.js'
import { CHECKPOINT_REDUCERS } from './checkpoint.js'
import type { Entities, Entity, Kind } from './entities.js'
import { PIPELINE_REDUCERS } from './pipeline.js'
import type { Reducer, Reducers } from './reducer.js'
import { RUN_REDUCERS } from './run.js'
import { STREAM_REDUCERS } from './stream.js'
import { TASK_REDUCERS } from './task.js'
import { TASK_TYPE_REDUCERS } from './task-type.js'

export interface Change {
  kind: Kind
  id: string
  /** Absent: it is forgotten. */
  entity: Entity | undefined
}

/** Answers what is known now; undefined where nothing is. */
export type Lookup = <K extends Kind>(kind: K, id: string) => Entities[K] | undefined

const BY_KIND: { [K in Kind]: Reducers<Entities[K]> } = {
  task: TASK_REDUCERS,
  agent: AGENT_REDUCERS,
  pipeline: PIPELINE_REDUCERS,
  stream: STREAM_REDUCERS,
  checkpoint: CHECKPOINT_REDUCERS,
  run: RUN_REDUCERS,
  task_type: TASK_TYPE_REDUCERS,
}

const BY_TYPE = new Map<string, { kind: Kind; reducer: Reducer<never> }[]>()
for (const [kind, reducers] of Object.entries(BY_KIND)) {
  for (const [type, reducer] of Object.entries(reducers)) {
    const together = BY_TYPE.get(type)
    const entry = { kind: kind as Kind, reducer: reducer as Reducer<never> }
    if (together) together.push(entry)
    else BY_TYPE.set(type, [entry])
  }
}

/** Whether events of the type can change anything at all. */
export function isFolded(type: string): boolean {
  return BY_TYPE.has(type)
}

/** Entities that the event may change; empty for most types. */
export function subjectsOf(event: Pick<HubEvent, 'type' | 'data' | 'topics'>): { kind: Kind; id: string }[] {
  const found: { kind: Kind; id: string }[] = []
  for (const { kind, reducer } of BY_TYPE.get(event.type) ?? []) for (const id of reducer.ids(event)) found.push({ kind, id })
  return found
}

/** What is no longer as it was. `lookup` must know every subject of the event. */
export function evolve(event: HubEvent, lookup: Lookup): Change[] {
  const changes: Change[] = []
  for (const { kind, reducer } of BY_TYPE.get(event.type) ?? []) {
    for (const id of reducer.ids(event)) {
      const before = lookup(kind, id)
      const after = reducer.reduce(before as never, event, id) as Entity | undefined
      if (after !== before) changes.push({ kind, id, entity: after })
    }
  }
  return changes
}
