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

/**
 * XREAD on a connection of its own, to the master of the key. `close` ends a read that blocks: it then finds nothing. Where the connection
 * is another one than at the read before, that is said first: the journal behind it may be another one, too (I2).
 */
export class BlockingReader {
  private readonly connection: Connection
  private generation?: number
  private closed = false

  constructor(private readonly context: RedisContext, key: string) {
    this.connection = context.open(key)
  }

  async read(streams: { key: string; id: Offset }[], count: number, blockMs: number): Promise<StreamEntry[]> {
    if (this.closed) return []
    // BLOCK 0 would wait for ever.
    const block = blockMs >= 1 ? Math.min(Math.floor(blockMs), BLOCK_MAX_MS) : 0
    const command = ['XREAD', 'COUNT', String(count), ...(block > 0 ? ['BLOCK', String(block)] : []), 'STREAMS', ...streams.map(({ key }) => key), ...streams.map(({ id }) => id)]
    const { generation } = this
    try {
      // As lists: the client's own form of an entry is a plain object, in which a field `__proto__` is lost.
      const reply = await this.connection.call('read', (client) => {
        this.generation = this.connection.generation
        if (generation !== undefined && generation !== this.generation) throw new StoreUnavailable('read: the connection is another one than before')
        return client.sendCommand<unknown>(command, { typeMapping: { [RESP_TYPES.MAP]: Array } })
      }, CALL_MS + block)
      return reply === null ? [] : entriesOf(listOf(reply))
    } catch (error) {
      // Whoever reads has been told.
      this.generation = undefined
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
