/** Why an event did or did not arrive: ten fates and more, each brought about, and each told by `hubbub trace`. */
import type { SessionAccount } from '@hubbub/protocol'
import { startReceiver } from '../gateway/sinksReceiver.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startProxy } from '../harness/proxy.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { tap } from '../harness/tap.js'
import { RawWebSocket } from '../path/rawWebSocket.js'
import { as, startTraceScene, type TraceScene } from './traceScene.js'

/** Each question is a process of its own, and a machine may be slow. */
const PATIENCE_MS = 90_000

let scene: TraceScene
const open: { close(): void }[] = []

beforeAll(async () => {
  scene = await startTraceScene()
}, 60_000)
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})
afterAll(() => scene?.close())

async function watcher(sub: string, topics: string[], more: object = {}, url = scene.near.url): Promise<Sink> {
  const sink = await stockClient(url, { token: as(sub), topics, ...more })
  open.push(sink)
  return sink
}

/** Server-sent events until the test ends. */
async function stream(sub: string, query: string): Promise<{ text(): string }> {
  const halt = new AbortController()
  open.push({ close: () => halt.abort() })
  const response = await fetch(`${scene.near.url}/api/v1/stream?${query}`, { headers: { authorization: `Bearer ${as(sub)}` }, signal: halt.signal })
  let text = ''
  const reading = async (): Promise<void> => {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) text += part
  }
  reading().catch(() => undefined)
  return { text: () => text }
}

describe('what became of an event for a session', () => {
  test('live: written as it was committed, with all that is known of its way', async () => {
    const ann = await watcher('ann', ['task:live'])
    const offset = await scene.note('e-live', 'task:live')
    await ann.holds(1)
    const told = await scene.committed('e-live', { subject: 'ann' })
    expect(told).toMatchObject({
      event: { id: 'e-live', topics: expect.arrayContaining(['task:live']) as string[] },
      cursor: ann.events[0]!.cursor,
      received: { by: '/services/engine', worker: 'near', stream: 'system', entry: expect.stringMatching(/^\d+-\d+$/) as string },
      committed: { offset, partition: 0, processor: 'mill', batch: expect.any(Number) as number, afterMs: expect.any(Number) as number },
      causes: [], derived: [], derivedComplete: true,
    })
    expect(told.workers).toEqual([
      { worker: 'far', answered: true, matched: 0, live: 0, caughtUp: 0, catchingUp: 0, slow: 0, gap: 0, superseded: 0, gone: 0 },
      { worker: 'near', answered: true, matched: 1, live: 1, caughtUp: 0, catchingUp: 0, slow: 0, gap: 0, superseded: 0, gone: 0 },
    ])
    expect(told.sessions).toMatchObject([{ subject: 'ann', worker: 'near', wire: 'socketio', fate: 'live', given: true, connection: ann.socket.id }])
    // Named by its cursor, or its offset; and the session by its connection.
    expect(await scene.committed(told.cursor, { session: ann.socket.id })).toEqual(told)
    expect((await scene.committed(offset)).event.id).toBe('e-live')
  }, PATIENCE_MS)

  test('caught-up: cut off when it came, and back on the other worker', async () => {
    const proxy = await startProxy({ port: scene.near.port })
    const bob = await watcher('bob', ['task:cut'], {}, `http://127.0.0.1:${proxy.port}`)
    await scene.note('e-held', 'task:cut')
    await bob.holds(1)
    proxy.refuse(true)
    proxy.cut('reset')
    await eventually(() => !bob.socket.connected, 'the cut')
    await scene.note('e-cut', 'task:cut')
    expect(await scene.fate('e-cut', 'bob')).toMatchObject({ fate: 'disconnected', worker: 'near' })
    proxy.retarget(scene.far.port)
    proxy.refuse(false)
    await bob.holds(2)
    expect(await scene.fate('e-cut', 'bob')).toMatchObject({ fate: 'caught-up', given: true, worker: 'far' })
    // What it held when it came back was given on the worker that it left.
    expect(await scene.fate('e-held', 'bob')).toMatchObject({ fate: 'live', given: true, worker: 'near' })
    const { workers } = await scene.committed('e-cut')
    expect(workers.map(({ matched, caughtUp, gone }) => [matched, caughtUp, gone])).toEqual([[1, 1, 0], [1, 0, 1]])
    await proxy.close()
  }, PATIENCE_MS)

  test('slow: its socket did not take what waited; read from the journal later', async () => {
    const socket = await RawWebSocket.open(scene.near.url, `/ws?token=${as('carl')}&topics=task:slow`)
    socket.pause()
    const large = 'x'.repeat(60_000)
    const json = Array.from({ length: 50 }, () => ({ type: 'custom.note', topics: ['task:slow'], data: { large } }))
    let asked = ''
    await eventually(async () => {
      for (let n = 0; n < 4; n++) await ask(`${scene.near.url}/api/v1/events`, { as: as('engine', { role: 'service' }), json })
      asked = await scene.note(`e-slow-${asked}`, 'task:slow')
      return (await scene.fate(asked, 'carl')).fate === 'catching-up'
    }, 'the socket being full', 30_000)
    expect(await scene.fate(asked, 'carl')).toMatchObject({ fate: 'catching-up', given: false, wire: 'websocket', why: expect.stringContaining('socket') as string })
    socket.resume()
    await eventually(async () => (await scene.fate(asked, 'carl')).given, 'the socket being read', 30_000)
    expect(await scene.fate(asked, 'carl')).toMatchObject({ fate: 'slow', worker: 'near' })
    expect((await scene.committed(asked)).workers[1]).toMatchObject({ matched: 1, slow: 1, live: 0 })
    socket.destroy()
  }, PATIENCE_MS)

  test('gap: it came back without its session, and was told what it missed', async () => {
    const dora = await watcher('dora', ['task:gap'])
    await scene.note('e-before', 'task:gap')
    await dora.holds(1)
    const { cursor } = dora.events[0]!
    dora.close()
    await scene.note('e-gap', 'task:gap')
    const again = await tap(scene.far.url, { auth: { token: as('dora'), pid: '0.abcdefghijabcdefghij', offset: cursor } })
    open.push(again)
    await again.must('subscribe', { topics: ['task:gap'] })
    const { sessions } = await scene.committed('e-gap', { subject: 'dora' })
    expect(sessions).toMatchObject([{ worker: 'far', fate: 'gap', given: false }, { worker: 'near', fate: 'disconnected' }])
  }, PATIENCE_MS)

  test('not-subscribed, subscribed-later, and filtered by types and by a field', async () => {
    await watcher('none', ['task:other'])
    await watcher('types', ['task:f'], { types: ['task.*'] })
    await watcher('field', ['task:f'], { filter: { status: 'failed' } })
    await scene.note('e-f', 'task:f', { status: 'fine' })
    const late = await watcher('late', ['task:f'])
    const past = await watcher('past', ['task:f'], { since: 'all' })
    expect(past.ids()).toContain('e-f')
    const { sessions: _none, ...rest } = await scene.committed('e-f')
    expect(rest.workers[1]).toMatchObject({ matched: 1, caughtUp: 1 })
    expect(await scene.fate('e-f', 'none')).toMatchObject({ fate: 'not-subscribed', given: false, why: expect.stringContaining('task:f') as string })
    expect(await scene.fate('e-f', 'types')).toMatchObject({ fate: 'filtered', why: expect.stringContaining('only for the types task.*') as string })
    expect(await scene.fate('e-f', 'field')).toMatchObject({ fate: 'filtered', why: expect.stringContaining('status = "failed"') as string })
    expect(await scene.fate('e-f', 'late')).toMatchObject({ fate: 'subscribed-later' })
    expect(await scene.fate('e-f', 'past')).toMatchObject({ fate: 'caught-up', given: true })
    late.socket.emit('unsubscribe', { topics: ['task:f'] })
    await scene.note('e-f2', 'task:f')
    expect(await eventually(async () => ((await scene.fate('e-f2', 'late')).fate === 'not-subscribed' ? 'unsubscribed' : undefined), 'unsubscribed')).toBe('unsubscribed')
  }, PATIENCE_MS)

  test('no-permission: its credential grants none of the topics', async () => {
    const limited = await stockClient(scene.near.url, { token: as('eve', { permissions: ['subscribe:agent:*'] }), topics: ['agent:*'] })
    open.push(limited)
    await scene.publish('e-denied', 'task.progress', { taskId: 'denied', progress: 1 })
    expect(await scene.fate('e-denied', 'eve')).toMatchObject({ fate: 'no-permission', why: expect.stringContaining('subscribe:task:denied') as string })
  }, PATIENCE_MS)

  test('superseded: it asked for the latest, and another one went in its place', async () => {
    const page = await stream('fred', 'topics=task:tick&latestOnly=true&batchMs=1000')
    await eventually(() => page.text() !== '', 'the stream')
    const json = [1, 2, 3].map((n) => ({ id: `e-tick-${n}`, type: 'custom.tick', topics: ['task:tick'], data: { n } }))
    await ask(`${scene.near.url}/api/v1/events`, { as: as('engine', { role: 'service' }), json })
    await eventually(() => page.text().includes('e-tick-3'), 'the latest')
    expect(page.text()).not.toContain('e-tick-1')
    expect(await scene.fate('e-tick-1', 'fred')).toMatchObject({ fate: 'superseded', given: false, wire: 'sse' })
    expect(await scene.fate('e-tick-3', 'fred')).toMatchObject({ fate: 'live', given: true })
    expect((await scene.committed('e-tick-2')).workers[1]).toMatchObject({ matched: 1, superseded: 1 })
  }, PATIENCE_MS)

  test('a sink: on its way while the receiver is away, then taken', async () => {
    const receiver = await startReceiver(() => 503)
    const told = await ask(`${scene.near.url}/api/v1/sinks`, { as: as('engine', { role: 'service' }), json: { id: 'hook', url: receiver.url, topics: ['task:hook'] } })
    expect(told.status).toBe(201)
    const hook = async (id: string): Promise<SessionAccount> => (await scene.committed(id, { session: 'hook' })).sessions![0]!
    await eventually(async () => (await scene.run('warm-up', { session: 'hook' })).code === 0, 'somebody who delivers it', 20_000)
    await scene.note('e-hook', 'task:hook')
    await eventually(() => receiver.received.length > 0, 'an attempt')
    expect(await hook('e-hook')).toMatchObject({ fate: 'catching-up', wire: 'sink', subject: 'engine', given: false, why: expect.stringContaining('receiver') as string })
    receiver.answer = () => 204
    await receiver.holds(1)
    expect(await eventually(async () => ((await hook('e-hook')).given ? (await hook('e-hook')).fate : undefined), 'its progress')).toMatch(/live|slow/)
    await ask(`${scene.near.url}/api/v1/sinks/hook`, { as: as('engine', { role: 'service' }), method: 'DELETE' })
    await receiver.shut()
  }, PATIENCE_MS)
})
