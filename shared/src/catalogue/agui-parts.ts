/**
 * Parts of AG-UI events: messages, content, patches, outcomes, as `@ag-ui/core` 1.0 defines them. Everything is open:
 * unknown fields pass. Optional fields may be absent, never null: a null optional is fatal to AG-UI clients.
 */
import { Type, type TSchema } from 'typebox'

export const opt = Type.Optional
export const Str = Type.String()
/** A required field that holds any JSON value, null included. */
export const Json = Type.Unknown()
/** An optional field that holds any JSON value but null. */
export const Present = opt(Type.Unsafe<unknown>({ not: { type: 'null' } }))
export const Open = Type.Record(Type.String(), Type.Unknown())
export const metadata = { metadata: opt(Open) }
const Tokens = opt(Type.Integer({ minimum: 0 }))

export function variants<S extends TSchema[]>(...schemas: [...S]) {
  return Type.Union(schemas)
}

// ---------------------------------------------------------------- content

const Source = variants(
  Type.Object({ type: Type.Literal('data'), value: Str, mimeType: Str }),
  Type.Object({ type: Type.Literal('url'), value: Str, mimeType: opt(Str) }),
  Type.Object({ type: Type.Literal('file'), value: Str, provider: opt(Str), mimeType: opt(Str) }),
)

const Part = variants(
  Type.Object({ type: Type.Literal('text'), id: opt(Str), text: Str, metadata: Present }),
  Type.Object({ type: Type.Literal('image'), id: opt(Str), source: Source, metadata: Present }),
  Type.Object({ type: Type.Literal('audio'), id: opt(Str), source: Source, metadata: Present }),
  Type.Object({ type: Type.Literal('video'), id: opt(Str), source: Source, metadata: Present }),
  Type.Object({ type: Type.Literal('document'), id: opt(Str), source: Source, metadata: Present }),
)

export const Content = variants(Str, Type.Array(Part))

// ---------------------------------------------------------------- messages

const Call = Type.Object({
  id: Str, type: Type.Literal('function'), function: Type.Object({ name: Str, arguments: Str }), encryptedValue: opt(Str), ...metadata,
})

const said = { id: Str, subagentRunId: opt(Str), encryptedValue: opt(Str), ...metadata }

export const Message = variants(
  Type.Object({ role: Type.Literal('developer'), ...said, name: opt(Str), content: Str }),
  Type.Object({ role: Type.Literal('system'), ...said, name: opt(Str), content: Str }),
  Type.Object({ role: Type.Literal('assistant'), ...said, name: opt(Str), content: opt(Str), toolCalls: opt(Type.Array(Call)) }),
  Type.Object({ role: Type.Literal('user'), ...said, name: opt(Str), content: Content }),
  Type.Object({ role: Type.Literal('tool'), ...said, content: Content, toolCallId: Str, error: opt(Str) }),
  Type.Object({ role: Type.Literal('activity'), id: Str, subagentRunId: opt(Str), activityType: Str, content: Open, ...metadata }),
  Type.Object({ role: Type.Literal('reasoning'), ...said, content: Str }),
)

// ---------------------------------------------------------------- JSON Patch

const Pointer = Type.String({ pattern: '^(/([^/~]|~[01])*)*$' })

export const Patch = Type.Array(variants(
  Type.Object({ op: Type.Literal('add'), path: Pointer, value: Json }),
  Type.Object({ op: Type.Literal('remove'), path: Pointer }),
  Type.Object({ op: Type.Literal('replace'), path: Pointer, value: Json }),
  Type.Object({ op: Type.Literal('move'), from: Pointer, path: Pointer }),
  Type.Object({ op: Type.Literal('copy'), from: Pointer, path: Pointer }),
  Type.Object({ op: Type.Literal('test'), path: Pointer, value: Json }),
))

// ---------------------------------------------------------------- runs

const Tool = Type.Object({ name: Str, description: Str, parameters: Present, ...metadata })
const Resume = Type.Object({ interruptId: Str, status: Type.Enum(['resolved', 'cancelled']), payload: Present, ...metadata })

export const RunInput = Type.Object({
  threadId: Str, runId: Str, protocolVersion: opt(Str), parentRunId: opt(Str), state: opt(Type.Unknown()), messages: Type.Array(Message),
  tools: opt(Type.Array(Tool)), context: opt(Type.Array(Type.Object({ description: Str, value: Str }))), forwardedProps: Present,
  resume: opt(Type.Array(Resume)),
})

const Interrupt = Type.Object({
  id: Str, reason: Str, subagentRunId: opt(Str), message: opt(Str), toolCallId: opt(Str), responseSchema: opt(Open), expiresAt: opt(Str), ...metadata,
})

export const RunOutcome = variants(
  Type.Object({ type: Type.Literal('success'), pendingToolCallIds: opt(Type.Array(Str)) }),
  Type.Object({ type: Type.Literal('interrupt'), interrupts: Type.Array(Interrupt, { minItems: 1 }) }),
  Type.Object({ type: Type.Literal('cancelled') }),
)

export const SubagentOutcome = variants(
  Type.Object({ type: Type.Literal('success') }),
  Type.Object({ type: Type.Literal('suspended'), interruptIds: opt(Type.Array(Str)) }),
)

export const Usage = Type.Array(Type.Object({
  provider: opt(Str), model: opt(Str), inputTokens: Tokens, outputTokens: Tokens, totalTokens: Tokens, reasoningTokens: Tokens,
  cachedInputTokens: Tokens, cacheWriteInputTokens: Tokens,
}))
