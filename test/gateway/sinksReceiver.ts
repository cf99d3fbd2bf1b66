/** A webhook's receiver as anybody would write it: a real HTTP server, its answers the test's, and a verification of a few lines. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { HubEvent } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import type { Receipt } from '../harness/checker.js'

export interface Received {
  headers: Record<string, string>
  body: string
  /** The event, or what stands in its place. */
  event: HubEvent<Record<string, unknown>>
  at: number
}

/** Status, with headers; or nothing: the test answers itself, or never. */
export type Answer = (received: Received, response: ServerResponse, request: IncomingMessage) => number | [number, Record<string, string>] | undefined

export interface Receiver {
  url: string
  port: number
  /** Everything that came, refused attempts included. */
  received: Received[]
  /** What was taken (2xx). */
  taken: Received[]
  answer: Answer
  /** Resolves when so many were taken. */
  holds(count: number, deadlineMs?: number): Promise<void>
  /** Nobody listens any more; `open` listens on the same port again. */
  shut(): Promise<void>
  open(): Promise<void>
}

export async function startReceiver(answer: Answer = () => 204): Promise<Receiver> {
  const received: Received[] = []
  const taken: Received[] = []
  const listen = (port: number): Promise<Server> => {
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => respond(request, response, Buffer.concat(parts)))
    })
    return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
  }
  const respond = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
    const one: Received = { headers: request.headers as Record<string, string>, body: text, event: JSON.parse(text) as Received['event'], at: Date.now() }
    received.push(one)
    const answered = receiver.answer(one, response, request)
    if (answered === undefined) return
    const [status, headers] = typeof answered === 'number' ? [answered, {}] : answered
    if (status >= 200 && status < 300) taken.push(one)
    response.writeHead(status, headers).end()
  }
  let server = await listen(0)
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    taken,
    answer,
    async holds(count, deadlineMs = 20_000) {
      await eventually(() => taken.length >= count, `${count} deliveries`, deadlineMs).catch((error: unknown) => {
        throw new Error(`${taken.length} of ${count} deliveries came`, { cause: error })
      })
    },
    shut: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    async open() {
      server = await listen(port)
    },
  }
  return receiver
}

/** By Standard Webhooks: in five lines, from the headers and the raw body. */
export function verified(secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers
  if (Math.abs(Date.now() / 1000 - Number(at)) > 300) return false
  const expected = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64')).update(`${id}.${at}.${body}`).digest('base64')
  return signature!.split(' ').includes(`v1,${expected}`)
}

/** Repetitions right behind their first are what a receiver drops by the id; the checker judges the rest. */
export function receiptsOf(taken: readonly Received[]): Receipt[] {
  const seen = new Set<string>()
  return taken.flatMap(({ event, headers }) => {
    if (seen.has(event.id)) return []
    seen.add(event.id)
    return [{ id: event.id, offset: headers['hubbub-cursor']!, producer: event.data['producer'] as string | undefined, seq: event.data['seq'] as number | undefined }]
  })
}
