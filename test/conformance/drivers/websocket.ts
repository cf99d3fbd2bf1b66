/** A plain WebSocket in the dialect of `/ws`: after a cut it opens another one, with what it was subscribed to and its last cursor in the query. */
import { Readable } from 'node:stream'
import type { Gap, EventInput, HistoryRequest, PublishResult, Answer, SubscribeRequest } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import { type Connected, type Credentials, type Driver, Logged, type Published, Refused } from '../gateway.js'
import { HttpApi, publishedOf, told } from './http.js'

interface Said {
  type: string
  id?: string
  timestamp: string
  payload: Record<string, unknown>
}

interface Place {
  topic: string
  eventType: string
  data: unknown
  id: string
  topics: string[]
  metadata: never
  cursor: string
}

/** The dialect's own words for failures. */
const CODES: Readonly<Record<string, string>> = {
  WS_INVALID_MESSAGE: 'INVALID_MESSAGE', WS_INVALID_TOPIC: 'INVALID_TOPIC', WS_SUBSCRIPTION_LIMIT: 'SUBSCRIPTION_LIMIT', WS_NOT_SUBSCRIBED: 'NOT_SUBSCRIBED', WS_UNKNOWN_TYPE: 'INVALID_MESSAGE',
}
const AGAIN_MS = 20

export const websocket: Driver = {
  name: 'WebSocket',
  async connect(url, credentials) {
    const connection = new WebSocketConnection(url, credentials)
    await connection.open([]).catch((error: unknown) => {
      connection.close()
      throw error
    })
    return connection
  },
}

class WebSocketConnection extends Logged implements Connected {
  private readonly http: HttpApi
  private readonly topics = new Set<string>()
  private types: readonly string[] | undefined
  private readonly waiting = new Map<string, { resolve: (payload: Record<string, unknown>) => void; reject: (error: Error) => void }>()
  private socket!: WebSocket
  private isClosed = false
  private asked = 0

  constructor(private readonly url: string, credentials: Credentials) {
    super()
    this.http = new HttpApi(url, credentials)
  }

  /** @param query what it is subscribed to from the beginning */
  open(query: readonly [string, string][]): Promise<void> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/ws?${new URLSearchParams([...query]).toString()}`, { headers: this.http.headers })
    this.socket = socket
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve())
      socket.once('unexpected-response', (_request, response) => {
        told(new Response(Readable.toWeb(response) as never, { status: response.statusCode })).catch(reject)
      })
      socket.on('message', (data) => this.take(JSON.parse((data as Buffer).toString('utf8')) as Said))
      socket.on('error', (error) => reject(error))
      socket.once('close', () => {
        for (const { reject: fail } of this.waiting.values()) fail(new Error('cut off'))
        this.waiting.clear()
        if (!this.isClosed && socket === this.socket) setTimeout(() => void this.again(), AGAIN_MS)
      })
    })
  }

  async subscribe({ topics, types, ...options }: SubscribeRequest): Promise<void> {
    // Several topics' past in one order: only the connection's beginning has that.
    if (options.since !== undefined && topics.length > 1) await this.reopen([...topics.map((topic): [string, string] => ['topics', topic]), ['since', sinceOf(options.since)]])
    // Without types a topic of work brings only what is of its own kind.
    else await this.ask('subscribe', { topics, types: types ?? ['*'], ...options })
    this.types = types
    for (const topic of topics) this.topics.add(topic)
  }

  async unsubscribe(topics: string[]): Promise<void> {
    await this.ask('unsubscribe', { topics })
    for (const topic of topics) this.topics.delete(topic)
  }

  async publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]> {
    if (inputs.length !== 1) return ((await this.ask('publish', inputs)) as { results: Answer<PublishResult>[] }).results.map(publishedOf)
    try {
      return [publishedOf({ ok: true, ...((await this.ask('publish', { ...inputs[0], ...(ack && { ack }) })) as unknown as PublishResult) })]
    } catch (error) {
      if (error instanceof Refused) return [{ refused: error.code }]
      throw error
    }
  }

  async command(command: string, payload?: unknown): Promise<unknown> {
    return (await this.ask('command', { command, payload }))['result']
  }

  async snapshot(topics: string[]) {
    return (await this.ask('snapshot', { topics }))['entities'] as { kind: string; id: string }[]
  }

  history(request: HistoryRequest) {
    return this.http.history(request)
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    await this.ask('signal', { topic, name, data })
  }

  close(): void {
    this.isClosed = true
    this.socket.close()
  }

  private ask(type: string, payload: object): Promise<Record<string, unknown>> {
    const id = String(++this.asked)
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.socket.send(JSON.stringify({ type, id, payload }))
    })
  }

  private take({ type, id, timestamp, payload }: Said): void {
    const { log } = this
    const hear = ({ eventType, id: event, cursor, data, topics, metadata }: Place) =>
      log.event({ id: event, type: eventType, timestamp: Date.parse(timestamp), topics, data, metadata }, cursor)
    if (type === 'event') hear(payload as unknown as Place)
    else if (type === 'events') for (const place of payload['events'] as Place[]) hear(place)
    else if (type === 'gap') log.gap(payload as unknown as Gap)
    else if (type === 'cursor') log.cursor = String(payload['cursor'])
    else if (type === 'error') this.refused(id, payload as { code: string; message: string })
    else if (id !== undefined) this.settle(id)?.resolve(payload)
    if (type === 'subscribed') log.cursor = String(payload['cursor'])
  }

  private refused(id: string | undefined, { code, message }: { code: string; message: string }): void {
    const waiting = id === undefined ? undefined : this.settle(id)
    if (waiting) waiting.reject(new Refused(CODES[code] ?? code, message))
    else this.log.complaints.push(CODES[code] ?? code)
  }

  private settle(id: string) {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    return waiting
  }

  private async reopen(query: [string, string][]): Promise<void> {
    const before = this.socket
    await this.open(query)
    before.close()
  }

  private async again(): Promise<void> {
    if (this.isClosed) return
    const query: [string, string][] = [...this.topics].map((topic) => ['topics', topic])
    for (const type of this.types ?? []) query.push(['types', type])
    if (this.log.cursor !== undefined) query.push(['since', this.log.cursor])
    await this.open(query).catch((error: unknown) => {
      if (error instanceof Refused) this.log.complaints.push(error.code)
      // The socket's end has it tried again.
    })
  }
}

function sinceOf(since: NonNullable<SubscribeRequest['since']>): string {
  return typeof since === 'object' ? `last:${since.last}` : since
}
