/** Stock Socket.IO on one of Redis' adapters: a worker with clients, as anybody would write it. Ends with its parent. */
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { adapterOf, type StockAdapter } from './stockAdapter.js'

export interface StockOptions {
  redisUrl: string
  adapter: StockAdapter
  /** Of connection state recovery; none without. */
  recoveryMs?: number
  deflate?: boolean
}

const input = JSON.parse(process.argv[2] ?? '{}') as StockOptions
const http = createServer()
const io = new Server(http, {
  adapter: await adapterOf(input.redisUrl, input.adapter),
  ...(input.recoveryMs !== undefined && { connectionStateRecovery: { maxDisconnectionDuration: input.recoveryMs } }),
  ...(input.deflate && { perMessageDeflate: { threshold: 1024 } }),
})
io.on('connection', (socket) => {
  socket.on('subscribe', ({ topics }: { topics: string[] }, ack: (answer: object) => void) => {
    void socket.join(topics)
    ack({ ok: true })
  })
  socket.on('publish', ({ topic, event }: { topic: string; event: object }, ack: (answer: object) => void) => {
    io.to(topic).emit('task.progress', event)
    ack({ ok: true })
  })
})
process.stdin.on('end', () => process.exit(0)).resume()
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()))
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(http.address() as { port: number }).port}` })}\n`)
