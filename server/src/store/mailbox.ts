/**
 * The port's part for agents' mail: up to where each agent's inbox was handed to one of its connections, so that an agent that
 * comes back without a session of its own finds what came meanwhile.
 */
import type { Cursor } from '@hubbub/protocol'

export interface Mailbox {
  /** Moves the mark on, never back (a mark of another epoch replaces it); kept for `ttlMs` behind the last one. */
  mark(partition: number, project: string, agentId: string, cursor: Cursor, ttlMs: number): Promise<void>
  read(partition: number, project: string, agentId: string): Promise<Cursor | null>
}
