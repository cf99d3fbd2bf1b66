/** Fields of a schema in words, for the documents' tables. */
import type { TSchema } from 'typebox'

export interface Field {
  name: string
  /** In words: `id`, `number 0..100`, `red | green | refactor`. */
  type: string
  required: boolean
}

interface Described {
  title?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Described[]
  items?: Described
  not?: unknown
  properties?: Record<string, Described>
  required?: string[]
}

export function describeFields(schema: TSchema): Field[] {
  const { properties = {}, required = [] } = schema as Described
  return Object.entries(properties).map(([name, field]) => ({ name, type: describe(field), required: required.includes(name) }))
}

function describe(schema: Described): string {
  if (schema.title !== undefined) return schema.title
  if (schema.enum !== undefined) return schema.enum.join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(describe))].join(' | ')
  if (schema.type === 'array') return `${describe(schema.items ?? {}).replace(/^.* \| .*$/, '($&)')}[]`
  return schema.type ?? 'any'
}
