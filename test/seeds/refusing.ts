/** A way to a hub that lets requests through and no WebSocket: as a corporate proxy does it. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Refusing {
  url: string
  /** WebSockets that were asked for. */
  refused(): number
  /** Paths that were asked for, in order. */
  asked: string[]
}

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

export async function startRefusing(target: string): Promise<Refusing> {
  let refused = 0
  const asked: string[] = []
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url!)
    const passed = request(new URL(incoming.url!, target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  server.on('upgrade', (_incoming, socket) => {
    refused++
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refused: () => refused, asked }
}
