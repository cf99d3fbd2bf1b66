/**
 * Behind a gap an event may go on with what began in the gap. A client would refuse it; so it is told the beginning again, as far as a
 * snapshot names what it belongs to. Where none does, a part of the run is lost for good.
 */
import { isChunk, type Chunk, type Chunks } from './chunks.js'
import { indexOf, type RunDocument } from './document.js'
import type { AguiEvent, AguiOf, Message } from './events.js'
import { callIn } from './fold.js'
import { stepKey, type OpenParts } from './open.js'

export interface Known {
  document: RunDocument
  open: OpenParts
  chunks: Chunks
}

/** The event with what must stand before it, or nothing where it says nothing any more; undefined: it cannot be told rightly. */
export function mended(event: AguiEvent, known: Known): AguiEvent[] | undefined {
  const before = missing(event, known)
  if (before === 'unknown') return undefined
  return before === 'leave out' ? [] : [...(before ?? []), event]
}

type Missing = AguiEvent[] | 'unknown' | 'leave out' | undefined

function missing(event: AguiEvent, known: Known): Missing {
  const { open, document, chunks } = known
  switch (event.type) {
    case 'TEXT_MESSAGE_CONTENT':
    case 'TEXT_MESSAGE_END':
      return open.texts.has(event.messageId) ? undefined : textStart(document, event.messageId)
    case 'REASONING_MESSAGE_CONTENT':
    case 'REASONING_MESSAGE_END':
      return open.reasonings.has(event.messageId) ? undefined : reasoningStart(document, event.messageId)
    case 'TOOL_CALL_ARGS':
    case 'TOOL_CALL_END':
      return open.calls.has(event.toolCallId) ? undefined : callStart(document, event.toolCallId)
    case 'ACTIVITY_DELTA':
      return open.activities.has(event.messageId) || messageIn(document, event.messageId)?.role === 'activity' ? undefined : 'unknown'
    case 'REASONING_END':
      return open.spans.has(event.messageId) ? undefined : 'leave out'
    case 'STEP_FINISHED':
      return open.steps.has(stepKey(event)) ? undefined : 'leave out'
    case 'SUBAGENT_FINISHED':
    case 'SUBAGENT_ERROR':
      return open.subagents.has(event.subagentRunId) ? undefined : 'leave out'
    case 'SUBAGENT_STARTED':
      return parentStart(event, open)
    default:
      return isChunk(event) ? missingOfChunk(event, document, chunks) : undefined
  }
}

/** A chunk with its id starts by itself; a call's needs its name, too. */
function missingOfChunk(event: Chunk, document: RunDocument, chunks: Chunks): Missing {
  if (event.type === 'TOOL_CALL_CHUNK' && event.toolCallId !== undefined && event.toolCallName === undefined && !chunks.holds('tool', event.toolCallId)) {
    const found = callIn(document, event.toolCallId)
    return found ? [{ ...startOf(found), type: 'TOOL_CALL_CHUNK' }] : 'unknown'
  }
  const id = event.type === 'TOOL_CALL_CHUNK' ? event.toolCallId : event.messageId
  // Without an id it goes on with what is being put together, of which nothing is known.
  return id === undefined && !chunks.goesOn(event) ? 'unknown' : undefined
}

function textStart(document: RunDocument, messageId: string): Missing {
  const message = messageIn(document, messageId)
  if (!message || message.role === 'activity') return 'unknown'
  const role = message.role === 'tool' || message.role === 'reasoning' ? {} : { role: message.role }
  return [{ type: 'TEXT_MESSAGE_START', messageId, ...role, ...tagOf(message) }]
}

function reasoningStart(document: RunDocument, messageId: string): Missing {
  const message = messageIn(document, messageId)
  if (!message || message.role === 'activity') return 'unknown'
  return [{ type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning', ...tagOf(message) }]
}

function callStart(document: RunDocument, toolCallId: string): Missing {
  const found = callIn(document, toolCallId)
  return found ? [startOf(found)] : 'unknown'
}

function startOf({ call, message }: NonNullable<ReturnType<typeof callIn>>): AguiOf<'TOOL_CALL_START'> {
  return { type: 'TOOL_CALL_START', toolCallId: call.id, toolCallName: call.function.name, parentMessageId: message.id, ...tagOf(message) }
}

/** A parent that began in the gap: it began and ended, as far as anybody can tell. */
function parentStart({ parentSubagentRunId: id }: AguiOf<'SUBAGENT_STARTED'>, open: OpenParts): Missing {
  if (id === undefined || open.knowsSubagent(id)) return undefined
  return [{ type: 'SUBAGENT_STARTED', subagentRunId: id, name: id }, { type: 'SUBAGENT_FINISHED', subagentRunId: id }]
}

function messageIn(document: RunDocument, id: string): Message | undefined {
  return document.messages[indexOf(document, id)]
}

function tagOf({ subagentRunId }: Message): { subagentRunId?: string } {
  return subagentRunId === undefined ? {} : { subagentRunId }
}
