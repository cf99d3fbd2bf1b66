/**
 * The envelope as a CloudEvent 1.0 (JSON form) and back, without loss: null and 0 are data, too. What CloudEvents has no attribute for
 * goes into extension attributes, whose names may only be lower-case letters and digits.
 */
import type { Cursor } from './cursor.js'
import type { EventInput, EventMetadata, HubEvent } from './envelope.js'
import { HubError } from './failures.js'
import type { PlacedEvent } from './messages.js'

export interface CloudEvent<D = unknown> {
  specversion: '1.0'
  id: string
  type: string
  source: string
  /** RFC 3339, the producer's clock. */
  time: string
  subject?: string
  datacontenttype: 'application/json'
  data: D
  project: string
  /** Separated by one space, which no topic contains; absent when there are none, for an attribute may not be empty. */
  topics?: string
  schemaversion: string
  /** RFC 3339, the hub's clock. */
  recordedat: string
  correlationid?: string
  causationid?: string
  traceparent?: string
  tracestate?: string
}

/** Media types of one event and of a list of them, in JSON. */
export const CLOUD_EVENT = 'application/cloudevents+json'
export const CLOUD_EVENT_BATCH = 'application/cloudevents-batch+json'

/** A CloudEvent that the hub gives out says where it stands. */
export interface PlacedCloudEvent<D = unknown> extends CloudEvent<D> {
  cursor: Cursor
}

/** Optional metadata and the attributes that carry it. */
const CARRIED = [
  ['subject', 'subject'], ['correlationId', 'correlationid'], ['causationId', 'causationid'], ['traceparent', 'traceparent'], ['tracestate', 'tracestate'],
] as const

export function toCloudEvent<D>(event: HubEvent<D>): CloudEvent<D> {
  const { metadata } = event
  const cloud: CloudEvent<D> = {
    specversion: '1.0',
    id: event.id,
    type: event.type,
    source: metadata.source,
    time: new Date(event.timestamp).toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
    project: event.project,
    schemaversion: metadata.version,
    recordedat: new Date(metadata.recordedAt).toISOString(),
  }
  if (event.topics.length > 0) cloud.topics = event.topics.join(' ')
  for (const [field, attribute] of CARRIED) {
    const value = metadata[field]
    if (value !== undefined) cloud[attribute] = value
  }
  return cloud
}

/** As it goes out to whoever reads in CloudEvents: `cursor` to go on from behind it. */
export function placedCloudEvent({ event, cursor }: PlacedEvent): PlacedCloudEvent {
  return { ...toCloudEvent(event), cursor }
}

/**
 * A producer's CloudEvent as what it hands in. What it leaves out is the hub's to fill, its `source` too, which the identity says; extensions
 * that we have no place for are dropped. `data` that is there, null and 0 included, is data.
 * @throws HubError INVALID_MESSAGE, `details.path` names the attribute
 */
export function inputOfCloudEvent(cloud: unknown): EventInput {
  const { id, type, data, metadata } = fromCloudEvent(cloud)
  const attributes = cloud as Record<string, unknown>
  const input: EventInput = { id, type, data }
  // Both clocks' defaults are the hub's to choose, as is the project of whoever names none.
  const timestamp = optional(attributes, 'time')
  const project = optional(attributes, 'project')
  const topics = optional(attributes, 'topics')
  if (timestamp !== undefined) input.timestamp = timestamp
  if (project !== undefined) input.project = project
  if (topics !== undefined) input.topics = topics.split(' ')
  const { subject, correlationId, causationId, traceparent, tracestate } = metadata
  const version = optional(attributes, 'schemaversion')
  const carried = Object.entries({ version, subject, correlationId, causationId, traceparent, tracestate }).filter(([, value]) => value !== undefined)
  if (carried.length > 0) input.metadata = Object.fromEntries(carried)
  return input
}

/**
 * A CloudEvent of somebody else's making may lack our extensions: then the project is `default`, there are no topics yet, and it was
 * recorded when it happened.
 * @throws HubError INVALID_MESSAGE, `details.path` names the attribute
 */
export function fromCloudEvent(cloud: unknown): HubEvent {
  if (typeof cloud !== 'object' || cloud === null || Array.isArray(cloud)) throw wrong('', 'is no object')
  const attributes = cloud as Record<string, unknown>
  if (attributes['specversion'] !== '1.0') throw wrong('specversion', 'is not 1.0')
  if (attributes['data_base64'] !== undefined) throw wrong('data_base64', 'is binary, which an event cannot carry')
  const timestamp = time(attributes, 'time') ?? Date.now()
  const metadata: EventMetadata = {
    version: optional(attributes, 'schemaversion') ?? '1.0',
    source: required(attributes, 'source'),
    recordedAt: time(attributes, 'recordedat') ?? timestamp,
  }
  for (const [field, attribute] of CARRIED) {
    const value = optional(attributes, attribute)
    if (value !== undefined) metadata[field] = value
  }
  return {
    id: required(attributes, 'id'),
    type: required(attributes, 'type'),
    timestamp,
    project: optional(attributes, 'project') ?? 'default',
    topics: optional(attributes, 'topics')?.split(' ') ?? [],
    data: attributes['data'],
    metadata,
  }
}

function required(attributes: Record<string, unknown>, name: string): string {
  const value = optional(attributes, name)
  if (value === undefined) throw wrong(name, 'is missing')
  return value
}

function optional(attributes: Record<string, unknown>, name: string): string | undefined {
  const value = attributes[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value === '') throw wrong(name, 'is no text')
  return value
}

function time(attributes: Record<string, unknown>, name: string): number | undefined {
  const text = optional(attributes, name)
  if (text === undefined) return undefined
  const millis = Date.parse(text)
  if (Number.isNaN(millis)) throw wrong(name, 'is no RFC 3339 time')
  return millis
}

function wrong(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `${path} ${problem}`.trim(), { path, problem })
}
