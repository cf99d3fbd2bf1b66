/** What plain WebSockets carry, word for word: events, bookmarks, gaps, signals and failures in the dialects of `websocket.json`. */
import { readFileSync } from 'node:fs'
import type { Failure, Gap, HubEvent, Interest, Signal } from '@hubbub/protocol'
import { Compression } from '../../server/src/fanout/compression.js'
import { TailEntry } from '../../server/src/fanout/entry.js'
import type { Dialect } from '../../server/src/gateway/websocket/dialect.js'
import { createDialects } from '../../server/src/gateway/websocket/dialects/all.js'
import { webSocketFrame } from '../../server/src/gateway/frame.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { Store } from '../../server/src/store/port.js'

interface Golden {
  said: { cursor: string; gap: Gap; signal: Signal; failure: Failure }
  events: HubEvent[]
  dialects: Record<'topics' | 'task' | 'project', { interests: Interest[]; events: string[]; bookmark: object; gap: object; signal: object; failure: object }>
}

const golden = JSON.parse(readFileSync(new URL('./websocket.json', import.meta.url), 'utf8')) as Golden
const { cursor, ...said } = golden.said

let store: Store
let dialects: ReturnType<typeof createDialects>
beforeAll(async () => {
  const settings = settingsWith({ auth: 'none' })
  const metrics = createMetrics()
  store = await openStore(storeOptions(settings))
  dialects = createDialects({ settings, metrics, log: silent, compression: new Compression(settings.compressBytes, metrics), sessions: store.sessions, partitions: store.partitions, history: () => Promise.reject(new Error('nobody asks')) })
})
afterAll(() => store.close())

/** The moment at which a message was made is the only thing in it that differs. */
function timeless(message: object | undefined): object {
  const { timestamp: _made, ...rest } = message as { timestamp?: unknown }
  return rest
}

describe.each(Object.keys(golden.dialects) as (keyof Golden['dialects'])[])('%s', (kind) => {
  const told = golden.dialects[kind]
  const dialect = (): Dialect => dialects.get({ kind, name: 'T-1' })!

  test.each(golden.events.map((event, at) => ({ event, at, type: event.type })))('$type', ({ event, at }) => {
    const [epoch, offset] = cursor.split('.') as [string, string]
    const frame = new TailEntry({ offset, epoch, previous: '0-0', event: JSON.stringify(event) }).frame(dialect().encoding, told.interests)
    expect(frame.packet).toBe(told.events[at])
    expect(frame.bytes).toEqual(webSocketFrame(frame.packet))
  })

  test('bookmarks, gaps, signals, failures', () => {
    expect(timeless(dialect().bookmark(cursor))).toEqual(told.bookmark)
    expect(timeless(dialect().gap(said.gap))).toEqual(told.gap)
    expect(timeless(dialect().signal(said.signal))).toEqual(told.signal)
    expect(timeless(dialect().failure(said.failure))).toEqual(told.failure)
  })
})
