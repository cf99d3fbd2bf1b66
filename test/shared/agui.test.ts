import { EventType, type Event } from '@ag-ui/core'
import type { EventMap } from '@hubbub/protocol'
import { CATALOGUE, normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { LIMITS } from './limits.js'

/** One of each, with every optional field. */
const base = { timestamp: 1_763_700_000_000, rawEvent: { any: [null] }, metadata: { 'ag-ui': null } }
const sub = { ...base, subagentRunId: 'sub-1' }
const part = { type: 'text', id: 'p', text: 'x', metadata: { a: 1 } } as const
const patch = [{ op: 'add', path: '/a/~0b', value: null }, { op: 'remove', path: '' }, { op: 'replace', path: '/a', value: 1 }, { op: 'move', from: '/a', path: '/b' },
  { op: 'copy', from: '/a', path: '/b' }, { op: 'test', path: '/a', value: {} }] as const
const messages = [
  { id: '1', role: 'developer', content: 'x', name: 'n' }, { id: '2', role: 'system', content: 'x' }, { id: '3', role: 'assistant', toolCalls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
  { id: '4', role: 'user', content: [part, { type: 'image', source: { type: 'url', value: 'https://x' } }, { type: 'audio', source: { type: 'data', value: 'AA', mimeType: 'audio/ogg' } },
    { type: 'video', source: { type: 'file', value: 'f', provider: 'p' } }, { type: 'document', source: { type: 'url', value: 'x', mimeType: 'a/b' } }] },
  { id: '5', role: 'tool', content: 'x', toolCallId: 'c', error: 'e' }, { id: '6', role: 'activity', activityType: 'a', content: { a: 1 } }, { id: '7', role: 'reasoning', content: 'x', encryptedValue: 'e' },
] as const
const usage = [{ provider: 'p', model: 'm', inputTokens: 1, outputTokens: 0, totalTokens: 1, reasoningTokens: 0, cachedInputTokens: 0, cacheWriteInputTokens: 0 }]
const input = { threadId: 't', runId: 'r', state: null, messages, tools: [{ name: 'f', description: 'd', parameters: {} }], context: [{ description: 'd', value: 'v' }],
  forwardedProps: { x: 1 }, resume: [{ interruptId: 'i', status: 'resolved', payload: 1 }] }

const examples: Record<`${EventType}`, Record<string, unknown>> = {
  TEXT_MESSAGE_START: { ...sub, messageId: 'm', role: 'assistant', name: 'n' },
  TEXT_MESSAGE_CONTENT: { ...sub, messageId: 'm', delta: '' },
  TEXT_MESSAGE_END: { ...sub, messageId: 'm' },
  TEXT_MESSAGE_CHUNK: { ...sub, messageId: 'm', role: 'user', delta: 'x', name: 'n' },
  TOOL_CALL_START: { ...sub, toolCallId: 'c', toolCallName: 'f', parentMessageId: 'm' },
  TOOL_CALL_ARGS: { ...sub, toolCallId: 'c', delta: '{"a' },
  TOOL_CALL_END: { ...sub, toolCallId: 'c' },
  TOOL_CALL_CHUNK: { ...sub, toolCallId: 'c', toolCallName: 'f', parentMessageId: 'm', delta: 'x' },
  TOOL_CALL_RESULT: { ...sub, messageId: 'm', toolCallId: 'c', content: [part], role: 'tool' },
  STATE_SNAPSHOT: { ...sub, snapshot: null },
  STATE_DELTA: { ...sub, delta: patch },
  MESSAGES_SNAPSHOT: { ...base, messages },
  ACTIVITY_SNAPSHOT: { ...sub, messageId: 'm', activityType: 'a', content: { a: null }, replace: false },
  ACTIVITY_DELTA: { ...sub, messageId: 'm', activityType: 'a', patch },
  RAW: { ...sub, event: null, source: 's' },
  CUSTOM: { ...sub, name: 'n', value: null },
  RUN_STARTED: { ...base, threadId: 't', runId: 'r', protocolVersion: '1.0', parentRunId: 'p', input },
  RUN_FINISHED: { ...base, threadId: 't', runId: 'r', result: 0, outcome: { type: 'interrupt', interrupts: [{ id: 'i', reason: 'r', responseSchema: {} }] }, usage },
  RUN_ERROR: { ...base, message: 'm', code: 'c', usage },
  STEP_STARTED: { ...sub, stepName: 's' },
  STEP_FINISHED: { ...sub, stepName: 's' },
  REASONING_START: { ...sub, messageId: 'm' },
  REASONING_MESSAGE_START: { ...sub, messageId: 'm', role: 'reasoning' },
  REASONING_MESSAGE_CONTENT: { ...sub, messageId: 'm', delta: 'x' },
  REASONING_MESSAGE_END: { ...sub, messageId: 'm' },
  REASONING_MESSAGE_CHUNK: { ...sub, messageId: 'm', delta: 'x' },
  REASONING_END: { ...sub, messageId: 'm' },
  REASONING_ENCRYPTED_VALUE: { ...sub, subtype: 'tool-call', entityId: 'c', encryptedValue: 'x' },
  SUBAGENT_STARTED: { ...sub, name: 'n', description: 'd', parentSubagentRunId: 's', parentToolCallId: 'c', parentMessageId: 'm' },
  SUBAGENT_FINISHED: { ...sub, result: [], outcome: { type: 'suspended', interruptIds: ['i'] } },
  SUBAGENT_ERROR: { ...sub, message: 'm', code: 'c' },
}

/**
 * The package's type of an event, and ours: each must take the other's, apart from the enum that `type` is there, and from a run's `input`,
 * in which the package's types want the lists that its schemas let a producer leave out.
 */
type Theirs = { [E in Event as `agui.${Lowercase<`${E['type']}`>}`]: Omit<E, 'type' | 'input'> }
type Ours = { [K in keyof EventMap as K extends `agui.${string}` ? K : never]: Omit<EventMap[K], 'type' | 'input'> }
type Differ = { [K in keyof Theirs]: Theirs[K] extends Ours[K] ? (Ours[K] extends Theirs[K] ? never : K) : K }[keyof Theirs]

describe('AG-UI events', () => {
  it('have the package\'s types', () => {
    // Does not compile when they differ, and then names the types that do.
    const same: [Differ] extends [never] ? true : Differ = true
    expect(same).toBe(true)
  })

  it('are all there, and no others', () => {
    expect(CATALOGUE.filter((entry) => entry.family === 'agui').map((entry) => entry.type).sort())
      .toEqual(Object.values(EventType).map((type) => `agui.${type.toLowerCase()}`).sort())
  })

  it.each(Object.entries(examples))('%s passes untouched, unknown fields and all', (type, fields) => {
    const data = { type, ...fields, unknown_field: { created_at: null } }
    const event = normalise({ type: `agui.${type.toLowerCase()}`, data, metadata: { runId: 'r' } }, LIMITS)
    expect(event.data).toBe(data)
    expect(routeTopics(event)).toContain('run:r')
  })

  it.each(Object.entries(examples))('%s is refused with a field of another type', (type, fields) => {
    for (const [field, value] of Object.entries(fields)) {
      // These hold any JSON.
      if (['rawEvent', 'snapshot', 'event', 'value', 'result', 'metadata'].includes(field)) continue
      const data = { type, ...fields, [field]: typeof value === 'number' ? 'x' : 7.5 }
      expect(() => normalise({ type: `agui.${type.toLowerCase()}`, data }, LIMITS)).toThrow(`data.${field}`)
    }
  })
})
