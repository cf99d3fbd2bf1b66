import { createClient } from 'redis'
import { openStore } from '../../server/src/store/open.js'
import type { SinkProgress, SinkRecord, Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { DEFAULTS, HOUR } from './fixture.js'

function recordOf(id: string, more: Partial<SinkRecord> = {}): SinkRecord {
  return {
    id, project: 'default', url: 'https://example.com/in', topics: ['task:*'], format: 'hubbub', secret: 'whsec_AAAA', createdAt: 1,
    reader: { subject: 'ci', role: 'service', permissions: [], via: 'jwt' }, ...more,
  }
}

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe.each(['memory', 'redis'] as const)('sinks in the store in %s', (kind) => {
  let store: Store
  beforeEach(async () => {
    if (kind === 'redis') {
      const client = await createClient({ url: redis.url }).connect()
      await client.flushAll()
      await client.close()
    }
    store = await openStore({ ...DEFAULTS, redisUrl: kind === 'redis' ? redis.url : '' })
  })
  afterEach(() => store.close())

  const add = (id: string, more?: Partial<SinkRecord>, limit = 10) => store.sinks.add(0, recordOf(id, more), 'e.1-0', limit)
  const claim = (id: string, owner: string, leaseMs = HOUR) => store.sinks.claim(0, 'default', id, owner, leaseMs)
  const report = (id: string, fence: string, news?: { progress: SinkProgress; pause?: string }, leaseMs = HOUR) => store.sinks.report(0, 'default', id, fence, leaseMs, news)
  const at = (cursor: string): { progress: SinkProgress } => ({ progress: { cursor, deliveries: 1, deliveredAt: 5 } })

  test('are kept as they were added, each id once, up to the limit of their project', async () => {
    const odd = recordOf('a', { types: [], filter: { status: null }, headers: { 'x-ü': '"\\n' }, reader: { subject: 'x\ny', role: 'admin', permissions: ['admin'], via: 'key', keyId: 'k' } })
    expect(await store.sinks.add(0, odd, 'e.1-0', 2)).toBe('added')
    expect(await store.sinks.add(0, odd, 'e.1-0', 2)).toBe('exists')
    expect(await add('b', {}, 2)).toBe('added')
    expect(await add('c', {}, 2)).toBe('full')
    expect(await add('c', { project: 'default2' }, 2)).toBe('added')
    expect(await store.sinks.get(0, 'default', 'a')).toEqual({ project: 'default', id: 'a', status: 'active', record: odd, progress: { cursor: 'e.1-0', deliveries: 0 } })
    expect((await store.sinks.list(0, 'default')).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await store.sinks.list(1, 'default')).toEqual([])
    expect(await store.sinks.get(0, 'other', 'a')).toBeNull()
    expect((await store.sinks.look(0)).map(({ project, id }) => `${project}/${id}`).sort()).toEqual(['default/a', 'default/b', 'default2/c'])
    expect(await store.sinks.remove(0, 'default', 'a')).toBe(true)
    expect(await store.sinks.remove(0, 'default', 'a')).toBe(false)
    expect(await store.sinks.get(0, 'default', 'a')).toBeNull()
  })

  test('go to one of many who claim at once, and to nobody else while the lease runs', async () => {
    await add('a')
    const claims = await Promise.all(Array.from({ length: 20 }, (_, index) => claim('a', `w${index}`)))
    expect(claims.filter((one) => one !== null)).toHaveLength(1)
    const owner = `w${claims.findIndex((one) => one !== null)}`
    expect(await store.sinks.look(0)).toEqual([{ project: 'default', id: 'a', status: 'active', owner }])
    expect(claims.find((one) => one)).toMatchObject({ record: recordOf('a'), progress: { cursor: 'e.1-0' } })
    expect(await claim('none', 'w')).toBeNull()
  })

  test('fence the owner before: its report after a takeover writes nothing, and tells it so', async () => {
    await add('a')
    const old = await claim('a', 'frozen', 40)
    expect(await report('a', old!.fence, at('e.2-0'), 40)).toBe('active')
    const heir = await eventually(() => claim('a', 'heir'), 'the lease running out')
    expect(heir.progress.cursor).toBe('e.2-0')
    expect(await report('a', old!.fence, { ...at('e.9-0'), pause: 'no' })).toBe('lost')
    await store.sinks.release(0, 'default', 'a', old!.fence)
    expect(await report('a', heir.fence, at('e.3-0'))).toBe('active')
    expect(await store.sinks.get(0, 'default', 'a')).toMatchObject({ owner: 'heir', status: 'active', progress: { cursor: 'e.3-0', deliveries: 1, deliveredAt: 5 } })
  })

  test('last while they are reported, are free when given back, and are the same owner\'s again with a new fence', async () => {
    await add('a')
    const first = await claim('a', 'w1', 30)
    expect(await report('a', first!.fence)).toBe('active')
    const again = await claim('a', 'w1')
    expect(again!.fence).not.toBe(first!.fence)
    expect(await report('a', first!.fence)).toBe('lost')
    await store.sinks.release(0, 'default', 'a', again!.fence)
    expect(await report('a', again!.fence)).toBe('lost')
    expect(await claim('a', 'w2')).not.toBeNull()
  })

  test('are paused by their owner in the step that writes the progress, and resumed for another reader', async () => {
    await add('a')
    const owner = await claim('a', 'w1')
    const failure = { event: 'x', attempts: 3, since: 1_795_255_450_120, at: 1_795_255_450_130, message: 'no' }
    expect(await report('a', owner!.fence, { progress: { ...at('e.4-0').progress, failure }, pause: 'gone' })).toBe('paused')
    expect((await store.sinks.get(0, 'default', 'a'))!.progress.failure).toEqual(failure)
    await store.sinks.release(0, 'default', 'a', owner!.fence)
    expect(await store.sinks.look(0)).toEqual([{ project: 'default', id: 'a', status: 'paused', reason: 'gone' }])
    expect(await claim('a', 'w1')).toBeNull()
    const reader = { subject: 'boss', role: 'admin' as const, permissions: ['admin'], via: 'jwt' as const, issuedAt: 7 }
    expect(await store.sinks.steer(0, 'default', 'a', { status: 'active', reader })).toBe(true)
    expect(await claim('a', 'w2')).toEqual({ fence: expect.any(String), record: { ...recordOf('a'), reader }, progress: at('e.4-0').progress })
    expect((await store.sinks.look(0))[0]).not.toHaveProperty('reason')
  })

  test('are paused by anybody: the owner hears of it, and what it had delivered still counts', async () => {
    await add('a')
    const owner = await claim('a', 'w1')
    expect(await store.sinks.steer(0, 'default', 'a', { status: 'paused', reason: 'by hand' })).toBe(true)
    expect(await report('a', owner!.fence, { ...at('e.5-0'), pause: 'another reason' })).toBe('paused')
    expect(await store.sinks.get(0, 'default', 'a')).toMatchObject({ status: 'paused', reason: 'by hand', progress: { cursor: 'e.5-0' } })
    expect(await store.sinks.steer(0, 'default', 'none', { status: 'paused' })).toBe(false)
    await store.sinks.remove(0, 'default', 'a')
    expect(await report('a', owner!.fence, at('e.6-0'))).toBe('lost')
    expect(await store.sinks.get(0, 'default', 'a')).toBeNull()
    await add('a')
    expect(await report('a', owner!.fence, at('e.6-0'))).toBe('lost')
  })
})
