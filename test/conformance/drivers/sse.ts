/** `GET /api/v1/stream`: what EventSource does, with the refusals that it does not show. */
import type { Gap, HubEvent, PlacedEvent, SubscribeRequest } from '@hubbub/protocol'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Driver } from '../gateway.js'
import { queryOf, told } from './http.js'
import { HttpReading, type Reader } from './readers.js'

export const sse: Driver = {
  name: 'SSE',
  async connect(url, credentials) {
    const reading = new Sse(url, credentials, credentials.compress === true)
    await reading.greet()
    return reading
  },
}

class Sse extends HttpReading {
  constructor(url: string, credentials: ConstructorParameters<typeof HttpReading>[1], private readonly compress: boolean) {
    super(url, credentials)
  }

  async greet(): Promise<void> {
    await this.http.get('/websocket/status')
  }

  protected async read(reader: Reader, since: SubscribeRequest['since'], begun: () => void): Promise<void> {
    const { topics, choice, stop } = reader
    const { snapshot: _none, ...wanted } = choice
    const resumes = reader.cursor !== undefined
    const query = queryOf({ topics, ...wanted, ...(!resumes && since !== undefined && { since }) })
    if (this.compress) query.push(['compress', 'gzip'])
    const headers = { ...this.http.headers, ...(resumes && { 'last-event-id': reader.cursor! }) }
    const response = await fetch(this.http.address('/stream', query), { headers, signal: stop.signal })
    if (!response.ok) return void (await told(response))
    const parser = createParser({
      onEvent: (message) => {
        if (message.id !== undefined) reader.cursor = message.id
        this.take(message)
        // From its first id on it can come back to its place.
        if (reader.cursor !== undefined) begun()
      },
    })
    const decoder = new TextDecoder()
    for await (const bytes of response.body!) {
      if (stop.signal.aborted) return
      parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }))
    }
  }

  private take({ event, data, id }: EventSourceMessage): void {
    const said: unknown = JSON.parse(data)
    switch (event) {
      case 'hub.cursor':
        return
      case 'gap':
        return this.log.gap(said as Gap)
      case 'hub.error':
        return void this.log.complaints.push((said as { code: string }).code)
      case 'events':
        for (const placed of said as PlacedEvent[]) this.log.event(placed.event, placed.cursor)
        return
      default:
        this.log.event(said as HubEvent, id!)
    }
  }
}
