/**
 * An agent's mail, as it comes: the hub sends it from the connection on, without a subscription. It is handed on outside of the
 * order of events: history that some subscription reads must not hold up a delegation until it is given to somebody else.
 */
import type { HubEvent } from '@hubbub/protocol'

export type MailHandler = (event: HubEvent) => void

/** Mail that comes before its reader is there; beyond it the oldest goes, and the hub offers those tasks again. */
const KEPT = 1000
const INBOX = 'inbox:'

export class Mail {
  readonly #readers = new Map<string, MailHandler>()
  #kept: { agentId: string; event: HubEvent }[] = []

  /** Hands on what came so far, and everything to come; one reader an agent. */
  read(agentId: string, handler: MailHandler): () => void {
    this.#readers.set(agentId, handler)
    const own = this.#kept.filter((kept) => kept.agentId === agentId)
    this.#kept = this.#kept.filter((kept) => kept.agentId !== agentId)
    for (const { event } of own) handler(event)
    return () => {
      if (this.#readers.get(agentId) === handler) this.#readers.delete(agentId)
    }
  }

  /** Looks at every event that comes; most are nobody's mail. */
  heard(event: HubEvent): void {
    for (const topic of event.topics) if (topic.startsWith(INBOX)) this.#deliver(topic.slice(INBOX.length), event)
  }

  #deliver(agentId: string, event: HubEvent): void {
    const reader = this.#readers.get(agentId)
    if (reader) return reader(event)
    this.#kept.push({ agentId, event })
    if (this.#kept.length > KEPT) this.#kept.shift()
  }
}
