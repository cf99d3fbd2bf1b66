/**
 * The way in: whatever a producer sent becomes a canonical, valid event, or a `HubError` that names its fault (I5).
 * Every gateway and the processor call it, so it runs for each event twice: no copies but where a name or a time changes, compiled
 * schemas, one walk. Normalising a canonical event gives the same event.
 */
import { canonicalType } from './aliases.js'
import { isSnapshot } from './catalogue/agui.js'
import { findEntry, type Entry } from './catalogue/entries.js'
import type { Author } from './catalogue/fact.js'
import { clip, refusal } from './catalogue/problems.js'
import { reshape } from './catalogue/reshape.js'
import { parseIso, readMillis } from './clock.js'
import type { NormalEvent } from './envelope.js'
import { HubError } from './failures.js'
import { readMetadata } from './metadata.js'
import { isProject, isTopic } from './topics.js'
import { isForbiddenKey, isPlainObject, weigh } from './weigh.js'

export interface EventLimits {
  /** UTF-8 bytes of the JSON of `data`. */
  maxEventBytes: number
  /** The same for AG-UI snapshots. */
  maxSnapshotBytes: number
  /** Nested objects and arrays in `data`. */
  maxDepth: number
}

export const MAX_TOPICS_OF_EVENT = 16

type Data = Record<string, unknown>

/** A producer's message after its outer form was recognised. */
interface Named {
  name: string
  id: unknown
  data: unknown
  topics: unknown
}

/**
 * @param author `hub` may also say what only the hub knows (`connection.opened`, `task.delegate`).
 * @throws HubError INVALID_MESSAGE, UNKNOWN_TYPE, VALIDATION_ERROR, INVALID_TOPIC, PAYLOAD_TOO_LARGE; `details` say where.
 */
export function normalise(input: unknown, limits: EventLimits, author: Author = 'anyone'): NormalEvent {
  if (!isPlainObject(input)) throw invalid('', 'is no object')
  const named = recognise(input)
  const { entry, type } = resolve(named.name, author)
  const { metadata, topics: contexts } = readMetadata(input['metadata'])
  const topics = readTopics(named.topics, contexts)
  const data = readData(named, type === named.name, entry, topics)

  const { holes } = weigh(data, { maxBytes: isSnapshot(type) ? limits.maxSnapshotBytes : limits.maxEventBytes, maxDepth: limits.maxDepth })
  // Only an in-process producer can leave undefined fields; JSON would drop them anyway, but after the schema had taken them for present.
  const whole: unknown = holes ? JSON.parse(JSON.stringify(data)) : data
  if (author !== 'hub') refuseHubFields(entry, whole)
  const problems = entry.check(whole)
  if (problems !== undefined) throw refusal('VALIDATION_ERROR', problems)

  const event: NormalEvent = { type, topics, data: whole, metadata }
  const id = readId(named.id)
  const timestamp = readTimestamp(input['timestamp'])
  const project = readProject(input['project'])
  if (id !== undefined) event.id = id
  if (timestamp !== undefined) event.timestamp = timestamp
  if (project !== undefined) event.project = project
  return event
}

/** Our own form, `event_type`/`payload`/`event_id` in place of `type`/`data`/`id`, or `{ type: 'event', payload: { topic, eventType, data } }`. */
function recognise(input: Data): Named {
  for (const key of Object.keys(input)) {
    if (isForbiddenKey(key)) throw refusal('VALIDATION_ERROR', [{ path: key, problem: 'is a forbidden key' }])
  }
  const name = input['type'] ?? input['event_type']
  if (typeof name !== 'string') throw invalid('type', name === undefined ? 'is missing' : 'is no string')
  const id = input['id'] === undefined ? input['event_id'] : input['id']
  const data = input['data'] === undefined ? input['payload'] : input['data']
  if (name === 'event' && isPlainObject(data) && typeof data['eventType'] === 'string') {
    const topic = data['topic']
    return { name: laneName(data['eventType'], topic), id, data: data['data'], topics: topic === undefined ? input['topics'] : [topic] }
  }
  return { name, id, data, topics: input['topics'] }
}

/** In that form a stream's events may come under their bare names, but only beside a stream's topic. */
function laneName(name: string, topic: unknown): string {
  const bare = name === 'progress' || name === 'completed' || name === 'blocked' || name === 'started'
  return bare && typeof topic === 'string' && topic.startsWith('stream:') ? `stream.${name}` : name
}

function resolve(name: string, author: Author): { entry: Entry; type: string } {
  let type = name
  let entry = findEntry(name)
  if (entry === undefined) {
    type = canonicalType(name) ?? name
    entry = findEntry(type)
  }
  if (entry === undefined) throw new HubError('UNKNOWN_TYPE', `There is no event of type ${clip(type)}.`, { type: clip(type) })
  if (entry.by === 'hub' && author !== 'hub') throw new HubError('UNKNOWN_TYPE', `Only the hub itself publishes ${type}.`, { type })
  return { entry, type }
}

/** `data` under its canonical field names; may add to `topics`. Absent data is an empty object: the schema names what is missing. */
function readData(named: Named, canonical: boolean, entry: Entry, topics: string[]): unknown {
  const data = named.data === undefined ? {} : named.data
  if (!isPlainObject(data)) return data
  const changed = canonical ? undefined : reshape(named.name, data)
  for (const topic of changed?.topics ?? []) addTopic(topics, topic)
  return settleFields(entry, changed?.data ?? data)
}

function refuseHubFields(entry: Entry, data: unknown): void {
  const field = entry.hubFields.find((name) => isPlainObject(data) && data[name] !== undefined)
  if (field !== undefined) throw refusal('VALIDATION_ERROR', [{ path: field, problem: 'is filled in by the hub alone' }])
}

/** Known top-level fields in their canonical spelling, times in UTC. Copies only when something changes. */
function settleFields(entry: Entry, data: Data): Data {
  let settled = data
  if (entry.spellings.size > 0 && Object.keys(data).some((key) => respelt(entry, data, key) !== key)) {
    settled = Object.fromEntries(Object.entries(data).map(([key, value]) => [respelt(entry, data, key), value]))
  }
  for (const name of entry.times) {
    const time = settled[name]
    if (typeof time !== 'string' || time.endsWith('Z')) continue
    const millis = parseIso(time)
    if (Number.isNaN(millis)) continue
    if (settled === data) settled = { ...data }
    settled[name] = new Date(millis).toISOString()
  }
  return settled
}

/** A field that is there under both spellings keeps both: nothing of the producer's is lost. */
function respelt(entry: Entry, data: Data, key: string): string {
  const name = entry.spellings.get(key)
  return name === undefined || Object.hasOwn(data, name) ? key : name
}

// No lone surrogates: in UTF-8 they would all be one, and the second event of them a repetition of the first (I3).
// oxlint-disable-next-line no-control-regex
const EVENT_ID = /^[^\u0000-\u001f\u007f\p{Cs}]{1,128}$/u

function readId(id: unknown): string | undefined {
  if (id === undefined) return undefined
  if (typeof id !== 'string' || !EVENT_ID.test(id)) throw invalid('id', 'is no string of 1 to 128 printable characters')
  return id
}

function readTimestamp(timestamp: unknown): number | undefined {
  if (timestamp === undefined) return undefined
  const millis = readMillis(timestamp)
  if (millis === undefined) throw invalid('timestamp', 'is neither milliseconds or seconds since the epoch nor ISO 8601, after March 1973')
  return millis
}

function readProject(project: unknown): string | undefined {
  if (project === undefined) return undefined
  if (!isProject(project)) throw invalid('project', 'is no project name')
  return project
}

function readTopics(given: unknown, contexts: readonly string[]): string[] {
  const topics: string[] = []
  if (given !== undefined) {
    if (!Array.isArray(given)) throw invalid('topics', 'is no list')
    if (given.length > MAX_TOPICS_OF_EVENT) throw invalid('topics', `holds more than ${MAX_TOPICS_OF_EVENT}`)
    for (const topic of given as unknown[]) addTopic(topics, topic)
  }
  for (const topic of contexts) addTopic(topics, topic)
  return topics
}

function addTopic(topics: string[], topic: unknown): void {
  if (!isTopic(topic)) throw new HubError('INVALID_TOPIC', undefined, { topic: typeof topic === 'string' ? clip(topic) : typeof topic })
  if (!topics.includes(topic)) topics.push(topic)
}

function invalid(path: string, problem: string): HubError {
  return refusal('INVALID_MESSAGE', [{ path, problem }])
}
