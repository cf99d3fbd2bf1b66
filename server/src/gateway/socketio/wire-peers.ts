/** The workers among each other, over the Socket.IO adapter. */
import type { Server } from 'socket.io'
import type { Caller } from '../../operations/caller.js'
import type { Operations } from '../../operations/operations.js'

const PEERS = 'peers'

/** @param connected whoever is connected to this worker */
export function wirePeers(io: Server, { peers, broadcasts }: Pick<Operations, 'peers' | 'broadcasts'>, connected: () => Iterable<Caller>): void {
  io.on(PEERS, (message: unknown) => peers.receive(message))
  // Without the adapter's own acks: those wait for every worker, a frozen one included.
  peers.attach((message) => io.serverSideEmit(PEERS, message))
  broadcasts.attach(connected)
}
