/** Source streams: appended to by gateways and raw writers, read by the partition's owner. */
import type { Offset } from '@hubbub/protocol'
import { SOURCES, StoreUnavailable, type Positions, type SourceAppend, type SourceEntry, type SourceName, type SourceReader, type SourceStreams } from '../port.js'
import { CALL_MS, type Connection } from './connection.js'
import type { RedisContext } from './context.js'
import type { PartitionKeys } from './keys.js'
import { textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

/** Well below the connection's silence limit. */
const BLOCK_MAX_MS = 10_000

/** What XREAD answers, as the client normalises it. */
type StreamsReply = { name: string; messages: { id: string; message: Record<string, string> }[] }[] | null

export function sourceStreams(context: RedisContext): SourceStreams {
  return {
    async append(partition, batch) {
      if (batch.length === 0) return []
      const { keys, args } = encodeAppends(context.keys(partition), batch)
      const ids = textsOf(await context.run('append', SCRIPTS.append, keys, args))
      return ids.map((id) => (id === '' ? null : id))
    },
    openSource(partition) {
      return new RedisSourceReader(context, partition)
    },
    async lag(partition) {
      const keys = context.keys(partition)
      return Number(await context.run('lag', SCRIPTS.lag, [keys.commit, ...keys.sourceList], []))
    },
  }
}

function encodeAppends(partition: PartitionKeys, batch: readonly SourceAppend[]): { keys: string[]; args: string[] } {
  const keys = partition.sourceList
  const args: string[] = []
  for (const { stream, event, identity, replyTo, once } of batch) {
    const place = once ? String(keys.push(partition.once(once.key))) : '0'
    args.push(String(SOURCES.indexOf(stream) + 1), event, identity ? JSON.stringify(identity) : '', replyTo ?? '', place, String(once?.ttlMs ?? 0))
  }
  return { keys, args }
}

class RedisSourceReader implements SourceReader {
  private readonly reader: BlockingReader
  private readonly names: ReadonlyMap<string, SourceName>

  constructor(context: RedisContext, partition: number) {
    this.reader = new BlockingReader(context)
    this.names = new Map(SOURCES.map((name) => [context.keys(partition).sources[name], name]))
  }

  async read(positions: Positions, count: number, blockMs: number): Promise<SourceEntry[]> {
    const streams = [...this.names].map(([key, name]) => ({ key, id: positions[name] }))
    const reply = await this.reader.read(streams, count, blockMs)
    return (reply ?? []).flatMap(({ name, messages }) => {
      const stream = this.names.get(name)!
      return messages.map(({ id, message }): SourceEntry => ({ stream, id, fields: message }))
    })
  }

  async close(): Promise<void> {
    this.reader.close()
  }
}

/** XREAD on a connection of its own. `close` ends a read that blocks: it then finds nothing. */
export class BlockingReader {
  private readonly connection: Connection
  private closed = false

  constructor(private readonly context: RedisContext) {
    this.connection = context.open()
  }

  async read(streams: { key: string; id: Offset }[], count: number, blockMs: number): Promise<StreamsReply> {
    if (this.closed) return null
    // BLOCK 0 would wait for ever.
    const block = blockMs >= 1 ? { BLOCK: Math.min(Math.floor(blockMs), BLOCK_MAX_MS) } : {}
    try {
      const deadline = CALL_MS + (block.BLOCK ?? 0)
      return (await this.connection.call('read', (client) => client.xRead(streams, { COUNT: count, ...block }), deadline)) as StreamsReply
    } catch (error) {
      if (this.closed && error instanceof StoreUnavailable) return null
      throw error
    }
  }

  close(): void {
    this.closed = true
    this.context.end(this.connection)
  }
}
