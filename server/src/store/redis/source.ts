/** Source streams: appended to by gateways and raw writers, read by the partition's owner. */
import { SOURCES, type Positions, type SourceAppend, type SourceEntry, type SourceName, type SourceReader, type SourceStreams } from '../port.js'
import { BlockingReader } from './blocking-reader.js'
import type { RedisContext } from './context.js'
import type { PartitionKeys } from './keys.js'
import { textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

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
  for (const { stream, event, identity, replyTo, once, worker } of batch) {
    const place = once ? String(keys.push(partition.once(once.key))) : '0'
    args.push(String(SOURCES.indexOf(stream) + 1), event, identity ? JSON.stringify(identity) : '', replyTo ?? '', place, String(once?.ttlMs ?? 0), worker ?? '')
  }
  return { keys, args }
}

class RedisSourceReader implements SourceReader {
  private readonly reader: BlockingReader
  private readonly names: ReadonlyMap<string, SourceName>

  constructor(context: RedisContext, partition: number) {
    const { sources } = context.keys(partition)
    this.reader = new BlockingReader(context, sources[SOURCES[0]])
    this.names = new Map(SOURCES.map((name) => [sources[name], name]))
  }

  async read(positions: Positions, count: number, blockMs: number): Promise<SourceEntry[]> {
    const streams = [...this.names].map(([key, name]) => ({ key, id: positions[name] }))
    const found = await this.reader.read(streams, count, blockMs)
    return found.map(({ key, id, fields }) => ({ stream: this.names.get(key)!, id, fields: fieldsOf(fields) }))
  }

  async close(): Promise<void> {
    this.reader.close()
  }
}

/** A name given twice by a raw writer: the later value. */
function fieldsOf(flat: readonly string[]): Record<string, string> {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at]!, flat[at + 1]!])
  // fromEntries defines a raw writer's `__proto__` as an ordinary property.
  return Object.fromEntries(pairs)
}
