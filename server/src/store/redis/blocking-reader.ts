import { RESP_TYPES } from 'redis'
import type { Offset } from '@hubbub/protocol'
import { StoreUnavailable } from '../port.js'
import { CALL_MS, type Connection } from './connection.js'
import type { RedisContext } from './context.js'
import { listOf, textOf, textsOf } from './reply.js'

/** Well below the connection's silence limit. */
const BLOCK_MAX_MS = 10_000

export interface StreamEntry {
  key: string
  id: Offset
  /** name, value, name, value, ... */
  fields: string[]
}

/** XREAD on a connection of its own. `close` ends a read that blocks: it then finds nothing. */
export class BlockingReader {
  private readonly connection: Connection
  private closed = false

  constructor(private readonly context: RedisContext) {
    this.connection = context.open()
  }

  async read(streams: { key: string; id: Offset }[], count: number, blockMs: number): Promise<StreamEntry[]> {
    if (this.closed) return []
    // BLOCK 0 would wait for ever.
    const block = blockMs >= 1 ? Math.min(Math.floor(blockMs), BLOCK_MAX_MS) : 0
    const command = ['XREAD', 'COUNT', String(count), ...(block > 0 ? ['BLOCK', String(block)] : []), 'STREAMS', ...streams.map(({ key }) => key), ...streams.map(({ id }) => id)]
    try {
      // As lists: the client's own form of an entry is a plain object, in which a field `__proto__` is lost.
      const reply = await this.connection.call('read', (client) => client.sendCommand<unknown>(command, { typeMapping: { [RESP_TYPES.MAP]: Array } }), CALL_MS + block)
      return reply === null ? [] : entriesOf(listOf(reply))
    } catch (error) {
      if (this.closed && error instanceof StoreUnavailable) return []
      throw error
    }
  }

  close(): void {
    this.closed = true
    this.context.end(this.connection)
  }
}

/** A reply is: key, entries, key, entries, ...; an entry: id, fields. */
function entriesOf(reply: unknown[]): StreamEntry[] {
  const entries: StreamEntry[] = []
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const key = textOf(reply[at])
    for (const entry of listOf(reply[at + 1])) {
      const [id, fields] = listOf(entry)
      entries.push({ key, id: textOf(id), fields: textsOf(fields) })
    }
  }
  return entries
}
