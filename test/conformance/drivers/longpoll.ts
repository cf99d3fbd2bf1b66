/** `GET /api/v1/history?wait=`: one page after the other, each behind the cursor of the one before. */
import type { SubscribeRequest } from '@hubbub/protocol'
import type { Driver } from '../gateway.js'
import { HttpReading, type Reader } from './readers.js'

/** Short: whoever waits longer learns of its token's end later. */
const WAIT_SECONDS = 1

export const longpoll: Driver = {
  name: 'long-poll',
  async connect(url, credentials) {
    const reading = new LongPoll(url, credentials)
    // Nothing is open yet; whether the credential is good shows all the same.
    await reading.greet()
    return reading
  },
}

class LongPoll extends HttpReading {
  async greet(): Promise<void> {
    await this.http.get('/websocket/status')
  }

  protected async read(reader: Reader, since: SubscribeRequest['since'], begun: () => void): Promise<void> {
    const { topics, choice, stop } = reader
    const { types, filter } = choice
    // From now on: the place behind whatever there is.
    if (since === undefined) reader.cursor = (await this.http.history({ topics, types, filter, since: { last: 1 }, limit: 1 }, stop.signal)).cursor
    const from = reader.cursor ?? since
    // The first page is not waited for: it says whether all is well.
    const isFirst = since === undefined || reader.cursor === undefined || !this.waited.has(reader.stop)
    const { events, cursor, more, gap } = await this.http.history({ topics, types, filter, since: from, limit: 1000, ...(!isFirst && { wait: WAIT_SECONDS }) }, stop.signal)
    if (stop.signal.aborted) return
    if (gap) this.log.gap(gap)
    for (const event of events) this.log.event(event, event.cursor)
    reader.cursor = cursor
    if (!more) {
      this.waited.add(stop)
      begun()
    }
  }

  /** Rounds of reading that are up to date. */
  private readonly waited = new WeakSet<AbortController>()
}
