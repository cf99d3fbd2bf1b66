import type { PlacedEvent } from '@hubbub/protocol'
import { signToken } from '@hubbub/server'
import { io, type Socket } from 'socket.io-client'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { eventually } from '../harness/eventually.js'

const secret = 'of this test only, but long enough to be one'
const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

async function hub(settings: Partial<Settings> = {}): Promise<RunningHub> {
  const running = await startHub({ settings: settingsWith({ port: 0, jwtSecret: secret, messageRate: 100_000, messageBurst: 100_000, familyRates: '*=1000000', ...settings }) })
  open.push(running)
  return running
}

/** A polling client says goodbye by a request of its own: the hub must still be there for it. */
async function closed(socket: Socket): Promise<void> {
  const { engine } = socket.io
  const gone = new Promise<void>((resolve) => engine.once('close', () => resolve()))
  socket.close()
  await gone
}

interface Client {
  socket: Socket
  /** Live events in arrival order. */
  live: { n: number; cursor: string }[]
}

async function client(url: string, options: { role?: string; transports?: string[] } = {}): Promise<Client> {
  const socket = io(url, {
    auth: { token: signToken(secret, { sub: 'tester', role: options.role ?? 'service' }, '1h') },
    transports: options.transports ?? ['websocket'],
    forceNew: true,
    reconnectionDelay: 20,
  })
  open.push({ close: () => closed(socket) })
  const live: Client['live'] = []
  socket.on('custom.count', (event: { data: { n: number } }, cursor: string) => live.push({ n: event.data.n, cursor }))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  return { socket, live }
}

const count = (n: number, task = 'a') => ({ type: 'custom.count', data: { n }, topics: [`task:${task}`] })

/** Asks until the subscription is live; every event of its answers. */
async function subscribeSince(socket: Socket, topics: string[], since: unknown): Promise<number[]> {
  const got: number[] = []
  for (let from = since; ; ) {
    const answer = (await socket.emitWithAck('subscribe', { topics, since: from })) as { ok: boolean; events: PlacedEvent[]; more: boolean; cursor: string }
    expect(answer.ok).toBe(true)
    for (const { event } of answer.events) got.push((event.data as { n: number }).n)
    if (!answer.more) return got
    from = answer.cursor
  }
}

test('backfill in answers and live in messages are one sequence, whenever a client joins a running stream (I2)', async () => {
  const { url } = await hub({ pageEvents: 50, gatherMs: 0 })
  const producer = await client(url)
  const total = 3000
  const progress = { sent: 0 }
  const produce = async () => {
    for (let n = 0; n < total; n += 25) {
      await producer.socket.emitWithAck('publish', Array.from({ length: 25 }, (_, i) => count(n + i, i % 2 ? 'a' : 'b')))
      progress.sent = n + 25
    }
  }
  const producing = produce()
  const joiners: { backfill: number[]; live: Client['live'] }[] = []
  while (progress.sent < total - 500) {
    const late = await client(url)
    const topics = joiners.length % 2 ? ['task:*'] : ['task:a', 'task:b']
    joiners.push({ backfill: await subscribeSince(late.socket, topics, 'all'), live: late.live })
  }
  await producing
  expect(joiners.length).toBeGreaterThan(3)
  const all = Array.from({ length: total }, (_, n) => n)
  for (const { backfill, live } of joiners) {
    await eventually(() => backfill.length + live.length >= total)
    expect([...backfill, ...live.map(({ n }) => n)]).toEqual(all)
  }
})

test('a client that subscribed to nothing comes back as a new session, for it may have meant to, and is told of no gap', async () => {
  const { url } = await hub()
  const { socket } = await client(url)
  const gaps: unknown[] = []
  socket.on('gap', (gap: unknown) => gaps.push(gap))
  const other = await client(url)
  const back = new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  socket.io.engine.close()
  await other.socket.emitWithAck('publish', count(1))
  await back
  expect(socket.recovered).toBe(false)
  expect(await socket.emitWithAck('subscribe', { topics: ['task:a'] })).toMatchObject({ ok: true })
  expect(gaps).toEqual([])
})

test('two subscriptions that both fit bring an event once; dropping one leaves the other', async () => {
  const { url } = await hub()
  const { socket, live } = await client(url)
  const first = (await socket.emitWithAck('subscribe', { topics: ['task:a'] })) as { subscriptionId: string }
  expect(await socket.emitWithAck('subscribe', { topics: ['task:*'], types: ['custom.*'] })).toMatchObject({ ok: true, activeSubscriptions: 2 })
  await socket.emitWithAck('publish', count(1))
  expect(await socket.emitWithAck('unsubscribe', { subscriptionId: first.subscriptionId })).toEqual({ ok: true, activeSubscriptions: 1 })
  await socket.emitWithAck('publish', count(2))
  expect(await socket.emitWithAck('unsubscribe', {})).toEqual({ ok: true, activeSubscriptions: 0 })
  await socket.emitWithAck('publish', count(3))
  expect(await socket.emitWithAck('unsubscribe', { topics: ['task:a'] })).toMatchObject({ ok: false, error: { code: 'NOT_SUBSCRIBED' } })
  expect(live.map(({ n }) => n)).toEqual([1, 2])
})

test('a duration within which nothing was committed is answered at once', async () => {
  const { url } = await hub()
  const { socket, live } = await client(url)
  expect(await socket.timeout(5000).emitWithAck('subscribe', { topics: ['task:a'], since: '5m' })).toMatchObject({ ok: true, events: [], more: false })
  await socket.emitWithAck('publish', count(1))
  expect(live.map(({ n }) => n)).toEqual([1])
  expect(await socket.timeout(5000).emitWithAck('subscribe', { topics: ['task:b'], since: '0s' })).toMatchObject({ ok: true, events: [], more: false })
})

test('since takes a duration, the last N and a cursor; each is exactly what it says', async () => {
  const { url } = await hub()
  const { socket } = await client(url)
  await socket.emitWithAck('publish', Array.from({ length: 10 }, (_, n) => count(n, n % 2 ? 'a' : 'b')))
  expect(await subscribeSince(socket, ['task:a'], { last: 2 })).toEqual([7, 9])
  expect(await subscribeSince(socket, ['*'], { last: 3 })).toEqual([7, 8, 9])
  expect(await subscribeSince(socket, ['task:*'], '1h')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const answer = (await socket.emitWithAck('subscribe', { topics: ['task:b'], since: 'all' })) as { events: PlacedEvent[] }
  expect(await subscribeSince(socket, ['task:b'], answer.events[2]!.cursor)).toEqual([6, 8])
  expect(await socket.emitWithAck('subscribe', { topics: ['task:b'], since: 'yesterday' })).toMatchObject({ ok: false, error: { code: 'INVALID_CURSOR' } })
})

test('a repeated publish is answered with its first outcome, and a client that emits an alias publishes', async () => {
  const { url } = await hub()
  const { socket, live } = await client(url)
  await socket.emitWithAck('subscribe', { topics: ['task:a'] })
  const first = (await socket.emitWithAck('publish', { ...count(1), id: 'same' })) as { offset: string }
  const again = (await socket.emitWithAck('publish', { ...count(2), id: 'same' })) as { offset: string }
  expect(again).toMatchObject({ ok: true, duplicate: true, offset: first.offset })
  expect(await socket.emitWithAck('task:progress', { task_id: 'a', progress: 5 })).toMatchObject({ ok: true, type: 'task.progress' })
  expect(live.map(({ n }) => n)).toEqual([1])
})

test('limits are answered with their codes: subscriptions, rate, arguments', async () => {
  const { url } = await hub({ maxSubscriptions: 2, messageRate: 1, messageBurst: 6 })
  const { socket } = await client(url)
  await socket.emitWithAck('subscribe', { topics: ['task:1'] })
  await socket.emitWithAck('subscribe', { topics: ['task:2'] })
  expect(await socket.emitWithAck('subscribe', { topics: ['task:3'] })).toMatchObject({ ok: false, error: { code: 'SUBSCRIPTION_LIMIT', details: { limit: 2 } } })
  expect(await socket.emitWithAck('subscribe', 'task:3', 'more')).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  expect(await socket.emitWithAck('subscribe', { topics: ['nope'] })).toMatchObject({ ok: false, error: { code: 'INVALID_TOPIC' } })
  expect(await socket.emitWithAck('publish', [])).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  expect(await socket.emitWithAck('subscribe', { topics: ['task:3'] })).toMatchObject({ ok: false, error: { code: 'RATE_LIMITED', retryable: true } })
})

test('a signal reaches whoever subscribed the topic, its family or everything, and nobody else', async () => {
  const { url } = await hub()
  const heard: string[] = []
  for (const topic of ['task:a', 'task:*', '*', 'task:b', 'agent:*']) {
    const { socket } = await client(url)
    await socket.emitWithAck('subscribe', { topics: [topic] })
    socket.on('signal', (signal: { name: string }) => heard.push(`${topic} ${signal.name}`))
  }
  const { socket } = await client(url)
  expect(await socket.emitWithAck('signal', { topic: 'task:a', name: 'look', data: { at: 1 } })).toEqual({ ok: true })
  await eventually(() => heard.length >= 3)
  expect(heard.sort()).toEqual(['* look', 'task:* look', 'task:a look'])
  expect(await socket.emitWithAck('signal', { topic: 'task:*', name: 'look' })).toMatchObject({ ok: false, error: { code: 'INVALID_TOPIC' } })
})

test('a long-polling client gets the same sequence, and one that stops reading falls back to the journal and catches up (I7)', async () => {
  const running = await hub({ slowBytes: 65_536 })
  const polling = await client(running.url, { transports: ['polling'] })
  const stuck = await client(running.url)
  const quick = await client(running.url)
  for (const { socket } of [polling, stuck, quick]) await socket.emitWithAck('subscribe', { topics: ['task:a'] })
  const transport = stuck.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void; resume(): void } } }
  transport.ws._socket.pause()
  const filler = 'x'.repeat(2000)
  for (let n = 0; n < 3000; n += 100) {
    await quick.socket.emitWithAck('publish', Array.from({ length: 100 }, (_, i) => ({ ...count(n + i), data: { n: n + i, filler } })))
  }
  const all = Array.from({ length: 3000 }, (_, n) => n)
  await eventually(() => quick.live.length === 3000)
  const metrics = await (await fetch(`${running.url}/metrics`)).text()
  expect(metrics).toMatch(/hubbub_catchups_total\{cause="slow"\} [1-9]/)
  expect(stuck.live.length).toBeLessThan(3000)
  transport.ws._socket.resume()
  for (const { live } of [polling, stuck, quick]) {
    await eventually(() => live.length >= 3000)
    expect(live.map(({ n }) => n)).toEqual(all)
  }
})
