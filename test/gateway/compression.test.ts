/** Large events compressed: once an event, for whoever asked; and publishes that come compressed. Over real Socket.IO. */
import { gunzipSync, gzipSync } from 'node:zlib'
import type { HubEvent, PlacedEvent } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token, type Claims } from '../harness/token.js'
import type { RunningHub } from '../../server/src/hub.js'
import { client, drop, hub, service } from './agentHub.js'

const LARGE = { lines: Array.from({ length: 200 }, (_, place) => `line ${place}`) }
const RANDOM = { text: Array.from({ length: 1500 }, (_, place) => String.fromCodePoint(33 + ((place * 7919 + (place * place) % 8191) % 90))).join('') }
const sinks: Sink[] = []
afterEach(() => {
  for (const sink of sinks.splice(0)) sink.close()
})

async function follow(running: RunningHub, compress?: unknown, request: object = {}): Promise<Sink> {
  const auth = { token: token({ role: 'viewer' }), ...(compress !== undefined && { compress }) }
  const sink = await stockClient(running.url, { topics: ['thread:1'], ...request, client: { auth } })
  sinks.push(sink)
  return sink
}

async function metric(running: RunningHub, name: string): Promise<number> {
  const text = await (await fetch(`${running.url}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

const note = (id: string, data: unknown, metadata?: object) => ({ id, type: 'custom.note', data, topics: ['thread:1'], ...(metadata && { metadata }) })
const pack = (data: unknown) => gzipSync(JSON.stringify(data)).toString('base64')
const unpack = ({ data }: HubEvent) => JSON.parse(gunzipSync(Buffer.from(data as string, 'base64')).toString()) as unknown
const isCompressed = ({ metadata }: HubEvent) => (metadata as { compressed?: unknown }).compressed

describe('outwards', () => {
  test('events over 1 KB come compressed to whoever asked, plain to all others; each is compressed once', async () => {
    const running = await hub()
    const asked = await Promise.all(Array.from({ length: 5 }, () => follow(running, 'gzip')))
    const others = [await follow(running), await follow(running, true), await follow(running, 'br')]
    const publisher = await service(running)
    await publisher.must('publish', [note('a', { n: 1 }), note('b', LARGE), note('c', { n: 3 }), note('d', LARGE)])
    for (const sink of [...asked, ...others]) await sink.holds(4)
    for (const sink of asked) {
      expect(sink.events.map(({ event }) => isCompressed(event))).toEqual([undefined, true, undefined, true])
      expect(unpack(sink.events[1]!.event)).toEqual(LARGE)
      expect(sink.events[1]!.event).toMatchObject({ id: 'b', type: 'custom.note', topics: ['project', 'thread:1'], metadata: { source: '/services/planner' } })
    }
    for (const sink of others) expect(sink.events.map(({ event }) => event.data)).toEqual([{ n: 1 }, LARGE, { n: 3 }, LARGE])
    expect(asked[0]!.receipts().map(({ offset }) => offset)).toEqual(others[0]!.receipts().map(({ offset }) => offset))
    expect(await metric(running, 'hubbub_event_compressions_total')).toBe(2)
  })

  test('what compression would make larger stays as it is', async () => {
    const running = await hub()
    const sink = await follow(running, 'gzip')
    await (await service(running)).must('publish', note('a', RANDOM))
    await sink.holds(1)
    expect([isCompressed(sink.events[0]!.event), sink.events[0]!.event.data]).toEqual([undefined, RANDOM])
  })

  test('HUBBUB_COMPRESS_BYTES says what is large', async () => {
    const running = await hub({ compressBytes: 100_000 })
    const sink = await follow(running, 'gzip')
    await (await service(running)).must('publish', note('a', LARGE))
    await sink.holds(1)
    expect(sink.events[0]!.event.data).toEqual(LARGE)
    expect(await metric(running, 'hubbub_event_compressions_total')).toBe(0)
  })

  test('what a gathered message holds is compressed, too, and answers are not', async () => {
    const running = await hub()
    const publisher = await service(running)
    await publisher.must('publish', note('a', LARGE))
    const sink = await follow(running, 'gzip', { since: 'all', batchMs: 30 })
    await publisher.must('publish', [note('b', LARGE), note('c', { n: 1 })])
    await eventually(() => sink.events.some(({ type }) => type === 'events'))
    expect(sink.events[0]!.event).toMatchObject({ id: 'a', data: LARGE })
    const placed = sink.events[1]!.event as unknown as PlacedEvent[]
    expect(placed.map(({ event }) => isCompressed(event))).toEqual([true, undefined])
    expect(unpack(placed[0]!.event)).toEqual(LARGE)
  })

  test('a client that was cut off recovers behind a compressed event', async () => {
    const running = await hub()
    const sink = await follow(running, 'gzip')
    const publisher = await service(running)
    await publisher.must('publish', [note('a', LARGE), note('b', LARGE)])
    await sink.holds(2)
    drop({ socket: sink.socket } as Parameters<typeof drop>[0])
    await publisher.must('publish', [note('c', LARGE)])
    await sink.holds(3)
    expect(sink.connections.map(({ recovered }) => recovered)).toEqual([false, true])
    expect(sink.ids()).toEqual(['a', 'b', 'c'])
    expect(sink.events.map(({ event }) => unpack(event))).toEqual([LARGE, LARGE, LARGE])
    expect(sink.gaps).toEqual([])
  })
})

describe('inwards', () => {
  const packed = (id: string, data: unknown, metadata: object = {}) => note(id, data, { compressed: true, ...metadata })

  async function publishing(running: RunningHub, input: unknown, claims: Claims = { sub: 'bob', role: 'service' }) {
    const answer = await (await client(running, claims)).call<{ offset: string; duplicate?: boolean }>('publish', input)
    return answer.ok ? answer : { ...answer, code: answer.error.code }
  }

  test('a publish that comes compressed stands in the journal as if it had come plain', async () => {
    const running = await hub()
    const sink = await follow(running)
    const answer = await publishing(running, packed('a', pack(LARGE), { correlationId: 'x' }))
    expect(answer).toMatchObject({ ok: true, id: 'a' })
    await sink.holds(1)
    const { event } = sink.events[0]!
    expect(event).toMatchObject({ data: LARGE, metadata: { correlationId: 'x' } })
    expect(event.metadata).not.toHaveProperty('compressed')
    // By the same id it is the same event, however it comes.
    expect(await publishing(running, note('a', LARGE))).toMatchObject({ ok: true, duplicate: true })
  })

  test('its data is what the catalogue says, older names and receipts included', async () => {
    const running = await hub()
    const answer = await publishing(running, { id: 'a', type: 'task:progress', data: pack({ task_id: 't', progress: 30 }), metadata: { compressed: true } })
    expect(answer).toMatchObject({ ok: true, type: 'task.progress', taskId: 't', progress: 30 })
    expect(await publishing(running, { type: 'task.progress', data: pack({ progress: 30 }), metadata: { compressed: true } })).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('over HTTP and in a batch, too, each answered on its own and in order', async () => {
    const running = await hub()
    const sink = await follow(running)
    const response = await fetch(`${running.url}/api/v1/events`, {
      method: 'POST', headers: { authorization: `Bearer ${token({ sub: 'bob', role: 'service' })}`, 'content-type': 'application/json' },
      body: JSON.stringify([note('a', { n: 1 }), packed('b', pack(LARGE)), packed('c', 'no base64!'), note('d', { n: 2 }), packed('e', pack({ n: 3 }))]),
    })
    const { results } = (await response.json()) as { results: { ok: boolean; id?: string; error?: { code: string } }[] }
    expect(results.map(({ id, error }) => id ?? error!.code)).toEqual(['a', 'b', 'VALIDATION_ERROR', 'd', 'e'])
    await sink.holds(4)
    expect(sink.ids()).toEqual(['a', 'b', 'd', 'e'])
  })

  test('what is sent behind a compressed one does not overtake it', async () => {
    const running = await hub()
    const sink = await follow(running)
    const bob = await service(running)
    const expected: string[] = []
    const answers = Array.from({ length: 40 }, (_, place) => {
      expected.push(`e${place}`)
      return bob.must('publish', place % 2 === 0 ? packed(`e${place}`, pack(LARGE)) : note(`e${place}`, { n: place }))
    })
    await Promise.all(answers)
    await sink.holds(40)
    expect(sink.ids()).toEqual(expected)
  })

  test('a bomb is refused before it goes off', async () => {
    const running = await hub()
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)).toString('base64')
    expect(await publishing(running, packed('a', bomb))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const nested = gzipSync(`${'['.repeat(60_000)}${']'.repeat(60_000)}`).toString('base64')
    expect(await publishing(running, packed('b', nested))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    expect(await publishing(running, packed('c', pack(JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`))))).toMatchObject({ code: 'VALIDATION_ERROR' })
    // One byte too many, and exactly as many as are allowed.
    const text = (length: number) => pack({ text: 'x'.repeat(length - '{"text":""}'.length) })
    expect(await publishing(running, packed('d', text(65_537)))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    expect(await publishing(running, packed('e', text(65_536)))).toMatchObject({ ok: true })
  })

  test.each([
    ['data that is no text', { n: 1 }], ['text that is no base64', 'no base64!'], ['base64 that is cut short', pack(LARGE).slice(0, -1)], ['base64 of something else', Buffer.from('plain').toString('base64')],
    ['a gzip that is cut short', Buffer.from(pack(LARGE), 'base64').subarray(0, 60).toString('base64')], ['a gzip of no JSON', gzipSync('{"n":').toString('base64')],
    ['a gzip of no UTF-8', gzipSync(Buffer.from([0x22, 0xff, 0x22])).toString('base64')], ['no data at all', undefined],
  ])('%s is refused', async (_what, data) => {
    const running = await hub()
    expect(await publishing(running, packed('a', data))).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(await publishing(running, note('a', LARGE))).toMatchObject({ ok: true })
    expect(await metric(running, 'hubbub_rejections_total{code="VALIDATION_ERROR"}')).toBe(1)
  })

  test('nothing is inflated for whoever may not publish it', async () => {
    const running = await hub()
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024)).toString('base64')
    expect(await publishing(running, packed('a', bomb), { sub: 'vic', role: 'viewer' })).toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS', error: { details: { needed: 'publish:custom.note' } } })
    expect(await publishing(running, { ...packed('a', bomb), type: 'nosuch.type' }, { sub: 'vic', role: 'viewer' })).toMatchObject({ code: 'UNKNOWN_TYPE' })
  })

  test('what only says that it is not compressed is plain', async () => {
    const running = await hub()
    expect(await publishing(running, note('a', { n: 1 }, { compressed: false }))).toMatchObject({ ok: true })
  })
})
