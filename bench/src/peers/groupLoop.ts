/**
 * What one would write by hand where a hub has its processor: a loop over a consumer group. `emit`: what it reads goes to a stock Socket.IO
 * server's rooms; `copy`: to another stream, as a journal. Ends with its parent.
 */
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { adapterOf } from './stockAdapter.js'

export interface LoopOptions {
  redisUrl: string
  mode: 'emit' | 'copy'
  source: string
  journal: string
  count: number
}

const GROUP = 'loop'
const { redisUrl, mode, source, journal, count } = JSON.parse(process.argv[2] ?? '{}') as LoopOptions
process.stdin.on('end', () => process.exit(0)).resume()
const client = await createClient({ url: redisUrl }).connect()
await client.xGroupCreate(source, GROUP, '0', { MKSTREAM: true })
const io = mode === 'emit' ? new Server({ adapter: await adapterOf(redisUrl, 'streams') }) : undefined
process.stdout.write('{"ready":true}\n')

for (;;) {
  const [read] = (await client.xReadGroup(GROUP, 'one', { key: source, id: '>' }, { COUNT: count, BLOCK: 5000 })) as { messages: { id: string; message: { event: string } }[] }[] | null ?? []
  if (!read) continue
  const { messages } = read
  const acknowledged = messages.map(({ id }) => id)
  if (io) {
    for (const { message } of messages) {
      const event = JSON.parse(message.event) as { type: string; topics: string[] }
      io.to(event.topics).emit(event.type, event)
    }
    await client.xAck(source, GROUP, acknowledged)
  } else {
    // One round trip: written, then acknowledged.
    await Promise.all([...messages.map(({ message }) => client.xAdd(journal, '*', { event: message.event })), client.xAck(source, GROUP, acknowledged)])
  }
}
