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
  const owner = typeof pid === 'string' && typeof offset === 'string' ? await ownerOf(socket, pid, offset, deps.recovery) : undefined
  const resumed = owner && (await deps.recovery.take(String(pid), String(offset), owner, identity))
  if (resumed) {
    internals.recovered = true
    internals.pid = resumed.id
    return { identity, sessionId: resumed.id, resumed, admit: place }
  }
  const strange = owner !== undefined
  internals.recovered = false
  internals.pid = newSessionId(deps.partition)
  const gap = strange || typeof pid !== 'string' ? undefined : await deps.recovery.gapSince(offset, deps.partition)
  const mail = await deps.operations.mail(identity)
  return { identity, sessionId: internals.pid, gap, mail, admit: place }
}

/**
 * Socket.IO takes a store that did not answer for a session that is not known, and goes on. So what it did not find is looked for once more: who
 * cannot be told is refused for now, and comes back (I8).
 */
async function ownerOf(socket: Socket, pid: string, offset: string, recovery: Recovery): Promise<Owner | undefined> {
  if (socket.recovered) return socket.data as Owner
  return (await recovery.restore(pid, offset))?.data as Owner | undefined
}
