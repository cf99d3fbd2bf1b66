/** What the reducers of every kind are made of. */
import type { HubEvent } from '../envelope.js'

export type Data = Record<string, unknown>

export interface Reducer<E> {
  /** Ids of the entities that the event is about; a pure reading of its data and topics. */
  ids(event: Pick<HubEvent, 'data' | 'topics'>): readonly string[]
  /** The entity after the event: the same object when nothing changes, undefined when there is none (any more). */
  reduce(before: E | undefined, event: HubEvent, id: string): E | undefined
}

/** By event type. */
export type Reducers<E> = Record<string, Reducer<E>>

/** An event's data, whatever it is, as something that fields can be read of. */
export function dataOf(event: Pick<HubEvent, 'data'>): Data {
  return typeof event.data === 'object' && event.data !== null && !Array.isArray(event.data) ? (event.data as Data) : {}
}

/** The ids that a field of the data names: one text, or a list of texts. */
export function named(field: string): (event: Pick<HubEvent, 'data'>) => readonly string[] {
  return (event) => {
    const value = dataOf(event)[field]
    if (typeof value === 'string') return [value]
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : NONE
  }
}

const NONE: readonly string[] = []

/** Each event asks several times, and the next one is mostly of the same millisecond. */
let lastTime: { ms: number; text: string } = { ms: 0, text: '1970-01-01T00:00:00.000Z' }

/** When the hub received the event. */
export function timeOf({ metadata: { recordedAt } }: Pick<HubEvent, 'metadata'>): string {
  if (recordedAt !== lastTime.ms) lastTime = { ms: recordedAt, text: new Date(recordedAt).toISOString() }
  return lastTime.text
}

/** Fields of the data that are there and of the type, under their own names. */
export function texts<K extends string>(data: Data, ...keys: K[]): { [P in K]?: string } {
  const found: { [P in K]?: string } = {}
  for (const key of keys) if (typeof data[key] === 'string') found[key] = data[key]
  return found
}

export function numbers<K extends string>(data: Data, ...keys: K[]): { [P in K]?: number } {
  const found: { [P in K]?: number } = {}
  for (const key of keys) if (typeof data[key] === 'number') found[key] = data[key]
  return found
}

export function textList(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

export function bag(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}
