/**
 * Reading over HTTP, for wires on which a subscription is the request itself: whoever wants more topics, or fewer, asks anew behind the
 * last cursor. What differs in types or filter is read apart.
 */
import type { HistoryRequest, SubscribeRequest } from '@hubbub/protocol'
import type { EventInput } from '@hubbub/protocol'
import { type Connected, type Credentials, Logged, Refused } from '../gateway.js'
import { HttpApi } from './http.js'

const AGAIN_MS = 20

export interface Reader {
  topics: string[]
  /** All but topics and since. */
  readonly choice: Omit<SubscribeRequest, 'topics' | 'since'>
  /** Everything up to here was heard. */
  cursor?: string
  stop: AbortController
}

export abstract class HttpReading extends Logged implements Connected {
  protected readonly http: HttpApi
  private readonly readers: Reader[] = []

  constructor(url: string, credentials: Credentials) {
    super()
    this.http = new HttpApi(url, credentials)
  }

  /** Sets the reader's cursor, and calls `begun` when that was done. Returns at the end of the wire or of the page; rejects with `Refused`. */
  protected abstract read(reader: Reader, since: SubscribeRequest['since'], begun: () => void): Promise<void>

  async subscribe({ topics, since, ...choice }: SubscribeRequest): Promise<void> {
    const alike = since === undefined ? this.readers.find((reader) => JSON.stringify(reader.choice) === JSON.stringify(choice)) : undefined
    const reader: Reader = alike ?? { topics: [], choice, stop: new AbortController() }
    alike?.stop.abort()
    const before = reader.topics
    reader.topics = [...new Set([...before, ...topics])]
    if (!alike) this.readers.push(reader)
    try {
      await this.begin(reader, since)
    } catch (error) {
      reader.topics = before
      if (!alike) this.readers.splice(this.readers.indexOf(reader), 1)
      else await this.begin(reader)
      throw error
    }
  }

  async unsubscribe(topics: string[]): Promise<void> {
    for (const reader of [...this.readers]) {
      const rest = reader.topics.filter((topic) => !topics.includes(topic))
      if (rest.length === reader.topics.length) continue
      reader.stop.abort()
      reader.topics = rest
      if (rest.length > 0) await this.begin(reader)
      else this.readers.splice(this.readers.indexOf(reader), 1)
    }
  }

  publish(inputs: EventInput[], ack?: 'accepted') {
    return this.http.publish(inputs, ack)
  }

  async command(command: string, payload?: unknown): Promise<unknown> {
    return (await this.http.must<{ ok: true; result: unknown }>('/commands', { command, payload })).result
  }

  async snapshot(topics: string[]) {
    return (await this.http.get<{ entities: { kind: string; id: string }[] }>('/snapshot', topics.map((topic) => ['topic', topic] as const))).entities
  }

  history(request: HistoryRequest) {
    return this.http.history(request)
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    await this.http.must('/signals', { topic, name, data })
  }

  close(): void {
    for (const reader of this.readers.splice(0)) reader.stop.abort()
  }

  private begin(reader: Reader, since?: SubscribeRequest['since']): Promise<void> {
    const stop = (reader.stop = new AbortController())
    return new Promise((resolve, reject) => void this.keepReading(reader, stop.signal, since, resolve, reject))
  }

  /** Again and again, until it is stopped or refused. */
  private async keepReading(reader: Reader, stopped: AbortSignal, since: SubscribeRequest['since'], begun: () => void, failed: (error: unknown) => void): Promise<void> {
    while (!stopped.aborted) {
      try {
        await this.read(reader, reader.cursor ?? since, begun)
      } catch (error) {
        if (stopped.aborted) return
        if (error instanceof Refused) {
          failed(error)
          this.log.complaints.push(error.code)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }
}
