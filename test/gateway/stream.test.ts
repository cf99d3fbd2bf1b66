/** Events as server-sent events: what is on the wire, where a client goes on, how a stream ends. */
import type { EventInput, Failure } from '@hubbub/protocol'
import { EventSource } from 'eventsource'
import type { RunningHub } from '../../server/src/hub.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token, type Claims } from '../harness/token.js'
import { attendance, client, hub } from './agentHub.js'
import { ended, readStream, type Reader } from './streamReader.js'

const VIEWER: Claims = { sub: 'page', role: 'viewer' }

const stream = (running: RunningHub, query: string, as: Claims = VIEWER, headers?: Record<string, string>): Promise<Reader> =>
  readStream(`${running.url}/api/v1/stream?${query}`, { as: token(as), headers })
const progress = (id: string, taskId = '1', more: object = {}): EventInput => ({ id, type: 'task.progress', data: { taskId, progress: 1, ...more } })

async function publish(running: RunningHub, ...events: EventInput[]): Promise<void> {
  const told = await ask(`${running.url}/api/v1/events`, { as: token(), json: events })
  expect((told.body['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual(events.map(() => true))
}

async function hears(reader: Reader, ...ids: string[]): Promise<void> {
  await eventually(() => reader.ids().length >= ids.length, `${ids.join(' ')}; there are ${reader.ids().join(' ')}`)
  expect(reader.ids()).toEqual(ids)
}

/** Live, so that what follows comes as it happens. */
async function live(reader: Reader): Promise<void> {
  await eventually(() => reader.named('hub.cursor').length > 0, 'the first bookmark')
}

describe('a stream of server-sent events', () => {
  test('carries events of its topics as they are committed, each with its cursor and type', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=task:1,task:2')
    expect(reader.status).toBe(200)
    expect(reader.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    await live(reader)
    await publish(running, progress('a'), progress('b', '2'), progress('c', '3'), progress('d', '1', { message: 'two\nlines\r\nand more' }))
    await hears(reader, 'a', 'b', 'd')
    const events = reader.named('task.progress')
    expect(events.map(({ id }) => id)).toEqual(events.map(() => expect.stringMatching(/^[\w-]+\.\d+-\d+$/)))
    expect(reader.events()[2]).toMatchObject({ type: 'task.progress', data: { message: 'two\nlines\r\nand more' }, metadata: { source: expect.any(String) } })
    expect(reader.retry).toEqual([expect.any(Number)])
    expect(reader.retry[0]).toBeGreaterThanOrEqual(1000)
  })

  test('takes types, filters and since as history does', async () => {
    const running = await hub()
    await publish(running, progress('a'), progress('b', '1', { message: 'x' }), { id: 'c', type: 'task.started', data: { taskId: '1', message: 'x' } })
    const reader = await stream(running, 'topics=task:1&types=task.progress&filter.message=x&since=all')
    await publish(running, progress('d', '1', { message: 'x' }), progress('e'))
    await hears(reader, 'b', 'd')
    const last = await stream(running, 'topic=task:1&since=last:2')
    await hears(last, 'd', 'e')
  })

  test('goes on behind the id that its client heard last, whatever since says', async () => {
    const running = await hub()
    await publish(running, progress('a'), progress('b'), progress('c'))
    const first = await stream(running, 'topics=task:1&since=all')
    await hears(first, 'a', 'b', 'c')
    const [a, b] = first.named('task.progress').map(({ id }) => id!)
    await hears(await stream(running, 'topics=task:1&since=all', VIEWER, { 'last-event-id': a! }), 'b', 'c')
    await hears(await stream(running, `topics=task:1&since=all&lastEventId=${b}`), 'c')
    // A bookmark is a place, too.
    await live(first)
    const mark = first.named('hub.cursor').at(-1)!
    expect(JSON.parse(mark.data!)).toBe(mark.id)
    const third = await stream(running, 'topics=task:1', VIEWER, { 'last-event-id': mark.id! })
    await publish(running, progress('d'))
    await hears(third, 'd')
  })

  test('sends gathered events as one', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=task:1&batchMs=200')
    const latest = await stream(running, 'topics=task:1&latestOnly=true&batchMs=200')
    await Promise.all([live(reader), live(latest)])
    await publish(running, progress('a'), progress('b'))
    await eventually(() => reader.named('events').length + latest.named('events').length === 2, 'both batches')
    const batch = reader.named('events')[0]!
    const placed = JSON.parse(batch.data!) as { event: { id: string }; cursor: string }[]
    expect(placed.map(({ event }) => event.id)).toEqual(['a', 'b'])
    expect(batch.id).toBe(placed[1]!.cursor)
    expect((JSON.parse(latest.named('events')[0]!.data!) as typeof placed).map(({ event }) => event.id)).toEqual(['b'])
  })

  test('carries CloudEvents where they are asked for', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=task:1&format=cloudevents&since=all')
    await publish(running, progress('a'))
    await hears(reader, 'a')
    expect(reader.events()[0]).toMatchObject({ specversion: '1.0', id: 'a', type: 'task.progress', datacontenttype: 'application/json', data: { taskId: '1' } })
  })

  test('tells what can no longer be had, and goes on behind it', async () => {
    const running = await hub()
    await publish(running, progress('a'))
    const lost = 'lost.1-0'
    const reader = await stream(running, 'topics=task:1', VIEWER, { 'last-event-id': lost })
    await hears(reader, 'a')
    const [gap] = reader.named('gap')
    const told = JSON.parse(gap!.data!) as { from: string; to: string; reason: string }
    expect([told.from, told.reason, gap!.id]).toEqual([lost, 'epoch', told.to])
    const again = await stream(running, 'topics=task:1', VIEWER, { 'last-event-id': gap!.id! })
    await hears(again, 'a')
    expect(again.named('gap')).toEqual([])
  })

  test('is answered with a failure and its status before it begins', async () => {
    const running = await hub()
    const refused = async (query: string, as: Claims = VIEWER, headers = {}) => {
      const { status, body } = await ask(`${running.url}/api/v1/stream?${query}`, { as: token(as), headers })
      return [status, body.error?.code]
    }
    expect(await refused('')).toEqual([400, 'INVALID_MESSAGE'])
    expect(await refused('topics=nonsense:%20')).toEqual([400, 'INVALID_TOPIC'])
    expect(await refused('topics=task:1&since=yesterday')).toEqual([400, 'INVALID_CURSOR'])
    expect(await refused('topics=task:1', VIEWER, { 'last-event-id': 'x' })).toEqual([400, 'INVALID_CURSOR'])
    for (const wrong of ['batchMs=soon', 'batchMs=60001', 'latestOnly=yes', 'format=xml', 'compress=br']) {
      expect([wrong, ...(await refused(`topics=task:1&${wrong}`))]).toEqual([wrong, 400, 'INVALID_MESSAGE'])
    }
    expect(await refused('topics=task:1', { ...VIEWER, permissions: ['subscribe:agent:*'] })).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect((await ask(`${running.url}/api/v1/stream?topics=task:1`)).body.error?.code).toBe('AUTH_MISSING_TOKEN')
    expect((await ask(`${running.url}/api/v1/stream?topics=task:1`, { as: token(VIEWER), method: 'HEAD' })).headers.get('content-type')).toBe('text/event-stream')
  })

  test('says that it is alive', async () => {
    const running = await hub({ sseHeartbeatMs: 50 })
    const reader = await stream(running, 'topics=task:1')
    await eventually(() => reader.comments >= 3, 'three comments')
  })

  test('lets nobody see what is not granted, of another project or by a wildcard', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=*&since=all', { sub: 'stranger', role: 'admin', project: 'other' })
    await publish(running, progress('a'))
    await ask(`${running.url}/api/v1/events`, { as: token({ project: 'other' }), json: progress('b') })
    await hears(reader, 'b')
  })
})

describe('a stream counts as a connection', () => {
  const counted = async (running: RunningHub) => (await ask(`${running.url}/api/v1/websocket/status`, { as: token({ projects: ['*'] }) })).body

  test('in the status and the metrics, until its client hangs up', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=task:1')
    expect(await counted(running)).toMatchObject({ total: 1, active: 1 })
    expect((await ask(`${running.url}/metrics`)).text).toContain('hubbub_connections{transport="sse"} 1')
    reader.close()
    await eventually(async () => (await counted(running))['total'] === 0, 'its end')
    expect((await ask(`${running.url}/metrics`)).text).toContain('hubbub_connections{transport="sse"} 0')
  })

  test('for the limit of a worker, together with all others', async () => {
    const running = await hub({ maxConnections: 2 })
    await client(running, VIEWER)
    await stream(running, 'topics=task:1')
    const { status, body } = await ask(`${running.url}/api/v1/stream?topics=task:1`, { as: token(VIEWER) })
    expect([status, body.error?.code]).toEqual([503, 'CONNECTION_LIMIT'])
    const refused = await ask(`${running.url}/socket.io/?EIO=4&transport=polling`)
    expect(refused.body.error?.code).toBe('CONNECTION_LIMIT')
  })

  test('and an EventSource that is refused for a while comes back by itself, where any status but 200 would end it for good', async () => {
    const running = await hub({ maxConnections: 1 })
    const first = await client(running, VIEWER)
    const complaints: Failure[] = []
    const source = new EventSource(`${running.url}/api/v1/stream?topics=task:1&token=${token(VIEWER)}`)
    source.addEventListener('hub.error', ({ data }) => complaints.push(JSON.parse(data as string) as Failure))
    const heard = new Promise((resolve) => source.addEventListener('hub.cursor', resolve))
    await eventually(() => complaints.length > 0, 'the refusal')
    expect(complaints[0]).toMatchObject({ code: 'CONNECTION_LIMIT', retryable: true })
    first.close()
    await heard
    source.close()
  })

  test('but not one whose credential is none', async () => {
    const running = await hub()
    const source = new EventSource(`${running.url}/api/v1/stream?topics=task:1&token=nonsense`)
    const code = await new Promise((resolve) => source.addEventListener('error', (error) => resolve(error.code)))
    expect([code, source.readyState]).toEqual([401, source.CLOSED])
  })

  test('for who is connected, and who watches', async () => {
    const running = await hub()
    const watching = await client(running, { sub: 'watcher', role: 'viewer' })
    await watching.must('subscribe', { topics: ['connection:*'] })
    const reader = await stream(running, 'topics=task:1', { sub: 'coder', role: 'agent' })
    await eventually(() => attendance(watching).length === 1, 'its beginning')
    expect((await ask(`${running.url}/api/v1/presence?topic=task:1`, { as: token() })).body['watchers']).toMatchObject([{ subject: 'coder' }])
    reader.close()
    await eventually(() => attendance(watching).length === 2, 'its end')
    expect(attendance(watching)).toMatchObject([{ type: 'connection.opened', data: { agentId: 'coder' } }, { type: 'connection.closed', data: { reason: 'transport closed' } }])
  })
})

describe('a stream ends, and says why', () => {
  const complaint = (reader: Reader): Failure => JSON.parse(reader.named('hub.error')[0]!.data!) as Failure

  test('when its credential expires', async () => {
    const running = await hub()
    const reader = await stream(running, 'topics=task:1', { ...VIEWER, exp: Math.floor(Date.now() / 1000) + 1 })
    await ended(reader)
    expect(complaint(reader)).toMatchObject({ code: 'AUTH_TOKEN_EXPIRED', retryable: false })
  })

  test('when its subject is revoked', async () => {
    const running = await hub({ revocationPollMs: 100 })
    const reader = await stream(running, 'topics=task:1')
    await live(reader)
    await ask(`${running.url}/api/v1/revocations`, { as: token({ projects: ['*'] }), json: { subject: 'page' } })
    await ended(reader)
    expect(complaint(reader)).toMatchObject({ code: 'AUTH_REVOKED' })
    await publish(running, progress('a'))
    expect(reader.ids()).toEqual([])
  })

  test('when the worker stops', async () => {
    const running = await hub()
    const readers = [await stream(running, 'topics=task:1'), await stream(running, 'topics=task:1&compress=none')]
    await running.close()
    for (const reader of readers) {
      await ended(reader)
      expect(complaint(reader)).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    }
  })
})

describe('a slow reader of a stream', () => {
  const bulk = (place: number): EventInput => progress(`b${place}`, '1', { message: `${place} ${'x'.repeat(50_000)}` })
  const IDS = Array.from({ length: 400 }, (_, place) => `b${place}`)
  const fellBehind = async (running: RunningHub) => /^hubbub_catchups_total\{cause="slow"\} [1-9]/m.test((await ask(`${running.url}/metrics`)).text)

  async function flood(running: RunningHub): Promise<void> {
    for (let at = 0; at < IDS.length; at += 20) await publish(running, ...Array.from({ length: 20 }, (_, place) => bulk(at + place)))
  }

  test('delays nobody, and reads what it missed from the journal', async () => {
    const running = await hub()
    const [slow, quick] = [await stream(running, 'topics=task:1'), await stream(running, 'topics=task:1')]
    await live(quick)
    slow.pause()
    await flood(running)
    await hears(quick, ...IDS)
    await eventually(() => fellBehind(running), 'its falling behind')
    slow.resume()
    await hears(slow, ...IDS)
  })

  test('that takes nothing any more loses its place, and nothing else', async () => {
    const running = await hub({ sseHeartbeatMs: 50 })
    const slow = await stream(running, 'topics=task:1')
    await live(slow)
    slow.pause()
    await flood(running)
    await eventually(async () => (await ask(`${running.url}/api/v1/websocket/status`, { as: token() })).body['total'] === 0, 'its end')
    slow.resume()
    await ended(slow)
    const rest = await stream(running, 'topics=task:1', VIEWER, { 'last-event-id': slow.told.at(-1)!.id! })
    await hears(rest, ...IDS.slice(slow.ids().length))
  })
})

describe('the stock EventSource', () => {
  test('hears events, and comes back by itself to its place on the hub that follows', async () => {
    const running = await hub()
    const port = Number(new URL(running.url).port)
    const heard: string[] = []
    const source = new EventSource(`${running.url}/api/v1/stream?topics=task:1&since=all&token=${token(VIEWER)}`)
    source.addEventListener('task.progress', ({ data }) => void heard.push((JSON.parse(String(data)) as { id: string }).id))
    await publish(running, progress('a'))
    await eventually(() => heard.length === 1, 'the first event')
    await running.close()
    const next = await hub({ port })
    await publish(next, progress('b'))
    // Another store, in which the first event never was: a gap is told, and everything there is.
    await eventually(() => heard.length === 2, 'the event behind it')
    expect(heard).toEqual(['a', 'b'])
    source.close()
  })
})
