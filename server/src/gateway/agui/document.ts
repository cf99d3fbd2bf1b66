/** A run's messages and state at one moment. */
import type { AguiEvent, Message } from './events.js'

export interface RunDocument {
  readonly messages: readonly Message[]
  readonly state: unknown
  /** Some event told of the state: otherwise it is the client's own. */
  readonly isStateTold: boolean
}

export const EMPTY: RunDocument = { messages: [], state: {}, isStateTold: false }

/** -1 when there is no such message. */
export function indexOf({ messages }: RunDocument, id: string): number {
  return messages.findIndex((message) => message.id === id)
}

export function replaced(document: RunDocument, place: number, message: Message): RunDocument {
  return { ...document, messages: document.messages.with(place, message) }
}

/** Key by key, the later one wins. */
export function withMetadata<T extends { metadata?: Record<string, unknown> }>(target: T, { metadata }: AguiEvent): T {
  return metadata === undefined ? target : { ...target, metadata: { ...target.metadata, ...metadata } }
}
