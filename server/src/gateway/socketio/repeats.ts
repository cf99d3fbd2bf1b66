/**
 * Long-polling requests that come twice. A browser that finds a kept connection broken sends its request again by itself, and its page
 * never knows: what the first answer carried would be lost in silence (I2), and what a POST carried be heard twice. The client marks each
 * request with a `t` of its own, so a mark that is seen again ends the session, and its client comes back to its place.
 */
import type { IncomingMessage } from 'node:http'
import type { Server as Engine } from 'engine.io'

interface Marks {
  GET?: string
  POST?: string
}

/** The engine's connections, which its types keep to itself; a fault of the transport ends one at once, as overlapping polls do. */
interface Session {
  transport: { onError(message: string): void }
}

export class Repeats {
  private readonly seen = new WeakMap<object, Marks>()

  constructor(private readonly engine: Engine) {}

  /** Before the engine handles the request: closes a session whose request came again, so that the engine knows it no more. */
  check(request: IncomingMessage, sid: string): void {
    const { method } = request
    if (method !== 'GET' && method !== 'POST') return
    const mark = new URL(request.url ?? '/', 'http://hub').searchParams.get('t')
    const session = (this.engine as unknown as { clients: Record<string, Session | undefined> }).clients[sid]
    if (mark === null || !session) return
    const marks = this.seen.get(session) ?? {}
    // One of each is under way at a time.
    if (marks[method] === mark) session.transport.onError('request sent again')
    this.seen.set(session, { ...marks, [method]: mark })
  }
}
