/** Clients by hand, for what stock ones do not let be said. */
import { request } from 'node:https'
import { connect } from 'node:net'
import { WebSocket } from 'ws'

export interface PlainSocket {
  /** All that it was told. */
  text(): string
  isOpen(): boolean
  close(): void
}

/** A stock `ws` on a URL. Resolves when it is open; rejects with the status of the refusal. */
export async function openSocket(url: string, options: { localAddress?: string; headers?: Record<string, string> } = {}): Promise<PlainSocket> {
  const socket = new WebSocket(url, options)
  let text = ''
  socket.on('message', (data) => (text += (data as Buffer).toString('utf8')))
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return { text: () => text, isOpen: () => socket.readyState === WebSocket.OPEN, close: () => socket.terminate() }
}

/** Over TLS, with any Host. An upgrade counts as an answer of 101. @param authority certificate to trust, PEM */
export function secureRequest(url: string, { authority, headers = {} }: { authority: string; headers?: Record<string, string> }): Promise<{ status: number }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca: authority, servername: 'localhost', headers, agent: false })
    asked.once('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101 })
    })
    asked.once('response', (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode! }))
    })
    asked.once('error', reject)
    asked.end()
  })
}

/** Sends a part of a request, and nothing more; resolves with the answer when the other side ends it. */
export function slowly(url: string, part: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => void socket.write(part))
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    socket.once('close', () => resolve(answer))
    // A reset is an end, too.
    socket.on('error', () => undefined)
  })
}
