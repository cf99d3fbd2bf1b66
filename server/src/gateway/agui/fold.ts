/**
 * What a run's events make of its messages and its state: the same that AG-UI's own client makes of them, event by event (a test compares
 * both). Pure: a document is never changed, and what an event does not touch is shared. Chunks are expanded before (`chunks.ts`).
 */
import { applyPatch, PatchFailed } from '@hubbub/protocol'
import type { AguiEvent, AguiName, AguiOf, Message, MessageOf, ToolCall } from './events.js'
import { foldActivityDelta, foldActivitySnapshot } from './fold-activity.js'
import { replaceMessages } from './fold-snapshot.js'
import { indexOf, replaced, withMetadata, type RunDocument } from './document.js'

type Folds = { [T in AguiName]?: (document: RunDocument, event: AguiOf<T>) => RunDocument }

const FOLDS: Folds = {
  RUN_STARTED: (document, { input }) => {
    const known = new Set(document.messages.map(({ id }) => id))
    const fresh = (input?.messages ?? []).filter(({ id }) => !known.has(id) && known.add(id))
    return fresh.length === 0 ? document : { ...document, messages: [...document.messages, ...fresh] }
  },
  TEXT_MESSAGE_START: (document, event) => {
    const { messageId: id, role = 'assistant', name, subagentRunId } = event
    return started(document, event, { id, role, content: '', ...(name !== undefined && { name }), ...(subagentRunId !== undefined && { subagentRunId }) })
  },
  REASONING_MESSAGE_START: (document, event) => {
    const { messageId: id, subagentRunId } = event
    return started(document, event, { id, role: 'reasoning', content: '', ...(subagentRunId !== undefined && { subagentRunId }) })
  },
  TEXT_MESSAGE_CONTENT: continued,
  REASONING_MESSAGE_CONTENT: continued,
  TEXT_MESSAGE_END: continued,
  REASONING_MESSAGE_END: continued,
  TOOL_CALL_START: startCall,
  TOOL_CALL_ARGS: (document, event) =>
    changeCall(document, event.toolCallId, (call) => withMetadata({ ...call, function: { ...call.function, arguments: call.function.arguments + event.delta } }, event)),
  TOOL_CALL_END: (document, event) => changeCall(document, event.toolCallId, (call) => withMetadata(call, event)),
  TOOL_CALL_RESULT: insertResult,
  STATE_SNAPSHOT: (document, { snapshot }) => ({ ...document, state: snapshot, isStateTold: true }),
  STATE_DELTA: (document, { delta }) => {
    try {
      return { ...document, state: applyPatch(document.state, delta), isStateTold: true }
    } catch (error) {
      // A client warns and goes on with the state as it was.
      if (error instanceof PatchFailed) return document
      throw error
    }
  },
  MESSAGES_SNAPSHOT: replaceMessages,
  ACTIVITY_SNAPSHOT: foldActivitySnapshot,
  ACTIVITY_DELTA: foldActivityDelta,
  REASONING_ENCRYPTED_VALUE: (document, { subtype, entityId, encryptedValue }) => {
    if (subtype === 'tool-call') return changeCall(document, entityId, (call) => ({ ...call, encryptedValue }))
    const place = indexOf(document, entityId)
    const message = document.messages[place]
    return !message || message.role === 'activity' ? document : replaced(document, place, { ...message, encryptedValue })
  },
}

export function fold(document: RunDocument, event: AguiEvent): RunDocument {
  const reduce = FOLDS[event.type] as ((document: RunDocument, event: AguiEvent) => RunDocument) | undefined
  return reduce ? reduce(document, event) : document
}

/** The message that has the call; the first, should there be several. */
export function callIn(document: RunDocument, toolCallId: string): { place: number; message: MessageOf<'assistant'>; call: ToolCall } | undefined {
  for (const [place, message] of document.messages.entries()) {
    const call = message.role === 'assistant' ? message.toolCalls?.find(({ id }) => id === toolCallId) : undefined
    if (call) return { place, message: message as MessageOf<'assistant'>, call }
  }
  return undefined
}

/** One that is there already goes on: a tool call may have made it, or it starts again. */
function started(document: RunDocument, event: AguiEvent, message: Message): RunDocument {
  const place = indexOf(document, message.id)
  const existing = document.messages[place]
  if (!existing) return { ...document, messages: [...document.messages, withMetadata(message, event)] }
  return existing.role === 'activity' ? document : replaced(document, place, withMetadata(existing, event))
}

function continued(document: RunDocument, event: AguiOf<'TEXT_MESSAGE_CONTENT' | 'REASONING_MESSAGE_CONTENT' | 'TEXT_MESSAGE_END' | 'REASONING_MESSAGE_END'>): RunDocument {
  const place = indexOf(document, event.messageId)
  const message = document.messages[place]
  if (!message || message.role === 'activity') return document
  if (!('delta' in event)) return replaced(document, place, withMetadata(message, event))
  const content = (typeof message.content === 'string' ? message.content : '') + event.delta
  return replaced(document, place, withMetadata({ ...message, content }, event))
}

function startCall(document: RunDocument, event: AguiOf<'TOOL_CALL_START'>): RunDocument {
  const { toolCallId: id, toolCallName: name, parentMessageId, subagentRunId } = event
  if (callIn(document, id)) return changeCall(document, id, (call) => withMetadata({ ...call, function: { ...call.function, name } }, event))
  const call = withMetadata<ToolCall>({ id, type: 'function', function: { name, arguments: '' } }, event)
  const place = parentMessageId === undefined ? -1 : indexOf(document, parentMessageId)
  const parent = document.messages[place]
  if (parent?.role === 'assistant') return replaced(document, place, { ...parent, toolCalls: [...(parent.toolCalls ?? []), call] })
  // Without a parent, or with one that can hold no calls, the message gets the call's own id.
  const own = parentMessageId === undefined || parent ? id : parentMessageId
  const message: Message = { id: own, role: 'assistant', toolCalls: [call], ...(subagentRunId !== undefined && indexOf(document, own) < 0 && { subagentRunId }) }
  return { ...document, messages: [...document.messages, message] }
}

function changeCall(document: RunDocument, toolCallId: string, change: (call: ToolCall) => ToolCall): RunDocument {
  const found = callIn(document, toolCallId)
  if (!found) return document
  const { place, message, call } = found
  return replaced(document, place, { ...message, toolCalls: message.toolCalls!.map((each) => (each === call ? change(call) : each)) })
}

/** Behind the results that its call's message has already. */
function insertResult(document: RunDocument, event: AguiOf<'TOOL_CALL_RESULT'>): RunDocument {
  const { messageId: id, toolCallId, content, subagentRunId } = event
  const message = withMetadata<Message>({ id, toolCallId, role: 'tool', content, ...(subagentRunId !== undefined && { subagentRunId }) }, event)
  const { messages } = document
  const owner = callIn(document, toolCallId)
  if (!owner) return { ...document, messages: [...messages, message] }
  let place = owner.place + 1
  while (messages[place]?.role === 'tool') place++
  return { ...document, messages: messages.toSpliced(place, 0, message) }
}
