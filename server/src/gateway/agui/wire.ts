/** AG-UI events on the wire: server-sent events of which each is one event as JSON, as AG-UI's own encoder writes them; their `id` is the cursor. */
import type { Cursor, FailureCode } from '@hubbub/protocol'
import type { Encoding } from '../../fanout/entry.js'
import type { Metrics } from '../../observe/metrics.js'
import type { AguiEvent } from './events.js'

export function runEncoding(metrics: Pick<Metrics, 'encodes'>): Encoding {
  return {
    name: 'ag-ui',
    encode({ event, cursor }) {
      metrics.encodes.inc()
      const packet = written(event.data, cursor)
      return { packet, bytes: Buffer.from(packet) }
    },
  }
}

/** With the cursor on the last one: whoever comes back with it was told all of them. */
export function writtenAll(events: readonly AguiEvent[], cursor?: Cursor): Buffer {
  return Buffer.from(events.map((event, place) => written(event, place === events.length - 1 ? cursor : undefined)).join(''))
}

/** What the hub itself has to say to a run's reader. @param code of the failure table, or RUN_RESTARTED */
export function runError(code: FailureCode | 'RUN_RESTARTED', message: string): AguiEvent {
  return { type: 'RUN_ERROR', code, message }
}

/** Envelope fields are not for AG-UI's clients: only what the producer said. */
function written(event: unknown, cursor?: Cursor): string {
  return `${cursor === undefined ? '' : `id: ${cursor}\n`}data: ${JSON.stringify(event)}\n\n`
}
