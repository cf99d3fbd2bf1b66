/** What stands in Redis, read past the hub: what a test knows must not come from what it tests. */
import { partitionTag, type HubEvent, type Offset } from '@hubbub/protocol'
import { createClient } from 'redis'
import type { Receipt } from './checker.js'

export interface Inspector {
  /** The whole journal of a partition. */
  journal(partition: number): Promise<(Receipt & { previous: Offset })[]>
  /** Who holds the partition's lease. */
  owner(partition: number): Promise<string | null>
  /** Batches that were ever committed to the partition. */
  batches(partition: number): Promise<number>
  /** Connections of the process with that `HUBBUB_NODE_ID` that wait for a stream's next entry. */
  waitingReaders(node: string): Promise<number>
  close(): void
}

const PAGE = 5000

export async function inspect(url: string): Promise<Inspector> {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  const key = (partition: number, name: string) => `hubbub:${partitionTag(partition)}:${name}`
  return {
    async journal(partition) {
      const records = []
      for (let from = '-'; ; ) {
        const page = (await client.xRange(key(partition, 'journal'), from, '+', { COUNT: PAGE })) ?? []
        for (const { id: offset, message } of page) {
          const { id, data, metadata } = JSON.parse(message.event!) as HubEvent<{ producer?: string; seq?: number }>
          records.push({ id, offset, previous: message.prev!, producer: data.producer ?? metadata.source, seq: data.seq })
        }
        if (page.length < PAGE) return records
        from = `(${page.at(-1)!.id}`
      }
    },
    owner: (partition) => client.get(key(partition, 'lease')),
    batches: async (partition) => Number(await client.hGet(key(partition, 'commit'), 'number')),
    async waitingReaders(node) {
      const clients = await client.clientList()
      return clients.filter(({ name, flags }) => name === `hubbub-${node}` && flags.includes('b')).length
    },
    close: () => client.destroy(),
  }
}
