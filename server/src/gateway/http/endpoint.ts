/** What is written down of each address: enough for a machine (OpenAPI) and for a reader (`/api/docs`), and run by the tests. */
import type { FailureCode } from '@hubbub/protocol'
import { named } from '@hubbub/protocol/catalogue'

/** A JSON Schema. */
export type Schema = object

export interface Parameter {
  about: string
  schema?: Schema
  required?: boolean
}

export interface Body {
  /** By media type. */
  content: Readonly<Record<string, Schema>>
  optional?: boolean
}

export interface Answered {
  about: string
  /** By media type. */
  content: Readonly<Record<string, Schema>>
  headers?: Readonly<Record<string, string>>
}

/** A request that works, and what it is answered. */
export interface Example {
  /** Whose token it needs; an admin's unless it says otherwise. */
  as?: 'agent' | 'operator'
  path?: Readonly<Record<string, string>>
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  body?: unknown
  status?: number
  answer: unknown
}

export interface Details {
  /** Where it is another than the group's. */
  access?: string
  query?: Readonly<Record<string, Parameter>>
  headers?: Readonly<Record<string, Parameter>>
  body?: Body
  /** By status. */
  answers?: Readonly<Record<number, Answered>>
  /** Besides those that any request may meet. */
  failures?: readonly FailureCode[]
  example?: Example
}

export interface Endpoint extends Details {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  about: string
}

export interface Group {
  title: string
  /** Who may ask; of the group's endpoints alike. */
  access: string
  /** Nobody is asked for a credential. */
  open?: boolean
  endpoints: readonly Endpoint[]
}

export const get = (path: string, about: string, details: Details = {}): Endpoint => ({ method: 'GET', path, about, ...details })
export const post = (path: string, about: string, details: Details = {}): Endpoint => ({ method: 'POST', path, about, ...details })
export const put = (path: string, about: string, details: Details = {}): Endpoint => ({ method: 'PUT', path, about, ...details })
export const remove = (path: string, about: string, details: Details = {}): Endpoint => ({ method: 'DELETE', path, about, ...details })

export const JSON_TYPE = 'application/json'
export const TEXT: Schema = { type: 'string' }
export const WHOLE: Schema = { type: 'integer' }
const OK: Schema = { type: 'object', required: ['ok'], properties: { ok: { const: true } } }

/** `{ ok: true }` and these fields; a name that ends in `?` may be missing. */
export function fields(of: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(of)
  return {
    type: 'object',
    required: ['ok', ...names.filter((name) => !name.endsWith('?'))],
    properties: { ok: { const: true }, ...Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), of[name]!])) },
  }
}

/** `{ ok: true }` and what has a name, or these schemas. */
export function okWith(...schemas: readonly (string | Schema)[]): Schema {
  return { allOf: [OK, ...schemas.map((schema) => (typeof schema === 'string' ? named(schema) : schema))] }
}

export function list(items: Schema): Schema {
  return { type: 'array', items }
}

/** Answered as JSON. */
export function answered(about: string, schema: Schema, headers?: Answered['headers']): Answered {
  return { about, content: { [JSON_TYPE]: schema }, ...(headers && { headers }) }
}

export function json(schema: Schema, optional = false): Body {
  return { content: { [JSON_TYPE]: schema }, ...(optional && { optional }) }
}
