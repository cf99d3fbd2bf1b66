/** TypeScript types of every event's data, drawn from the schemas. Types only: nothing here is in a client's bundle. */
import type { Static } from 'typebox'
import type { FACTS } from './entries.js'
import type { DataOf } from './fact.js'
import type { PIPELINE_OTHER } from './pipeline.js'

/** Canonical type to the type of its `data`. */
export interface EventMap extends DataOf<typeof FACTS> {}

export type EventType = keyof EventMap

/** Data of any type: known, `pipeline.<name>`, or unknown (`custom.<name>`). */
export type EventData<T extends string> = T extends EventType ? EventMap[T] : T extends `pipeline.${string}` ? Static<(typeof PIPELINE_OTHER)['data']> : unknown
