/** What the dialect of `?dialect=autosdlc` answers. */
import type { Line, Told } from './dialectLine.js'

let asked = 0

/** The answer to a message: it names the message's id. */
export function answer(who: Line, message: { type: string; data?: object; [field: string]: unknown }): Promise<Told> {
  const id = `m-${++asked}`
  return who.ask({ id, timestamp: Date.now(), metadata: { version: '1.0' }, ...message }, ({ metadata }) => metadata['correlationId'] === (message['id'] ?? id))
}
