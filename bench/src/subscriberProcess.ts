/** Subscribers as cheap as can be: plain WebSockets that speak just enough Socket.IO, and count frames of events. */
import { WebSocket } from 'ws'

const input = JSON.parse(process.argv[2] ?? '{}') as { url: string; token?: string; topic: string; count: number; expect: number }
let received = 0
let told = 0

await Promise.all(Array.from({ length: input.count }, () => open()))
process.stdin.on('end', () => process.exit(0)).resume()
say({ ready: true })

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${input.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    socket.on('error', reject)
    socket.on('message', (data: Buffer) => {
      const kind = data[0]
      if (kind === 0x32) return socket.send('3')
      if (kind === 0x30) return socket.send(`40${JSON.stringify(input.token ? { token: input.token } : {})}`)
      if (kind !== 0x34) return
      if (data[1] === 0x30) socket.send(`420${JSON.stringify(['subscribe', { topics: [input.topic] }])}`)
      else if (data[1] === 0x33) resolve()
      // `42["task.progress"`: the seventh character tells an event from a bookmark.
      else if (data[1] === 0x32 && data[4] === 0x74) count()
    })
  })
}

function count(): void {
  received++
  if (received - told < input.expect) return
  told = received
  say({ received })
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
