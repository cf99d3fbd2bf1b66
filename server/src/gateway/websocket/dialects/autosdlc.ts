/**
 * `/ws?dialect=autosdlc`: messages `{ id, type, timestamp, data, metadata }` with times in ms and names like `agent_status`. A credential
 * comes with the request, or in `auth_request` behind it; large events go compressed to whoever takes them so.
 */
import type { Cursor, Draining, Failure, Gap, Signal } from '@hubbub/protocol'
import type { Encoding, TailEntry } from '../../../fanout/entry.js'
import type { ClosedBecause } from '../../../operations/attendance.js'
import type { Settings } from '../../../settings/table.js'
import { webSocketFrame } from '../../frame.js'
import type { Conversation, Dialect, DialectDeps, Entrance, Opening, Speaker } from '../dialect.js'
import { AutosdlcConversation } from './autosdlc/conversation.js'
import { said, shown } from './autosdlc/message.js'
import { packed } from './autosdlc/packing.js'

const PROTOCOL_VERSION = '1.0'

export class AutosdlcDialect implements Dialect {
  readonly name = 'autosdlc'
  readonly encoding: Encoding
  readonly heartbeat
  readonly entrance: Entrance = { waits: true, greeting, credentialsIn, refused: (failure) => said('auth_failure', failure) }
  private readonly compressed: Encoding

  constructor({ settings, metrics, compression }: DialectDeps) {
    this.heartbeat = { pingMs: settings.wsPingMs, silenceMs: settings.wsSilenceMs }
    const encode = (entry: TailEntry, data?: string) => {
      metrics.encodes.inc()
      const packet = JSON.stringify(shown(entry.event, entry.cursor, data))
      return { packet, bytes: webSocketFrame(packet) }
    }
    this.encoding = { name: 'ws autosdlc', encode: (entry) => encode(entry) }
    this.compressed = { name: 'ws autosdlc gzip', encode: (entry) => encode(entry, packed(compression, entry)) }
  }

  encodingFor({ query, auth }: Opening): Encoding {
    const asked = query.get('compress') ?? (auth as { compress?: unknown } | undefined)?.compress
    return asked === 'gzip' ? this.compressed : this.encoding
  }

  converse(speaker: Speaker): Conversation {
    return new AutosdlcConversation(speaker)
  }

  bookmark(cursor: Cursor) {
    return said('cursor', { cursor })
  }

  gap(gap: Gap) {
    return said('gap', gap)
  }

  signal(signal: Signal) {
    return said('signal', signal)
  }

  draining(notice: Draining) {
    return said('draining', notice)
  }

  failure(failure: Failure, about?: unknown) {
    return said('error', failure, (about as { id?: unknown } | null | undefined)?.id)
  }

  farewell(because: ClosedBecause) {
    return said('disconnect', { reason: because })
  }

  ping() {
    return said('ping', {})
  }
}

/** The first message of all: who is here, and that a credential may come now. */
function greeting(connectionId: string, { wsPingMs, connectTimeoutMs }: Settings): object {
  return said('connect', { connectionId, protocolVersion: PROTOCOL_VERSION, heartbeatInterval: wsPingMs, authTimeout: connectTimeoutMs, serverTime: Date.now() })
}

/** `auth_request { token | apiKey, project?, compress? }`; a `connect` with the same is taken, too. */
function credentialsIn(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return undefined
  const { type, data } = message as { type?: unknown; data?: unknown }
  return type === 'auth_request' || type === 'connect' ? (data ?? {}) : undefined
}
