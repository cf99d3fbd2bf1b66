import { createClient } from 'redis'
import { openStore } from '../../server/src/store/open.js'
import { StoreUnavailable, type Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { appendOf, DEFAULTS, Owner } from './fixture.js'
import { BIG, commitWrites, idsIn, named, taskWrite } from './state-fixture.js'

let redis: RedisProcess
let store: Store
let owner: Owner

async function begin(...args: string[]): Promise<void> {
  redis = await startRedis(args.length > 0 ? { args } : {})
  store = await openStore({ ...DEFAULTS, redisUrl: redis.url })
  owner = await Owner.take(store)
}

afterEach(async () => {
  await store.close()
  await redis.stop()
})

async function command(...args: string[]): Promise<unknown> {
  const client = await createClient({ url: redis.url }).connect()
  try {
    return await client.sendCommand<unknown>(args)
  } finally {
    client.destroy()
  }
}

/** Calls of each command since the last look, those inside scripts included. */
async function callsSince(act: () => Promise<unknown>): Promise<Record<string, number>> {
  await command('CONFIG', 'RESETSTAT')
  await act()
  const stats = String(await command('INFO', 'commandstats'))
  const calls = [...stats.matchAll(/^cmdstat_([a-z]+):calls=(\d+)/gm)].map(([, name, count]): [string, number] => [name!, Number(count)])
  return Object.fromEntries(calls.filter(([name]) => !['config', 'info', 'hello', 'client', 'ping', 'select'].includes(name)))
}

describe('the state on Redis', () => {
  test('of a pipeline\'s 500 tasks is read without the 99,500 others', async () => {
    await begin()
    for (let from = 0; from < 100_000; from += 2500) {
      const writes = Array.from({ length: 2500 }, (_, n) => taskWrite(named(from + n), from + n, { add: [`pipeline:p${(from + n) % 200}`, 'status:pending'] }))
      await owner.commit([appendOf(`from-${from}`)], { state: { entities: writes, timers: [] } })
    }
    expect(await store.state.counts(0, 'default', 'task', ['all', 'pipeline:p7'])).toEqual([100_000, 500])
    const pipeline = () => store.state.select(0, 'default', [{ kind: 'pipeline', ids: ['p7'] }, { kind: 'task', term: 'pipeline:p7' }], { count: 1000, bytes: 2 ** 20 })
    expect((await pipeline()).entities).toHaveLength(500)
    // The pipeline, which is missing, 500 tasks, and where the journal stands; the second zrange says that nothing follows.
    expect(await callsSince(pipeline)).toEqual({ evalsha: 1, hget: 502, lindex: 1, zrange: 2 })
    const some = () => store.state.select(0, 'default', [{ kind: 'task', term: 'all', newestFirst: true }], { count: 20, bytes: 2 ** 20 })
    expect(await callsSince(some)).toEqual({ evalsha: 1, hget: 22, lindex: 1, zrange: 1 })
    const rare = () => store.state.select(0, 'default', [{ kind: 'task', term: 'all', prefix: 'none' }], { count: 1000, bytes: 2 ** 20 })
    expect(await callsSince(rare)).toEqual({ evalsha: 1, hget: 1, lindex: 1, zrange: 11 })
  })

  test('costs a commit without any not a command more', async () => {
    await begin()
    const appends = ['a', 'b', 'c'].map((id) => appendOf(id))
    await owner.commit(appends)
    expect(await callsSince(() => owner.commit(appends))).toEqual({ evalsha: 1, hmget: 1, time: 1, xadd: 3, rpush: 1, pexpire: 1, hset: 2 })
  })

  test('is in the partition\'s hash slot, under the names that its keys have', async () => {
    await begin()
    await commitWrites(owner, [taskWrite('a', 0, { add: ['status:x y'] })], [{ name: 't', due: 5 }])
    const keys = (await command('KEYS', '*')) as string[]
    const ours = keys.filter((key) => /state|index|timers/.test(key)).sort()
    expect(ours).toEqual(['hubbub:{p0}:index:default/task/all', 'hubbub:{p0}:index:default/task/status:x y', 'hubbub:{p0}:state:default/task', 'hubbub:{p0}:timers'])
    await commitWrites(owner, [taskWrite('a', 0, { json: null, remove: ['status:x y'] })], [{ name: 't', due: null }])
    expect(((await command('KEYS', '*')) as string[]).filter((key) => ours.includes(key))).toEqual([])
  })

  test('survives SIGKILL and restart with the journal, and the commit that was under way is recognised', async () => {
    await begin('--appendonly', 'yes', '--appendfsync', 'always', '--save', '')
    const state = { entities: [taskWrite('a', 0, { add: ['x'] })], timers: [{ name: 't', due: 5 }] }
    const batch = owner.batch([appendOf('a')], { state })
    const first = await store.commit(0, batch)
    await redis.kill('SIGKILL')
    await redis.restart()
    expect(await eventually(() => store.commit(0, batch), 'the commit being answered')).toEqual({ ...first, replayed: true })
    expect(idsIn(await store.state.select(0, 'default', [{ kind: 'task', term: 'x' }, { kind: 'task', ids: ['a'] }], BIG))).toEqual(['a', 'a'])
    expect((await store.state.due(0, 10)).timers).toEqual([{ name: 't', due: 5 }])
  })

  test('is not written by halves when Redis is full, and can still be read', async () => {
    await begin()
    await commitWrites(owner, [taskWrite('a')])
    await command('CONFIG', 'SET', 'maxmemory', '1mb')
    const batch = owner.batch([appendOf('b')], { state: { entities: [taskWrite('b', 1, { add: ['x'] })], timers: [{ name: 't', due: 5 }] } })
    await expect(store.commit(0, batch)).rejects.toBeInstanceOf(StoreUnavailable)
    expect(idsIn(await store.state.select(0, 'default', [{ kind: 'task', term: 'all' }], BIG))).toEqual(['a'])
    expect((await store.state.due(0, 10)).timers).toEqual([])
    await command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.commit(0, batch)).toMatchObject({ status: 'committed', replayed: false })
  })

  test('of a Redis that came back empty is empty, as of another epoch', async () => {
    await begin()
    await commitWrites(owner, [taskWrite('a')])
    await command('FLUSHALL')
    const { last, epoch, entities } = await store.state.select(0, 'default', [{ kind: 'task', term: 'all' }], BIG)
    expect([last, entities, epoch === owner.state.epoch]).toEqual(['0-0', [], false])
    expect(epoch).toBe((await store.head(0)).epochs[0]!.nonce)
  })
})
