/** Names of this dialect: `family:name`, fields in snake_case. Only known fields are renamed: what stands inside `parameters` or `result` is not ours. */
import { randomUUID } from 'node:crypto'
import { canonicalType, MESSAGE_ALIASES, type Cursor, type HubEvent } from '@hubbub/protocol'
import { findEntry, type Entry } from '@hubbub/protocol/catalogue'
import { nameOf, snakeCase, type Names } from '../names.js'

type Fields = Readonly<Record<string, unknown>>

const NAMES: Names = {
  'agent.status_changed': 'agent:status_update',
  'task.progress': 'task:progress_updated',
  'connection.opened': 'websocket:connected',
  'connection.closed': 'websocket:disconnected',
}
/** What an agent may count on to be there, whatever the task says. */
const DELEGATION = { task_type: null, parameters: {}, deadline: null, priority: null, pipeline_id: null, stage: null }
const ASSIGNMENT = { assigned_at: null, estimated_duration: null }

/** As it goes out. `type` and `event_type` are the same. */
export function said(type: string, payload: object, about?: unknown): object {
  const { event_id: asked } = (about ?? {}) as { event_id?: unknown }
  return { type, event_type: type, event_id: randomUUID(), timestamp: new Date().toISOString(), payload, ...(typeof asked === 'string' && { correlation_id: asked }) }
}

export function shown({ id, type, timestamp, data, topics, metadata }: HubEvent, cursor: Cursor): object {
  const name = nameOfType(type)
  const payload = type === 'task.delegate' ? delegation(data as Fields) : payloadOf(type, data)
  return { type: name, event_type: name, event_id: id, timestamp: new Date(timestamp).toISOString(), payload, topics, metadata: snakeFields(metadata), cursor }
}

export function nameOfType(type: string): string {
  return Object.hasOwn(NAMES, type) ? nameOf(NAMES, type) : type.replace('.', ':')
}

/** The canonical type, or pattern of types, or message that a name means; unchanged where it means none. */
export function typeNamed(name: string): string {
  if (Object.hasOwn(MESSAGE_ALIASES, name)) return MESSAGE_ALIASES[name]!
  return canonicalType(name) ?? name.replace(':', '.')
}

/** Top-level fields of an answer of the hub. */
export function snakeFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snakeCase(name), value as unknown]))
}

/** Top-level fields of a message for the hub. */
export function camelFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value]))
}

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}

function payloadOf(type: string, data: unknown): unknown {
  const entry = findEntry(type)
  if (!entry || entry.spellings.size === 0 || typeof data !== 'object' || data === null || Array.isArray(data)) return data
  const spellings = reversed(entry)
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [spellings.get(name) ?? name, value as unknown]))
}

function delegation(data: Fields): object {
  const { metadata, ...order } = payloadOf('task.delegate', data) as Fields
  return { ...DELEGATION, ...order, metadata: { ...ASSIGNMENT, ...snakeFields(metadata ?? {}) } }
}

const REVERSED = new WeakMap<Entry, ReadonlyMap<string, string>>()

/** `taskId` to `task_id`: the fields that would be taken back under that name. */
function reversed(entry: Entry): ReadonlyMap<string, string> {
  let spellings = REVERSED.get(entry)
  if (!spellings) REVERSED.set(entry, (spellings = new Map([...entry.spellings].map(([other, name]) => [name, other]))))
  return spellings
}
