/**
 * The operations' messages as they come off the wire: checked, their aliases settled, and nothing else in them. `messages.ts` has the
 * same shapes for TypeScript; a change belongs into both.
 */
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { canonicalCommand, canonicalType } from './aliases.js'
import { clip, explain, refusal } from './catalogue/problems.js'
import { Count, Id } from './catalogue/scalars.js'
import { HubError } from './failures.js'
import type { AgentRegistration, BroadcastRequest, CommandAnswer, CommandRequest, Filter, HandleRequest, HistoryRequest, PresenceRequest, SignalRequest, Since, SnapshotRequest, SubscribeRequest, UnsubscribeRequest } from './messages.js'
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

const SIGNAL_NAME = '^[A-Za-z][A-Za-z0-9_.:-]{0,63}$'
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

/** Longest `batchMs`, ms. */
const LONGEST_BATCH_MS = 60_000
const SUBSCRIBE = Compile(Type.Object({
  ...selection,
  snapshot: Type.Optional(Type.Boolean()),
  batchMs: Type.Optional(Type.Integer({ minimum: 0, maximum: LONGEST_BATCH_MS })),
  latestOnly: Type.Optional(Type.Boolean()),
}))
const SNAPSHOT = Compile(Type.Object({
  topics: Topics,
  after: Type.Optional(Type.String({ maxLength: 2000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
}))
const UNSUBSCRIBE = Compile(Type.Object({ subscriptionId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })), topics: Type.Optional(Topics) }))
const SIGNAL = Compile(Type.Object({ topic: Type.String(), name: Type.String({ pattern: SIGNAL_NAME }) }))
const HISTORY = Compile(Type.Object({
  ...selection,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  wait: Type.Optional(Type.Number({ minimum: 0, maximum: 60 })),
}))

/** Commands that a connection may handle. */
const MAX_HANDLED = 100
const MAX_FILTERED = 100
const COMMAND = Compile(Type.Object({ command: Type.String(), timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })) }))
const HANDLE = Compile(Type.Object({ commands: Type.Array(Type.String(), { maxItems: MAX_HANDLED }) }))
const ANSWER = Compile(Type.Union([
  Type.Object({ ok: Type.Literal(true) }),
  Type.Object({ ok: Type.Literal(false), error: Type.Object({ code: Type.Optional(Type.String()), message: Type.String() }) }),
]))
const Filtered = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: MAX_FILTERED }))
const BROADCAST = Compile(Type.Object({
  name: Type.String({ pattern: SIGNAL_NAME }),
  to: Type.Optional(Type.Object(
    { agentTypes: Filtered, capabilities: Filtered, pipelineId: Type.Optional(Id), stage: Type.Optional(Count) },
    // A misspelt filter would reach everybody.
    { additionalProperties: false },
  )),
  exceptConnection: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
}))

const MAX_CAPABILITIES = 100
const REGISTRATION = Compile(Type.Object({
  agentId: Type.Optional(Id),
  agentType: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  capabilities: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: MAX_CAPABILITIES })),
  maxTasks: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
}))
const PRESENCE = Compile(Type.Object({ topic: Type.String(), watch: Type.Optional(Type.Boolean()) }))

/** For the documents: what validates. Names of topics, types and commands, `since`, and what is inside `data` and `payload`, are checked behind it. */
export const MESSAGE_REQUESTS = {
  subscribe: SUBSCRIBE.Type(), unsubscribe: UNSUBSCRIBE.Type(), snapshot: SNAPSHOT.Type(), history: HISTORY.Type(), signal: SIGNAL.Type(), command: COMMAND.Type(),
  'command.handle': HANDLE.Type(), 'command.answer': ANSWER.Type(), broadcast: BROADCAST.Type(), 'agent.register': REGISTRATION.Type(), presence: PRESENCE.Type(),
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC (`details.topic`), INVALID_CURSOR */
export function checkSubscribe(input: unknown, limits: RequestLimits): SubscribeRequest {
  const message = form(SUBSCRIBE, input)
  const request: SubscribeRequest = { ...select(message, limits), ...sinceOf(message) }
  if (typeof message['batchMs'] === 'number') request.batchMs = message['batchMs']
  if (message['latestOnly'] === true) request.latestOnly = true
  if (message['snapshot'] !== true) return request
  // A snapshot says itself where the events behind it begin.
  if (request.since !== undefined) throw refusal('INVALID_MESSAGE', [{ path: 'snapshot', problem: 'goes without since' }])
  return { ...request, snapshot: true }
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC */
export function checkSnapshot(input: unknown, limits: RequestLimits): SnapshotRequest {
  const { topics, after, limit } = form(SNAPSHOT, input)
  const request: SnapshotRequest = { topics: readPatterns(topics as string[], limits) }
  if (typeof after === 'string') request.after = after
  if (typeof limit === 'number') request.limit = limit
  return request
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

/** The command under its canonical name. @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkCommand(input: unknown, limits: SignalLimits): CommandRequest {
  const { command, payload, timeoutMs } = form(COMMAND, input)
  const request: CommandRequest = { command: readCommand(command as string, 'command') }
  if (payload !== undefined) {
    weigh(payload, { maxBytes: limits.maxEventBytes, maxDepth: limits.maxDepth }, 'payload')
    request.payload = payload
  }
  if (typeof timeoutMs === 'number') request.timeoutMs = timeoutMs
  return request
}

/** The commands under their canonical names, each once. @throws HubError INVALID_MESSAGE */
export function checkHandle(input: unknown): HandleRequest {
  const { commands } = form(HANDLE, input)
  return { commands: [...new Set((commands as string[]).map((name, index) => readCommand(name, `commands.${index}`)))] }
}

/** What an executor answered, and nothing else in it. @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkCommandAnswer(input: unknown, limits: SignalLimits): CommandAnswer {
  const answer = form(ANSWER, input) as unknown as CommandAnswer
  if (!answer.ok) {
    const { code, message } = answer.error
    return { ok: false, error: { ...(code !== undefined && { code: clip(code) }), message: message.slice(0, 2000) } }
  }
  const { result = null } = answer
  weigh(result, { maxBytes: limits.maxEventBytes, maxDepth: limits.maxDepth }, 'result')
  return { ok: true, result }
}

/** @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkBroadcast(input: unknown, limits: SignalLimits): BroadcastRequest {
  const { name, data, to, exceptConnection } = form(BROADCAST, input)
  const request: BroadcastRequest = { name: name as string }
  if (data !== undefined) {
    weigh(data, { maxBytes: limits.maxEventBytes, maxDepth: limits.maxDepth })
    request.data = data
  }
  if (to !== undefined) request.to = { ...(to as NonNullable<BroadcastRequest['to']>) }
  if (request.to?.stage !== undefined && request.to.pipelineId === undefined) throw refusal('INVALID_MESSAGE', [{ path: 'to.stage', problem: 'needs a pipelineId' }])
  if (typeof exceptConnection === 'string') request.exceptConnection = exceptConnection
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

/** Also under the names `agent_id`, `agent_type` and `max_tasks`. @throws HubError INVALID_MESSAGE */
export function checkRegistration(input: unknown): AgentRegistration {
  const message = isPlainObject(input) ? { ...input } : input
  if (isPlainObject(message)) {
    for (const [name, other] of [['agentId', 'agent_id'], ['agentType', 'agent_type'], ['maxTasks', 'max_tasks']] as const) message[name] ??= message[other]
  }
  const { agentId, agentType, capabilities, maxTasks } = form(REGISTRATION, message)
  const registration: AgentRegistration = {}
  if (typeof agentId === 'string') registration.agentId = agentId
  if (typeof agentType === 'string') registration.agentType = agentType
  if (Array.isArray(capabilities)) registration.capabilities = [...new Set(capabilities as string[])]
  if (typeof maxTasks === 'number') registration.maxTasks = maxTasks
  return registration
}

/** @throws HubError INVALID_MESSAGE, INVALID_TOPIC: a mailbox has no watchers */
export function checkPresence(input: unknown): Required<PresenceRequest> {
  const { topic, watch = true } = form(PRESENCE, input)
  if (!isTopic(topic) || topic.startsWith('inbox:')) throw notTopic(topic)
  return { topic, watch: watch as boolean }
}

/** @throws HubError INVALID_MESSAGE */
export function form(validator: { Check(value: unknown): boolean; Errors(value: unknown): Parameters<typeof explain>[1] }, input: unknown) {
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

function readCommand(name: string, path: string): string {
  const canonical = canonicalCommand(name)
  if (!isTypePattern(canonical) || canonical.endsWith('*')) throw refusal('INVALID_MESSAGE', [{ path, problem: 'is no name of a command: words of a-z, 0-9 and _, joined by dots' }])
  return canonical
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
