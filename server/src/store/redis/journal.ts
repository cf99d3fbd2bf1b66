/** Reading the journal. Entries and floor are read in one script, so that a reader can tell a gap from quiet (I2). */
import type { Offset } from '@hubbub/protocol'
import type { Journal, JournalEntry, JournalHead, JournalPage, JournalTail } from '../port.js'
import { BlockingReader } from './blocking-reader.js'
import type { RedisContext } from './context.js'
import { firstEpoch } from './genesis.js'
import { memberBefore, memberOf } from './member.js'
import { entriesOf, textsOf } from './reply.js'
import { PAGE_BYTES, scanBack, scanForward } from './scan.js'
import { SCRIPTS } from './scripts.js'

export function journal(context: RedisContext): Journal {
  return {
    head: (partition) => readHead(context, partition),
    async readRange(partition, after, upTo, count) {
      const keys = context.keys(partition)
      const reply = await context.run('readRange', SCRIPTS.range, [keys.commit, keys.journal], [after, upTo, String(count), String(PAGE_BYTES)])
      return pageOf(textsOf(reply), upTo)
    },
    async readTopics(partition, topics, after, upTo, count) {
      if (topics.length === 0) return nothing(context, partition, upTo)
      const indexed = await readIndex(context, partition, topics, after, upTo, count)
      return indexed ?? scanForward(context, partition, topics, after, upTo, count)
    },
    readLast(partition, topics, upTo, count) {
      return topics.length === 0 ? nothing(context, partition, upTo) : readNewest(context, partition, topics, upTo, count)
    },
    openTail: (partition) => new RedisTail(context, partition),
  }
}

async function readHead(context: RedisContext, partition: number): Promise<JournalHead> {
  const keys = context.keys(partition)
  const read = async () => textsOf(await context.run('head', SCRIPTS.head, [keys.commit, keys.journal, keys.epochs], []))
  let reply = await read()
  if (reply.length === 2) {
    // Redis came back empty a moment ago.
    await firstEpoch(context, partition)
    reply = await read()
  }
  const [last, floor, ...epochs] = reply
  return { last: last!, floor: floor!, epochs: epochs.map((text) => ({ nonce: text.slice(0, text.indexOf(' ')), start: text.slice(text.indexOf(' ') + 1) })) }
}

async function readIndex(context: RedisContext, partition: number, topics: readonly string[], after: Offset, upTo: Offset, count: number): Promise<JournalPage | null> {
  const keys = context.keys(partition)
  const indexes = [...new Set(topics)].map((topic) => keys.topic(topic))
  const { ageMs } = context.options.retention
  const args = [memberOf(after), memberOf(upTo), String(count), String(ageMs), String(PAGE_BYTES)]
  const reply = await context.run('readTopics', SCRIPTS.index, [keys.commit, keys.journal, ...indexes], args)
  return reply === null ? null : pageOf(textsOf(reply), upTo)
}

/** By the indexes as far as they are complete, then backward through the journal, which may take many steps for a quiet topic. */
async function readNewest(context: RedisContext, partition: number, topics: readonly string[], upTo: Offset, count: number): Promise<JournalPage> {
  const keys = context.keys(partition)
  const indexes = [...new Set(topics)].map((topic) => keys.topic(topic))
  const found: JournalEntry[] = []
  let end = memberOf(upTo)
  for (;;) {
    const args = [end, String(count - found.length), String(context.options.retention.ageMs), String(PAGE_BYTES)]
    const [floor, old, cut, ...flat] = textsOf(await context.run('readLast', SCRIPTS.newest, [keys.commit, keys.journal, ...indexes], args))
    found.push(...entriesOf(flat, 0))
    if (found.length >= count) return { entries: found.reverse(), reached: upTo, floor: floor! }
    if (cut === '') return scanBack(context, partition, topics, upTo, count, found, old!)
    end = memberBefore(cut!)
  }
}

async function nothing(context: RedisContext, partition: number, upTo: Offset): Promise<JournalPage> {
  return { entries: [], reached: upTo, floor: (await readHead(context, partition)).floor }
}

function pageOf(reply: readonly string[], upTo: Offset): JournalPage {
  return { entries: entriesOf(reply, 2), reached: reply[1] === '' ? upTo : reply[1]!, floor: reply[0]! }
}

class RedisTail implements JournalTail {
  private readonly reader: BlockingReader
  private readonly key: string

  constructor(context: RedisContext, partition: number) {
    this.key = context.keys(partition).journal
    this.reader = new BlockingReader(context, this.key)
  }

  async read(after: Offset, count: number, blockMs: number): Promise<JournalEntry[]> {
    const found = await this.reader.read([{ key: this.key, id: after }], count, blockMs)
    // In the order in which commit.lua writes them: event, prev, epoch, bytes.
    return found.map(({ id, fields }) => ({ offset: id, previous: fields[3]!, epoch: fields[5]!, event: fields[1]! }))
  }

  async close(): Promise<void> {
    this.reader.close()
  }
}
