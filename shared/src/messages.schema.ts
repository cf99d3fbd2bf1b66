/**
 * The operations' messages as they come off the wire: checked, their aliases settled, and nothing else in them. `messages.ts` has the
 * same shapes for TypeScript; a change belongs into both.
 */
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { canonicalType } from './aliases.js'
import { clip, explain, refusal } from './catalogue/problems.js'
import { HubError } from './failures.js'
import type { Filter, HistoryRequest, SignalRequest, Since, SubscribeRequest, UnsubscribeRequest } from './messages.js'
import { parseSince } from './since.js'
import { isTopic, isTopicPattern, isTypePattern } from './topics.js'
import { isForbiddenKey, isPlainObject, weigh } from './weigh.js'

export interface RequestLimits {
  /** Topics of one request. */
  maxTopics: number
}

export interface SignalLimits {
  maxEventBytes: number
  maxDepth: number
}

const Topics = Type.Array(Type.String(), { minItems: 1 })
const FilterSchema = Type.Record(
  Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.]{0,63}$' }),
  Type.Union([Type.String({ maxLength: 256 }), Type.Number(), Type.Boolean(), Type.Null()]),
  { additionalProperties: false, maxProperties: 8 },
)
const selection = {
  topics: Topics,
  types: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 64 })),
  filter: Type.Optional(FilterSchema),
}

const SUBSCRIBE = Compile(Type.Object(selection))
const UNSUBSCRIBE = Compile(Type.Object({ subscriptionId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })), topics: Type.Optional(Topics) }))
const SIGNAL = Compile(Type.Object({ topic: Type.String(), name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.:-]{0,63}$' }) }))
const HISTORY = Compile(Type.Object({
  ...selection,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  wait: Type.Optional(Type.Number({ minimum: 0, maximum: 60 })),
}))

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC (`details.topic`), INVALID_CURSOR */
export function checkSubscribe(input: unknown, limits: RequestLimits): SubscribeRequest {
  const message = form(SUBSCRIBE, input)
  return { ...select(message, limits), ...sinceOf(message) }
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC */
export function checkUnsubscribe(input: unknown, limits: RequestLimits): UnsubscribeRequest {
  const message = form(UNSUBSCRIBE, input)
  const request: UnsubscribeRequest = {}
  if (typeof message['subscriptionId'] === 'string') request.subscriptionId = message['subscriptionId']
  if (Array.isArray(message['topics'])) request.topics = readPatterns(message['topics'], limits)
  return request
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkSignal(input: unknown, limits: SignalLimits): SignalRequest {
  const message = form(SIGNAL, input)
  const { topic, name, data } = message
  if (!isTopic(topic)) throw notTopic(topic)
  const request: SignalRequest = { topic, name: name as string }
  if (data !== undefined) {
    weigh(data, { maxBytes: limits.maxEventBytes, maxDepth: limits.maxDepth })
    request.data = data
  }
  return request
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC, INVALID_CURSOR */
export function checkHistory(input: unknown, limits: RequestLimits): HistoryRequest {
  const message = form(HISTORY, input)
  const request: HistoryRequest = { ...select(message, limits), ...sinceOf(message) }
  if (typeof message['limit'] === 'number') request.limit = message['limit']
  if (typeof message['wait'] === 'number') request.wait = message['wait']
  return request
}

function form(validator: { Check(value: unknown): boolean; Errors(value: unknown): Parameters<typeof explain>[1] }, input: unknown) {
  if (!isPlainObject(input)) throw refusal('INVALID_MESSAGE', [{ path: '', problem: 'is no object' }])
  const forbidden = Object.keys(input).find(isForbiddenKey)
  if (forbidden !== undefined) throw refusal('INVALID_MESSAGE', [{ path: forbidden, problem: 'is a forbidden key' }])
  if (!validator.Check(input)) throw refusal('INVALID_MESSAGE', explain('', validator.Errors(input)))
  return input
}

/** The form was checked: only the grammar of names is left. */
function select(message: Record<string, unknown>, limits: RequestLimits): Pick<SubscribeRequest, 'topics' | 'types' | 'filter'> {
  const selected: Pick<SubscribeRequest, 'topics' | 'types' | 'filter'> = { topics: readPatterns(message['topics'] as string[], limits) }
  if (message['types'] !== undefined) selected.types = readTypes(message['types'] as string[])
  if (message['filter'] !== undefined) selected.filter = { ...(message['filter'] as Filter) }
  return selected
}

function readPatterns(topics: readonly string[], limits: RequestLimits): string[] {
  if (topics.length > limits.maxTopics) throw refusal('INVALID_MESSAGE', [{ path: 'topics', problem: `holds more than ${limits.maxTopics}` }])
  for (const topic of topics) if (!isTopicPattern(topic)) throw notTopic(topic)
  return [...new Set(topics)]
}

/** Aliases of types are taken like their canonical names. */
function readTypes(types: readonly string[]): string[] {
  const patterns = types.map((type) => canonicalType(type) ?? type)
  patterns.forEach((pattern, index) => {
    if (!isTypePattern(pattern)) throw refusal('INVALID_MESSAGE', [{ path: `types.${index}`, problem: 'is no type or type pattern' }])
  })
  return [...new Set(patterns)]
}

/** `from` is an older name of `since`. */
function sinceOf(message: Record<string, unknown>): { since?: Since } {
  const since = message['since'] === undefined ? message['from'] : message['since']
  if (since === undefined) return {}
  parseSince(since)
  return { since: since as Since }
}

function notTopic(topic: unknown): HubError {
  return new HubError('INVALID_TOPIC', undefined, { topic: typeof topic === 'string' ? clip(topic) : typeof topic })
}
