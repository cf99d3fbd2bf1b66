/**
 * JSON Schemas of what goes out, for the documents (OpenAPI, AsyncAPI). What comes in is validated, and its schemas are the validators'
 * own; what goes out is made by typed code, so here the types bind: a field that TypeScript knows and the schema does not, or the other
 * way round, does not compile.
 */
import { Type, type TOptional, type TSchema } from 'typebox'

/** Where the documents keep what has a name. */
const HOME = '#/components/schemas/'

type Fields<T> = { [K in keyof T]-?: object extends Pick<T, K> ? TOptional : TSchema }

/** An object with the fields of T. It may hold more: clients leave alone what they do not know. */
export function shape<T extends object>(fields: Fields<T>, description?: string): TSchema {
  return Type.Object(fields, description === undefined ? {} : { description })
}

/** A schema that has a name in the documents. */
export function named(name: string): TSchema {
  return Type.Unsafe({ $ref: HOME + name })
}

/** The same with a word of explanation. */
export function about<S extends TSchema>(schema: S, description: string): S {
  return { ...schema, description }
}

/** What validates a request, with the fields that code checks behind it. */
export function widened(schema: TSchema, fields: Record<string, TSchema>): TSchema {
  const { properties, ...rest } = schema as TSchema & { properties?: Record<string, TSchema> }
  return { ...rest, properties: { ...properties, ...fields } }
}
