/** The hub's own process as a gateway: handlers of the program that embeds it get events like any other subscriber. */
import type { Cursor, Gap, HubEvent } from '@hubbub/protocol'
import type { Encoding } from '../fanout/entry.js'
import type { Outlet } from '../fanout/session.js'

export type EventHandler = (event: HubEvent, context: { cursor: Cursor }) => void

const NOTHING = { packet: '', bytes: Buffer.alloc(0) }

/** Nothing is encoded: the handler gets the event as it is. */
const inProcess: Encoding = { name: 'process', encode: () => NOTHING }

/** A handler that throws is the embedding program's fault, and must not stop the burst for everybody else. */
export function handlerOutlet(handler: EventHandler, onError: (error: unknown) => void): Outlet {
  return {
    encoding: inProcess,
    write(chunk) {
      for (const entry of chunk.entries) {
        try {
          handler(entry.event, { cursor: entry.cursor })
        } catch (error) {
          onError(error)
        }
      }
    },
    bookmark: () => undefined,
    gap: (gap: Gap) => onError(new Error(`events between ${gap.from} and ${gap.to} can no longer be had (${gap.reason})`)),
    waiting: () => ({ bytes: 0, packets: 0 }),
    drained: () => Promise.resolve(),
  }
}
