/** Data as base64 of the gzip of its JSON, in both directions. */
import { gunzipSync } from 'node:zlib'
import { HubError } from '@hubbub/protocol'
import type { Compression } from '../../../../fanout/compression.js'
import type { TailEntry } from '../../../../fanout/entry.js'
import type { Settings } from '../../../../settings/table.js'

/** The event's data, packed; undefined where that would gain nothing. Compressed once an event and worker, for all gateways. */
export function packed(compression: Compression, entry: TailEntry): string | undefined {
  const json = compression.jsonOf(entry)
  return json === undefined ? undefined : (JSON.parse(json) as { data: string }).data
}

/**
 * Nothing is unpacked beyond what an event may hold at most. At once: what the client sends next must not overtake it (I1).
 * @throws HubError INVALID_MESSAGE, PAYLOAD_TOO_LARGE
 */
export function unpacked(data: unknown, { maxEventBytes, maxSnapshotBytes }: Pick<Settings, 'maxEventBytes' | 'maxSnapshotBytes'>): unknown {
  const limit = Math.max(maxEventBytes, maxSnapshotBytes)
  try {
    if (typeof data === 'string') return JSON.parse(gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: limit }).toString()) as unknown
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw new HubError('PAYLOAD_TOO_LARGE', undefined, { limit, unit: 'bytes' }, { cause })
  }
  throw new HubError('INVALID_MESSAGE', 'With `metadata.compressed`, `data` is the base64 of the gzip of JSON.', { path: 'data' })
}
