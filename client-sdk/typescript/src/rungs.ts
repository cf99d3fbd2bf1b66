/** The ways to a hub, each by its own means. */
import { baseOf } from './http-calls.js'
import { HttpRung } from './http-rung.js'
import type { MakeRung } from './connection.js'
import type { Settled } from './options.js'
import { SocketRung } from './socket-rung.js'

/** @param url the hub's; its API is on the same host. Throws RangeError for what is no URL of a hub */
export function rungsTo(url: string, options: Settled): MakeRung {
  const base = baseOf(url, options.apiPath)
  return (transport, events) => (transport === 'http' ? new HttpRung(base, options, events) : new SocketRung(url, transport, options, events))
}
