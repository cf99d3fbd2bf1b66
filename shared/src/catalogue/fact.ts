/**
 * A fact: what one canonical event type says, who may say it, and where it goes. The families beside this file are
 * tables of facts; `entries.ts` joins them into the catalogue.
 */
import type { Static, TSchema } from 'typebox'

/** Who may publish: any producer with the permission, or the hub alone. */
export type Author = 'anyone' | 'hub'

export interface Fact<S extends TSchema = TSchema> {
  /** One line, for the documents. */
  about: string
  /**
   * Topic templates, `task:{taskId}`: fields of `data`. A template whose field is absent gives no topic; one whose field
   * is an array gives a topic each.
   */
  topics: readonly string[]
  data: S
  by: Author
  /** Fields of an open fact that only the hub fills in. */
  hubFields?: readonly string[]
}

export function fact<S extends TSchema>(about: string, topics: readonly string[], data: S): Fact<S> {
  return { about, topics, data, by: 'anyone' }
}

/** Anybody may say it, but for these fields. */
export function partlyHub<S extends TSchema>(about: string, topics: readonly string[], hubFields: readonly string[], data: S): Fact<S> {
  return { about, topics, data, by: 'anyone', hubFields }
}

export function hubFact<S extends TSchema>(about: string, topics: readonly string[], data: S): Fact<S> {
  return { about, topics, data, by: 'hub' }
}

/** TypeScript types of a table's data. */
export type DataOf<F extends Record<string, Fact>> = { [K in keyof F]: Static<F[K]['data']> }
