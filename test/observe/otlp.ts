/** A receiver of spans as a collector is one: OTLP over HTTP, in JSON. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedSpan {
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  /** 1 internal, 4 producer, 5 consumer: as OTLP counts them. */
  kind: number
  /** ns since the epoch. */
  start: bigint
  end: bigint
  /** 2: an error. */
  status: number
  attributes: Record<string, unknown>
  /** Of the process that sent it. */
  resource: Record<string, unknown>
}

export interface Receiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string
  readonly spans: ReceivedSpan[]
  requests: number
  /** What it answers; not 200: it throws away what it gets. */
  status: number
  /** In the order of their beginnings. */
  trace(traceId: string): ReceivedSpan[]
  close(): Promise<void>
}

interface KeyValue {
  key: string
  value: { stringValue?: string; intValue?: string | number; boolValue?: boolean; doubleValue?: number }
}

interface Body {
  resourceSpans: {
    resource: { attributes: KeyValue[] }
    scopeSpans: { spans: { name: string; traceId: string; spanId: string; parentSpanId?: string; kind: number; startTimeUnixNano: string; endTimeUnixNano: string; status?: { code?: number }; attributes: KeyValue[] }[] }[]
  }[]
}

export async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = {
    url: '', spans: [], requests: 0, status: 200,
    trace: (traceId) => receiver.spans.filter((span) => span.traceId === traceId).sort((a, b) => Number(a.start - b.start) || ORDER.indexOf(a.name) - ORDER.indexOf(b.name)),
    close: () => ended(server),
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      receiver.requests++
      const fits = request.method === 'POST' && request.url === '/v1/traces' && request.headers['content-type']?.startsWith('application/json') === true
      if (fits && receiver.status === 200) receiver.spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString()) as Body))
      response.writeHead(fits ? receiver.status : 404, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}

const ORDER = ['hubbub.publish', 'hubbub.commit', 'hubbub.deliver']

function spansOf({ resourceSpans }: Body): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map((span) => ({
    name: span.name, traceId: span.traceId, spanId: span.spanId, ...(span.parentSpanId && { parentSpanId: span.parentSpanId }), kind: span.kind, start: BigInt(span.startTimeUnixNano), end: BigInt(span.endTimeUnixNano),
    status: span.status?.code ?? 0, attributes: valuesOf(span.attributes), resource: valuesOf(resource.attributes),
  }))))
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue)]))
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
