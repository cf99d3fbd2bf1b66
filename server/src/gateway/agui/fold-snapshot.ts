/**
 * MESSAGES_SNAPSHOT: what it names is so, what it leaves out is gone. But for activities and reasoning, which many producers only ever
 * stream: those that a snapshot says nothing of stay, unless it names others of their kind.
 */
import type { RunDocument } from './document.js'
import type { AguiOf, Message } from './events.js'

/** Where `@ag-ui/client` looks for the types of activities that a snapshot names completely: a list, null for all. */
const HISTORY = '@ag-ui/client'

export function replaceMessages(document: RunDocument, event: AguiOf<'MESSAGES_SNAPSHOT'>): RunDocument {
  const told = new Map(event.messages.map((message) => [message.id, message]))
  const complete = completeActivities(event)
  const hasReasoning = event.messages.some(({ role }) => role === 'reasoning')
  const stays = (message: Message) => (message.role === 'activity' ? !complete(message.activityType) : message.role === 'reasoning' && !hasReasoning)
  const kept = document.messages.filter((message) => told.has(message.id) || stays(message)).map((message) => told.get(message.id) ?? message)
  const there = new Set(kept.map(({ id }) => id))
  return { ...document, messages: [...kept, ...event.messages.filter(({ id }) => !there.has(id))] }
}

function completeActivities(event: AguiOf<'MESSAGES_SNAPSHOT'>): (activityType: string) => boolean {
  const hasActivity = event.messages.some(({ role }) => role === 'activity')
  const inferred = () => hasActivity
  if (!event.metadata || !Object.hasOwn(event.metadata, HISTORY)) return inferred
  const declared = event.metadata[HISTORY]
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) return () => false
  if (!Object.hasOwn(declared, 'authoritativeActivityTypes')) return inferred
  const types = (declared as Record<string, unknown>)['authoritativeActivityTypes']
  if (types === null) return () => true
  if (!Array.isArray(types) || !types.every((type) => typeof type === 'string')) return () => false
  return (activityType) => types.includes(activityType)
}
