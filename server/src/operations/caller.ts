/** One connected client, as operations see it that talk back to a connection. */
import type { CommandCall, Signal } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'

export interface Caller {
  /** Connection id. */
  readonly id: string
  identity(): Identity
  /** What it registered, else what its credential says. */
  profile(): { agentType?: string; capabilities: readonly string[] }
  /** Whether one of its subscriptions takes events of the topic. */
  watches(topic: string): boolean
  /** Asks the client, and resolves with whatever it answers; rejects with COMMAND_TIMEOUT. Of a client that is gone it hears nothing. */
  ask(call: CommandCall): Promise<unknown>
  signal(signal: Signal): void
}
