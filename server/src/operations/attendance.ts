/**
 * Whose connections stand: `connection.opened` and `connection.closed`. Reports of facts, from which nothing about an agent's life is
 * derived; so nobody waits for them, and with the store away they are dropped after a few tries. One connection's are told in order.
 */
import { randomUUID } from 'node:crypto'
import type { EventInput } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import type { Announcer } from './agents.js'
import { inboxOf } from './inbox.js'

export type ClosedBecause =
  | 'client disconnected' | 'transport closed' | 'ping timeout' | 'heartbeat timeout' | 'credential expired' | 'revoked'
  /** Its session was resumed by another connection. */
  | 'taken over'
  | 'server shutting down'

export interface AttendanceDeps {
  announcer: Announcer
  settings: Pick<Settings, 'connectionEvents' | 'heartbeatMs'>
  log: Logger
}

/** Of the connections' part of the protocol. */
const PROTOCOL_VERSION = '1.0'
/** Waits between tries, ms. */
const WAITS_MS = [250, 1000, 4000]

export class Attendance {
  /** The last word about each connection of which one is under way. */
  private readonly turns = new Map<string, Promise<void>>()
  private closing = false

  constructor(private readonly deps: AttendanceDeps) {}

  opened(identity: Identity, connectionId: string): void {
    const now = Date.now()
    this.tell(identity, connectionId, 'connection.opened', now, {
      agentType: agentIdOf(identity) === undefined ? undefined : identity.agentType, connectedAt: new Date(now).toISOString(), protocolVersion: PROTOCOL_VERSION,
      heartbeatInterval: this.deps.settings.heartbeatMs, serverTime: now,
    })
  }

  closed(identity: Identity, connectionId: string, reason: ClosedBecause): void {
    const now = Date.now()
    this.tell(identity, connectionId, 'connection.closed', now, { reason, disconnectedAt: new Date(now).toISOString() })
  }

  /** Waits until all is told, at most so long; nothing is tried again from now on. */
  async close(ms: number): Promise<void> {
    this.closing = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
    await Promise.race([Promise.all(this.turns.values()), late]).finally(() => clearTimeout(timer))
  }

  private tell(identity: Identity, connectionId: string, type: string, timestamp: number, data: Record<string, unknown>): void {
    const { connectionEvents } = this.deps.settings
    if (connectionEvents === 'none' || (connectionEvents === 'agents' && identity.role !== 'agent')) return
    // An id of its own, so that a try whose answer was lost is recognised when it is repeated (I3).
    const input: EventInput = { id: randomUUID(), type, timestamp, data: { connectionId, agentId: agentIdOf(identity), ...data } }
    const turn = (this.turns.get(connectionId) ?? Promise.resolve()).then(() => this.insist(identity, input))
    this.turns.set(connectionId, turn)
    void turn.then(() => {
      if (this.turns.get(connectionId) === turn) this.turns.delete(connectionId)
    })
  }

  private async insist(identity: Identity, input: EventInput): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.deps.announcer.announce(identity, input)
        return
      } catch (error) {
        const wait = WAITS_MS[tries]
        if (wait === undefined || this.closing || !hubErrorOf(error).retryable) {
          this.deps.log.warn({ err: error, type: input.type, id: input.id }, 'a connection was not told of')
          return
        }
        await new Promise((resolve) => setTimeout(resolve, wait).unref())
      }
    }
  }
}

/** An agent whose name fits no topic is told of without one. */
function agentIdOf(identity: Identity): string | undefined {
  return inboxOf(identity) === undefined ? undefined : identity.subject
}
