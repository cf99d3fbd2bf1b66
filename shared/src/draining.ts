/** What the hub says before it stops; `drainage.ts` of the server says it, clients may heed it. */

/** The worker stops. Its clients go one after the other, each at a time of its own. */
export interface Draining {
  /** ms from now: when to leave and to connect again, for whoever does so by itself. */
  reconnectInMs: number
  /** ms from now: then the connection is closed, so that it comes back. */
  deadlineMs: number
}
