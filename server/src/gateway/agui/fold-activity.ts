/** Activities: messages with structured content, told whole or by patches. */
import { applyPatch, PatchFailed } from '@hubbub/protocol'
import { indexOf, replaced, withMetadata, type RunDocument } from './document.js'
import type { AguiOf, MessageOf } from './events.js'

type Activity = MessageOf<'activity'>

export function foldActivitySnapshot(document: RunDocument, event: AguiOf<'ACTIVITY_SNAPSHOT'>): RunDocument {
  const { messageId: id, activityType, content, replace = true, subagentRunId } = event
  const place = indexOf(document, id)
  const existing = document.messages[place]
  const fresh: Activity = { id, role: 'activity', activityType, content, ...(subagentRunId !== undefined && { subagentRunId }) }
  if (!existing) return { ...document, messages: [...document.messages, withMetadata(fresh, event)] }
  // Content and owner are told anew; metadata goes on growing.
  if (existing.role === 'activity') return replaced(document, place, withMetadata(replace ? { ...fresh, ...(existing.metadata && { metadata: existing.metadata }) } : existing, event))
  return replace ? replaced(document, place, withMetadata(fresh, event)) : document
}

export function foldActivityDelta(document: RunDocument, event: AguiOf<'ACTIVITY_DELTA'>): RunDocument {
  const place = indexOf(document, event.messageId)
  const existing = document.messages[place]
  if (existing?.role !== 'activity') return document
  // Metadata does not depend on the patch.
  const noted = withMetadata(existing, event)
  try {
    return replaced(document, place, { ...noted, activityType: event.activityType, content: applyPatch(existing.content, event.patch) as Activity['content'] })
  } catch (error) {
    if (error instanceof PatchFailed) return replaced(document, place, noted)
    throw error
  }
}
