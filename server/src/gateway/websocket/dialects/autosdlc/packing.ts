/** Data as base64 of the gzip of its JSON. */
import type { Compression } from '../../../../fanout/compression.js'
import type { TailEntry } from '../../../../fanout/entry.js'

/** The event's data, packed; undefined where that would gain nothing. Compressed once an event and worker, for all gateways. */
export function packed(compression: Compression, entry: TailEntry): string | undefined {
  const json = compression.jsonOf(entry)
  return json === undefined ? undefined : (JSON.parse(json) as { data: string }).data
}
