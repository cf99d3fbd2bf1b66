/** A plain WebSocket in the dialect `autosdlc`: after a cut it opens another one, with what it was subscribed to and its last cursor in the query. */
import { canonicalType, type Answer, type EventInput, type Failure, type Gap, type HistoryRequest, type HubEvent, type PublishResult, type SubscribeRequest } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import { type Connected, type Credentials, type Driver, Logged, type Published, Refused } from '../gateway.js'
import { HttpApi, publishedOf } from './http.js'
import { plain } from './socketio.js'

interface Said {
  id: string
  type: string
  timestamp: number
  data: Record<string, unknown>
  metadata: HubEvent['metadata'] & { topics: string[]; cursor?: string }
}

interface Waiting {
  resolve: (data: Record<string, unknown>) => void
  reject: (error: Error) => void
}

const AGAIN_MS = 20

export const autosdlc: Driver = {
  name: 'autosdlc',
  async connect(url, credentials) {
    const connection = new AutosdlcConnection(url, credentials)
    try {
      await connection.open([])
    } catch (error) {
      // Whoever is not let in does not come back.
      connection.close()
      throw error
    }
    return connection
  },
}

class AutosdlcConnection extends Logged implements Connected {
  private readonly http: HttpApi
  private readonly topics = new Set<string>()
  private types: readonly string[] | undefined
  private readonly waiting = new Map<string, Waiting>()
  private socket!: WebSocket
  private isClosed = false
  private asked = 0

  constructor(private readonly url: string, private readonly credentials: Credentials) {
    super()
    this.http = new HttpApi(url, credentials)
  }

  /** @param query what it is subscribed to from the beginning */
  open(query: readonly [string, string][]): Promise<void> {
    const { token, project, compress } = this.credentials
    const asked = new URLSearchParams([['dialect', 'autosdlc'], ...query, ...(compress ? [['compress', 'gzip'] as [string, string]] : [])])
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/ws?${asked.toString()}`)
    this.socket = socket
    return new Promise((resolve, reject) => {
      socket.on('message', (bytes) => {
        const message = JSON.parse((bytes as Buffer).toString('utf8')) as Said
        if (message.type === 'connect') socket.send(JSON.stringify({ id: 'auth', type: 'auth_request', timestamp: Date.now(), data: { token, project } }))
        else if (message.type === 'auth_success') resolve()
        else if (message.type === 'auth_failure') reject(new Refused(String(message.data['code']), String(message.data['message'])))
        else this.take(message)
      })
      socket.on('error', (error) => reject(error))
      socket.once('close', () => {
        for (const { reject: fail } of this.waiting.values()) fail(new Error('cut off'))
        this.waiting.clear()
        reject(new Error('cut off'))
        if (!this.isClosed && socket === this.socket) setTimeout(() => void this.again(), AGAIN_MS)
      })
    })
  }

  async subscribe(request: SubscribeRequest): Promise<void> {
    await this.ask('subscribe', request)
    this.types = request.types
    for (const topic of request.topics) this.topics.add(topic)
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

  private ask(type: string, data: object): Promise<Record<string, unknown>> {
    const id = String(++this.asked)
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.socket.send(JSON.stringify({ id, type, timestamp: Date.now(), data }))
    })
  }

  private take({ id, type, timestamp, data, metadata }: Said): void {
    const { log } = this
    const { topics, cursor, ...rest } = metadata
    if (cursor !== undefined) {
      const event = plain({ id, type: canonicalType(type) ?? type, timestamp, project: '', topics, data, metadata: rest })
      return log.event(event, cursor)
    }
    if (type === 'gap') return log.gap(data as unknown as Gap)
    if (typeof data['cursor'] === 'string' && (type === 'cursor' || type === 'subscription_update')) log.cursor = data['cursor']
    const waiting = metadata.correlationId === undefined ? undefined : this.settle(metadata.correlationId)
    if (type !== 'error') return waiting?.resolve(data)
    const { code, message } = data as unknown as Failure
    if (waiting) waiting.reject(new Refused(code, message))
    else log.complaints.push(code)
  }

  private settle(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    return waiting
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
