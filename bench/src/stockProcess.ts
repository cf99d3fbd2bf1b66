/** What Hubbub is compared with: stock Socket.IO on @socket.io/redis-streams-adapter, one worker; or the server that emits to it. */
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const input = JSON.parse(process.argv[2] ?? '{}') as { redisUrl: string; emitter: boolean }
const client = createClient({ url: input.redisUrl })
await client.connect()
const http = createServer()
const io = new Server(http, { adapter: createAdapter(client, { maxLen: 100_000, readCount: 1000 }), connectionStateRecovery: {} })
io.on('connection', (socket) => {
  socket.on('subscribe', ({ topics }: { topics: string[] }, ack: (answer: object) => void) => {
    void socket.join(topics)
    ack({ ok: true })
  })
})
process.stdin.on('end', () => process.exit(0))
process.stdin.on('data', (text: Buffer) => void emitAll(JSON.parse(text.toString()) as { events: object[]; repeat: number; topic: string }))
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()))
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(http.address() as { port: number }).port}` })}\n`)

async function emitAll({ events, repeat, topic }: { events: object[]; repeat: number; topic: string }): Promise<void> {
  for (let round = 0; round < repeat; round++) {
    for (const event of events) io.to(topic).emit('task.progress', event)
    // Lets the client's pipeline reach Redis: the adapter publishes without waiting.
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
