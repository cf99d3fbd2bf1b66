/**
 * AG-UI events, carried verbatim as `data` under `agui.` + the lower-cased AG-UI type. Declared here rather than taken
 * from `@ag-ui/core/schemas`: those validate at a third of the speed, fill in defaults (which would alter what is to be carried
 * verbatim) and need a validator library of their own. A test compares these with the package's types and list of events.
 */
import type { EventType } from '@ag-ui/core'
import { Type, type TProperties } from 'typebox'
import { Content, Json, Message, metadata, Open, opt, Patch, Present, RunInput, RunOutcome, Str, SubagentOutcome, Usage } from './agui-parts.js'
import { type Fact, fact } from './fact.js'
import { Id } from './scalars.js'

/** Most AG-UI events name no run: then `metadata.runId` of the envelope does, or the producer's own topics. */
const TOPICS = ['run:{runId}', 'thread:{threadId}', 'agent:{agentId}', 'task:{taskId}'] as const

const base = { timestamp: opt(Type.Integer()), rawEvent: Present, ...metadata }
const sub = { subagentRunId: opt(Str) }
const run = { threadId: Id, runId: Id }

function agui<T extends `${EventType}`, P extends TProperties>(type: T, about: string, fields: P) {
  return fact(about, TOPICS, Type.Object({ type: Type.Literal(type), ...base, ...fields }))
}

export const AGUI_FACTS = {
  'agui.text_message_start': agui('TEXT_MESSAGE_START', 'A message begins.', {
    ...sub, messageId: Str, role: opt(Type.Enum(['developer', 'system', 'assistant', 'user'])), name: opt(Str),
  }),
  'agui.text_message_content': agui('TEXT_MESSAGE_CONTENT', 'More of a message.', { ...sub, messageId: Str, delta: Str }),
  'agui.text_message_end': agui('TEXT_MESSAGE_END', 'A message ends.', { ...sub, messageId: Str }),
  'agui.text_message_chunk': agui('TEXT_MESSAGE_CHUNK', 'Start, content and end in one.', {
    ...sub, messageId: opt(Str), role: opt(Type.Enum(['developer', 'system', 'assistant', 'user'])), delta: opt(Str), name: opt(Str),
  }),
  'agui.tool_call_start': agui('TOOL_CALL_START', 'A tool call begins.', { ...sub, toolCallId: Str, toolCallName: Str, parentMessageId: opt(Str) }),
  'agui.tool_call_args': agui('TOOL_CALL_ARGS', 'More of a tool call\'s arguments.', { ...sub, toolCallId: Str, delta: Str }),
  'agui.tool_call_end': agui('TOOL_CALL_END', 'A tool call\'s arguments are complete.', { ...sub, toolCallId: Str }),
  'agui.tool_call_chunk': agui('TOOL_CALL_CHUNK', 'Start, arguments and end in one.', {
    ...sub, toolCallId: opt(Str), toolCallName: opt(Str), parentMessageId: opt(Str), delta: opt(Str),
  }),
  'agui.tool_call_result': agui('TOOL_CALL_RESULT', 'What a tool returned.', {
    ...sub, messageId: Str, toolCallId: Str, content: Content, role: opt(Type.Literal('tool')),
  }),
  'agui.state_snapshot': agui('STATE_SNAPSHOT', 'The whole state.', { ...sub, snapshot: Json }),
  'agui.state_delta': agui('STATE_DELTA', 'A change of the state.', { ...sub, delta: Patch }),
  'agui.messages_snapshot': agui('MESSAGES_SNAPSHOT', 'All messages.', { messages: Type.Array(Message) }),
  'agui.activity_snapshot': agui('ACTIVITY_SNAPSHOT', 'The whole of an activity.', {
    ...sub, messageId: Str, activityType: Str, content: Open, replace: opt(Type.Boolean()),
  }),
  'agui.activity_delta': agui('ACTIVITY_DELTA', 'A change of an activity.', { ...sub, messageId: Str, activityType: Str, patch: Patch }),
  'agui.raw': agui('RAW', 'An event of another system.', { ...sub, event: Json, source: opt(Str) }),
  'agui.custom': agui('CUSTOM', 'An application\'s own event.', { ...sub, name: Str, value: Json }),
  'agui.run_started': agui('RUN_STARTED', 'A run begins.', { ...run, protocolVersion: opt(Str), parentRunId: opt(Str), input: opt(RunInput) }),
  'agui.run_finished': agui('RUN_FINISHED', 'A run ends.', { ...run, result: Present, outcome: opt(RunOutcome), usage: opt(Usage) }),
  'agui.run_error': agui('RUN_ERROR', 'A run failed.', { message: Str, code: opt(Str), usage: opt(Usage) }),
  'agui.step_started': agui('STEP_STARTED', 'A step begins.', { ...sub, stepName: Str }),
  'agui.step_finished': agui('STEP_FINISHED', 'A step ends.', { ...sub, stepName: Str }),
  'agui.reasoning_start': agui('REASONING_START', 'Reasoning begins.', { ...sub, messageId: Str }),
  'agui.reasoning_message_start': agui('REASONING_MESSAGE_START', 'A reasoning message begins.', { ...sub, messageId: Str, role: Type.Literal('reasoning') }),
  'agui.reasoning_message_content': agui('REASONING_MESSAGE_CONTENT', 'More of a reasoning message.', { ...sub, messageId: Str, delta: Str }),
  'agui.reasoning_message_end': agui('REASONING_MESSAGE_END', 'A reasoning message ends.', { ...sub, messageId: Str }),
  'agui.reasoning_message_chunk': agui('REASONING_MESSAGE_CHUNK', 'Start, content and end in one.', { ...sub, messageId: opt(Str), delta: opt(Str) }),
  'agui.reasoning_end': agui('REASONING_END', 'Reasoning ends.', { ...sub, messageId: Str }),
  'agui.reasoning_encrypted_value': agui('REASONING_ENCRYPTED_VALUE', 'Reasoning that only the provider can read.', {
    ...sub, subtype: Type.Enum(['tool-call', 'message']), entityId: Str, encryptedValue: Str,
  }),
  'agui.subagent_started': agui('SUBAGENT_STARTED', 'A subagent begins.', {
    subagentRunId: Str, name: Str, description: opt(Str), parentSubagentRunId: opt(Str), parentToolCallId: opt(Str), parentMessageId: opt(Str),
  }),
  'agui.subagent_finished': agui('SUBAGENT_FINISHED', 'A subagent ends.', { subagentRunId: Str, result: Present, outcome: opt(SubagentOutcome) }),
  'agui.subagent_error': agui('SUBAGENT_ERROR', 'A subagent failed.', { subagentRunId: Str, message: Str, code: opt(Str) }),
} satisfies Record<`agui.${Lowercase<`${EventType}`>}`, Fact>

/** State, messages and activities come whole: they may be larger than other events. */
export function isSnapshot(type: string): boolean {
  return type.startsWith('agui.') && type.endsWith('_snapshot')
}
