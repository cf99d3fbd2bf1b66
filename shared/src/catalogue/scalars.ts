/**
 * Scalars that the families share. `title` is what the documents print as a field's type.
 * Patterns are plain enough to mean the same in other languages' JSON Schema validators.
 */
import { Type } from 'typebox'

/** Fits into a topic: no white space, wildcard, control character or lone surrogate. */
export const ID_PATTERN = '^[^\\s*\\u0000-\\u001f\\u007f\\ud800-\\udfff]{1,128}$'

export const Id = Type.String({ title: 'id', pattern: ID_PATTERN })
export const Text = Type.String({ title: 'string' })
export const Flag = Type.Boolean({ title: 'boolean' })
export const Whole = Type.Integer({ title: 'integer' })
export const Count = Type.Integer({ title: 'integer ≥ 0', minimum: 0 })
export const Quantity = Type.Number({ title: 'number' })
export const Percent = Type.Number({ title: 'number 0..100', minimum: 0, maximum: 100 })
export const Ratio = Type.Number({ title: 'number 0..1', minimum: 0, maximum: 1 })
export const Anything = Type.Unknown({ title: 'any' })
export const Bag = Type.Record(Type.String(), Type.Unknown(), { title: 'object' })
export const Ids = Type.Array(Id, { title: 'id[]' })
export const Texts = Type.Array(Type.String(), { title: 'string[]' })

/** UTC. On the way in other offsets and naive times (read as UTC) are rewritten to this form, in top-level fields. */
export const TIME_PATTERN =
  '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z$'
export const Time = Type.String({ title: 'ISO 8601 Z', pattern: TIME_PATTERN })

export const AgentStatus = Type.Enum(['registered', 'idle', 'busy', 'error', 'stalled', 'stale', 'offline'])
export const TaskStatus = Type.Enum(['pending', 'delegated', 'accepted', 'in_progress', 'blocked', 'paused', 'completed', 'failed', 'cancelled'])
export const TddPhase = Type.Enum(['red', 'green', 'refactor'])

export const maybe = Type.Optional

export function orNull<S extends Parameters<typeof Type.Union>[0][number]>(schema: S) {
  return Type.Union([schema, Type.Null()])
}
