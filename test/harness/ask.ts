/** HTTP requests as strangers send them: any body, any credential, and the answer as it came. */
import { request } from 'node:http'
import type { Failure } from '@hubbub/protocol'

export interface Asked {
  method?: string
  /** As a bearer token. */
  as?: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  body?: string | Buffer
}

export interface Told {
  status: number
  headers: Headers
  text: string
  /** Parsed; every answer of the hub but the metrics is JSON. */
  body: Record<string, unknown> & { ok?: boolean; error?: Failure }
}

export async function ask(url: string, { method, as, headers, json, body }: Asked = {}): Promise<Told> {
  const content = json === undefined ? body : JSON.stringify(json)
  const response = await fetch(url, {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: { ...(as !== undefined && { authorization: `Bearer ${as}` }), ...(content !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: content,
    signal: AbortSignal.timeout(20_000),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? (JSON.parse(text) as Told['body']) : {} }
}

/** Asks for a WebSocket and says what became of it: 101, or the refusal that stood in its place. */
export function upgrade(url: string, headers: Record<string, string> = {}): Promise<{ status: number; code?: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': Buffer.alloc(16).toString('base64'), ...headers },
    })
    asked.once('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101 })
    })
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.once('end', () => resolve({ status: response.statusCode!, code: (JSON.parse(text) as Told['body']).error?.code }))
    })
    asked.once('error', reject)
    asked.end()
  })
}
