import type { Gap, HubEvent } from '@hubbub/protocol'
import type { Chunk, Encoding } from '../../server/src/fanout/entry.js'
import { Fanout } from '../../server/src/fanout/fanout.js'
import type { Outlet } from '../../server/src/fanout/session.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import type { Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { Committer, memoryStore, progress } from '../harness/store.js'

/** Records what a session is given; `stuck` bytes wait until `release`. */
class Recorder implements Outlet {
  readonly events: HubEvent[] = []
  readonly cursors: string[] = []
  readonly gaps: Gap[] = []
  readonly chunks: Chunk[] = []
  stuck = 0
  private waiters: (() => void)[] = []

  constructor(readonly encoding: Encoding) {}

  write(chunk: Chunk): void {
    this.chunks.push(chunk)
    for (const entry of chunk.entries) {
      this.events.push(entry.event)
      this.cursors.push(entry.cursor)
    }
  }

  bookmark(cursor: string): void {
    this.cursors.push(cursor)
  }

  gap(gap: Gap): void {
    this.gaps.push(gap)
  }

  waiting() {
    return { bytes: this.stuck, packets: 0 }
  }

  async drained(): Promise<void> {
    if (this.stuck > 0) await new Promise<void>((resolve) => this.waiters.push(resolve))
  }

  release(): void {
    this.stuck = 0
    for (const resolve of this.waiters.splice(0)) resolve()
  }

  get ids(): string[] {
    return this.events.map((event) => event.id)
  }
}

let store: Store
let fanout: Fanout
let committer: Committer
let encodes = 0
const encoding: Encoding = {
  name: 'test',
  encode(entry) {
    encodes++
    return { packet: entry.json, bytes: Buffer.from(entry.json) }
  },
}

async function start(settings: Partial<Settings> = {}, retention = { ageMs: 900_000, count: 100_000, bytes: 2 ** 29 }): Promise<void> {
  store = await memoryStore({ retention })
  fanout = new Fanout({ journal: store, partitions: 1, settings: settingsWith({ partitions: 1, ...settings }), metrics: createMetrics(), log: silent })
  committer = await Committer.of(store)
  encodes = 0
}

async function subscriber(topics: string[], more: { types?: string[]; filter?: Record<string, string>; project?: string; at?: string } = {}) {
  const lane = await fanout.lane('default')
  const outlet = new Recorder(encoding)
  const subscription = { id: Math.random().toString(36), topics, types: more.types, filter: more.filter, from: more.at ? '0-0' : lane.tail.flushed }
  const session = lane.open(more.project ?? 'default', outlet, more.at, more.at ? [subscription] : [])
  if (!more.at) lane.add(session, subscription)
  return { lane, outlet, session }
}

afterEach(async () => {
  await fanout.shutdown()
  await store.close()
})

test('a live session gets what matches, in journal order, once however many of its topics an event carries', async () => {
  await start()
  const { outlet } = await subscriber(['task:1', 'task:*', 'pipeline:p'])
  await committer.commit(progress('1', 10), progress('2', 20), progress('1', 30, { topics: ['task:1', 'pipeline:p'] }), progress('3', 1, { topics: ['agent:x'] }))
  await eventually(() => outlet.events.length >= 3)
  expect(outlet.events.map((event) => (event.data as { progress: number }).progress)).toEqual([10, 20, 30])
})

test('types and filter must fit, too, and another project of the same partition is never seen (I6)', async () => {
  await start()
  const { outlet } = await subscriber(['*'], { types: ['task.*'], filter: { taskId: 'a' } })
  await committer.commit(
    progress('a', 1),
    progress('b', 2),
    progress('a', 3, { type: 'agent.log' }),
    progress('a', 4, { project: 'other' }),
    progress('a', 5, { topics: ['inbox:a'] }),
    progress('a', 6),
  )
  await eventually(() => outlet.events.length >= 2)
  expect(outlet.events.map((event) => (event.data as { progress: number }).progress)).toEqual([1, 6])
})

test('a thousand sessions with equal subscriptions share one encoding and one buffer', async () => {
  await start()
  const outlets: Recorder[] = []
  for (let i = 0; i < 1000; i++) outlets.push((await subscriber(['task:1', 'task:2'])).outlet)
  await committer.commit(...Array.from({ length: 20 }, (_, i) => progress(String(1 + (i % 2)), i)))
  await eventually(() => outlets.every((outlet) => outlet.events.length === 20))
  expect(encodes).toBe(20)
  expect(new Set(outlets.map((outlet) => outlet.chunks[0]!.buffer)).size).toBe(1)
})

test('a session that comes back with a cursor gets what it missed from the window, then is live', async () => {
  await start()
  const first = await subscriber(['task:1'])
  await committer.commit(progress('1', 1), progress('1', 2))
  await eventually(() => first.outlet.events.length === 2)
  const cursor = first.outlet.cursors[0]!
  await committer.commit(progress('1', 3), progress('2', 4))
  await eventually(() => first.outlet.events.length === 3)
  const back = await subscriber(['task:1'], { at: cursor })
  await eventually(() => back.session.state === 'live')
  await committer.commit(progress('1', 5))
  await eventually(() => back.outlet.events.length === 3)
  expect(back.outlet.ids).toEqual([...first.outlet.ids.slice(1)])
  expect(back.outlet.gaps).toEqual([])
})

test('one whose cursor is older than the window reads the journal', async () => {
  await start({ windowEvents: 100 })
  const first = await subscriber(['task:1'])
  await committer.commit(progress('1', 0))
  await eventually(() => first.outlet.events.length === 1)
  const cursor = first.outlet.cursors.at(-1)!
  for (let i = 0; i < 30; i++) await committer.commit(...Array.from({ length: 100 }, (_, n) => progress(n % 2 ? '1' : '2', n % 100)))
  await eventually(() => first.outlet.events.length === 1501)
  expect(first.lane.tail.window.size).toBeLessThan(300)
  const back = await subscriber(['task:1'], { at: cursor })
  const wild = await subscriber(['*'], { at: cursor })
  await eventually(() => back.session.state === 'live' && wild.session.state === 'live')
  expect(back.outlet.ids).toEqual(first.outlet.ids.slice(1))
  expect(wild.outlet.events.length).toBe(3000)
})

test('a slow socket is not written to, delays nobody, and gets everything in order once it drains (I7)', async () => {
  await start({ slowBytes: 100_000 })
  const slow = await subscriber(['task:1'])
  const quick = await subscriber(['task:1'])
  slow.outlet.stuck = 200_000
  for (let i = 0; i < 20; i++) await committer.commit(...Array.from({ length: 50 }, (_, n) => progress('1', n)))
  await eventually(() => quick.outlet.events.length === 1000)
  expect(slow.outlet.events.length).toBe(0)
  expect(slow.session.state).toBe('catching-up')
  slow.outlet.release()
  await eventually(() => slow.session.state === 'live')
  expect(slow.outlet.ids).toEqual(quick.outlet.ids)
})

test('what was trimmed is told as a gap, and what is left follows (I2)', async () => {
  await start({ windowEvents: 100 }, { ageMs: 1, count: 50, bytes: 2 ** 29 })
  const first = await subscriber(['task:1'])
  await committer.commit(progress('1', 0))
  await eventually(() => first.outlet.events.length === 1)
  const cursor = first.outlet.cursors.at(-1)!
  for (let i = 0; i < 5; i++) await committer.commit(...Array.from({ length: 100 }, (_, n) => progress('1', n)))
  await eventually(() => first.outlet.events.length === 501)
  await eventually(async () => {
    await store.housekeep(0, committer.state.fence)
    return (await store.head(0)).floor !== '0-0'
  })
  const back = await subscriber(['task:1'], { at: cursor })
  await eventually(() => back.session.state === 'live')
  expect(back.outlet.gaps).toEqual([{ from: cursor, to: expect.any(String) as string, reason: 'trimmed' }])
  expect(back.outlet.ids).toEqual(first.outlet.ids.slice(-back.outlet.ids.length))
  expect(back.outlet.ids.length).toBeGreaterThan(0)
})

test('a cursor of a journal that is not this one is an epoch gap', async () => {
  await start()
  await committer.commit(progress('1', 0))
  const back = await subscriber(['task:1'], { at: 'unknown.12-0' })
  await eventually(() => back.session.state === 'live')
  expect(back.outlet.gaps.map((gap) => gap.reason)).toEqual(['epoch'])
  expect(back.outlet.events.length).toBe(1)
})

test('a quiet connection is told where it stands, so that its cursor outlives what it did not hear', async () => {
  await start({ bookmarkMs: 100 })
  const quiet = await subscriber(['task:quiet'])
  const offsets = await committer.commit(progress('busy', 1))
  await eventually(() => quiet.outlet.cursors.at(-1)?.endsWith(offsets[0]!))
  expect(quiet.outlet.events).toEqual([])
})
