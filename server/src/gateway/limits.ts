/** Limits that several wires share. */
import { WebSocketServer, type ServerOptions } from 'ws'
import type { Settings } from '../settings/table.js'

/** A message may carry a batch; whatever is larger than this closes the connection, bytes. */
export const messageLimit = (settings: Settings): number => Math.max(2 * settings.maxSnapshotBytes, 2_000_000)

/** A peer that does not answer the end of its connection is cut off after this, ms. The library's own 30 s would be time for many. */
const CLOSE_MS = 3000

/** The server side of every WebSocket here. */
export class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions, listening?: () => void) {
    super({ ...options, closeTimeout: CLOSE_MS } as ServerOptions, listening)
  }
}
