/** Between authentication and the first message: is this a new connection, or one that comes back? */
import type { Gap } from '@hubbub/protocol'
import type { Socket } from 'socket.io'
import type { Identity } from '../../access/identity.js'
import type { MailStart } from '../../operations/inbox.js'
import type { Admit, Operations } from '../../operations/operations.js'
import type { Leave } from '../gatekeeper.js'
import { newSessionId, type Owner, type Recovery, type Resumed } from './recovery.js'

export interface Admission {
  identity: Identity
  /** Of Socket.IO's recovery, `pid`. */
  sessionId: string
  resumed?: Resumed
  /** The client came back and could not be resumed: it is told so once it is connected. */
  gap?: Gap
  /** Of an agent's new session: its mail comes first. */
  mail?: MailStart
  /** Gives its place among those of its subject back. */
  leave?: Leave
  /** Gives the connection its place in the journal, synchronously. */
  admit: Admit
}

/** Fields that Socket.IO sets before its middlewares and that the CONNECT packet is made of. */
interface SocketInternals {
  pid: string
  recovered: boolean
}

/**
 * A session that another subject or project presents is not resumed: the socket gets a new id, so that its client sees
 * `recovered` false.
 */
export async function admit(socket: Socket, identity: Identity, deps: { recovery: Recovery; operations: Operations; partition: number }): Promise<Admission> {
  const internals = socket as unknown as SocketInternals
  const { pid, offset } = socket.handshake.auth as { pid?: unknown; offset?: unknown }
  const place = await deps.operations.admit(identity)
  const resumed = socket.recovered && typeof pid === 'string' && typeof offset === 'string' ? await deps.recovery.take(pid, offset, socket.data as Owner, identity) : undefined
  if (resumed) return { identity, sessionId: resumed.id, resumed, admit: place }
  const strange = socket.recovered
  internals.recovered = false
  internals.pid = newSessionId(deps.partition)
  const gap = strange || typeof pid !== 'string' ? undefined : await deps.recovery.gapSince(offset, deps.partition)
  const mail = await deps.operations.mail(identity)
  return { identity, sessionId: internals.pid, gap, mail, admit: place }
}
