/** What a producer may say in `metadata`; unknown fields are ignored, `source` above all: it comes from the identity. */
import { refusal } from './catalogue/problems.js'
import type { NormalEvent } from './envelope.js'
import { isTopic } from './topics.js'
import { isForbiddenKey, isPlainObject } from './weigh.js'

const FIELDS = ['version', 'subject', 'correlationId', 'causationId', 'traceparent', 'tracestate'] as const
/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
// oxlint-disable-next-line no-control-regex
const PRINTABLE = /^[^\u0000-\u001f\u007f]+$/

export interface ReadMetadata {
  metadata: NormalEvent['metadata']
  /** Topics of the run and thread that the producer names. */
  topics: readonly string[]
}

const NONE: readonly string[] = []

/** @throws HubError INVALID_MESSAGE */
export function readMetadata(given: unknown): ReadMetadata {
  const metadata: NormalEvent['metadata'] = {}
  if (given === undefined) return { metadata, topics: NONE }
  if (!isPlainObject(given)) throw wrong('metadata', 'is no object')
  for (const key of Object.keys(given)) {
    if (isForbiddenKey(key)) throw refusal('VALIDATION_ERROR', [{ path: `metadata.${key}`, problem: 'is a forbidden key' }])
  }
  for (const name of FIELDS) {
    const value = given[name]
    if (value !== undefined) metadata[name] = readField(name, value)
  }
  if (given['runId'] === undefined && given['threadId'] === undefined) return { metadata, topics: NONE }
  return { metadata, topics: [...context('run', given['runId']), ...context('thread', given['threadId'])] }
}

function readField(name: (typeof FIELDS)[number], value: unknown): string {
  const longest = name === 'tracestate' ? 512 : 256
  if (typeof value !== 'string' || value.length > longest || !PRINTABLE.test(value)) {
    throw wrong(`metadata.${name}`, `is no string of 1 to ${longest} printable characters`)
  }
  if (name === 'traceparent' && !TRACEPARENT.test(value)) throw wrong('metadata.traceparent', 'is not of the W3C form')
  return value
}

function context(family: 'run' | 'thread', id: unknown): string[] {
  if (id === undefined) return []
  const topic = typeof id === 'string' && id.length <= 128 ? `${family}:${id}` : undefined
  if (!isTopic(topic)) throw wrong(`metadata.${family}Id`, 'is no id of 1 to 128 characters without white space or *')
  return [topic]
}

function wrong(path: string, problem: string) {
  return refusal('INVALID_MESSAGE', [{ path, problem }])
}
