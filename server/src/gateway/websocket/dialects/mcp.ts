/**
 * `/ws?dialect=mcp`: messages `{ type, payload }` between the hub and agents, with names like `task:delegate` and fields in snake_case. An
 * agent works over it from its registration to its results; its mail comes with the connection.
 */
import type { IncomingMessage } from 'node:http'
import type { Cursor, Failure, Gap, Signal } from '@hubbub/protocol'
import { credentialFromAuth, credentialFromRequest, queryOf, type Presented } from '../../../access/credentials.js'
import type { Encoding } from '../../../fanout/entry.js'
import { webSocketFrame } from '../../frame.js'
import type { Conversation, Dialect, DialectDeps, Entrance, Speaker } from '../dialect.js'
import { McpConversation, nameIn } from './mcp/conversation.js'
import { endingOf, errorOf, refusalOf } from './mcp/failures.js'
import { said, shown, snakeFields, typeNamed } from './mcp/names.js'

export class McpDialect implements Dialect {
  readonly name = 'mcp'
  readonly encoding: Encoding
  readonly heartbeat
  /** Its connections end orderly whatever the reason: agents come back by themselves. */
  readonly awayCode = 1000
  readonly entrance: Entrance = { waits: false, credentialsIn: () => undefined, presentedBy, refused: refusalOf }

  constructor({ settings, metrics }: DialectDeps) {
    // An agent that is registered is watched besides: one that only answers pings is silent.
    this.heartbeat = { pingMs: settings.wsPingMs, silenceMs: Math.max(settings.wsSilenceMs, settings.offlineMs) }
    this.encoding = {
      name: 'ws mcp',
      encode({ event, cursor }) {
        metrics.encodes.inc()
        const packet = JSON.stringify(shown(event, cursor))
        return { packet, bytes: webSocketFrame(packet) }
      },
    }
  }

  converse(speaker: Speaker): Conversation {
    return new McpConversation(speaker)
  }

  bookmark(cursor: Cursor) {
    return said('cursor', { cursor })
  }

  gap(gap: Gap) {
    return said('gap', gap)
  }

  signal(signal: Signal) {
    return said('signal', snakeFields(signal))
  }

  failure(failure: Failure, about?: unknown) {
    const name = nameIn(about)
    return errorOf(failure, about, { ...(name !== undefined && { name, type: typeNamed(name) }) })
  }

  ending(failure: Failure) {
    return endingOf(failure)
  }
}

/** `auth_token` or `token` of the query may have `Bearer` before it, as in a header. A header goes before. */
function presentedBy(request: IncomingMessage): Presented {
  const { authorization, 'x-api-key': key } = request.headers
  const query = queryOf(request)
  const token = query.get('auth_token') ?? query.get('token')
  if (authorization || key || !token) return credentialFromRequest(request)
  const project = query.get('project') ?? undefined
  return { ...credentialFromRequest({ headers: { 'x-hubbub-project': request.headers['x-hubbub-project'] } }), ...credentialFromAuth({ token, project }) }
}
