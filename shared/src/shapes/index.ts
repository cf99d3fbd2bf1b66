/** Everything that has a name in the documents, and what validates requests. */
import type { TSchema } from 'typebox'
import { CATALOGUE } from '../catalogue/entries.js'
import { Anything, maybe } from '../catalogue/scalars.js'
import { MESSAGE_REQUESTS } from '../messages.schema.js'
import { TASK_REQUESTS } from '../tasks.schema.js'
import { ANSWER_SHAPES } from './answers.js'
import { ENTITY_SHAPES } from './entities.js'
import { EVENT_SHAPES } from './events.js'
import { OVERVIEW_SHAPES } from './overview.js'
import { named, widened } from './shape.js'
import { TRACE_SHAPES } from './trace.js'

export { named } from './shape.js'

/** The validators' own schemas, with the fields that are checked by code behind them. */
export const REQUEST_SHAPES = {
  ...MESSAGE_REQUESTS,
  subscribe: widened(MESSAGE_REQUESTS.subscribe, { since: named('Since') }),
  history: widened(MESSAGE_REQUESTS.history, { since: named('Since') }),
  signal: widened(MESSAGE_REQUESTS.signal, { data: maybe(Anything) }),
  broadcast: widened(MESSAGE_REQUESTS.broadcast, { data: maybe(Anything) }),
  command: widened(MESSAGE_REQUESTS.command, { payload: maybe(Anything) }),
  ...TASK_REQUESTS,
}

/** `data.TYPE` of every type of the catalogue; the two open families' names are bare: `data.custom`. */
function dataShapes(): Record<string, TSchema> {
  return Object.fromEntries(CATALOGUE.map(({ type, schema, about, by }) => [dataName(type), { ...schema, description: by === 'hub' ? `${about} Published by the hub only.` : about }]))
}

/** Under which name the documents keep a type's data. */
export function dataName(type: string): string {
  return `data.${type.replace(/\.\{\w+\}$/, '')}`
}

/** By name, as under `components.schemas`. */
export const NAMED_SHAPES: Readonly<Record<string, TSchema>> = { ...EVENT_SHAPES, ...ENTITY_SHAPES, ...ANSWER_SHAPES, ...OVERVIEW_SHAPES, ...TRACE_SHAPES, ...dataShapes() }
