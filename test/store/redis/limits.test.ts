/** Redis' limits as the store meets them: a policy that evicts, memory and disk that are full. */
import { createClient } from 'redis'
import { StoreFull } from '../../../server/src/store/failure.js'
import { openStore, type StoreOptions } from '../../../server/src/store/open.js'
import type { Store } from '../../../server/src/store/port.js'
import { EvictingPolicy } from '../../../server/src/store/redis/genesis.js'
import { eventually } from '../../harness/eventually.js'
import { startRedis, type RedisOptions, type RedisProcess } from '../../harness/redis.js'
import { appendOf, DEFAULTS, HOUR, Owner } from '../fixture.js'

const stores: Store[] = []
const processes: RedisProcess[] = []

async function start(options?: RedisOptions): Promise<RedisProcess> {
  const redis = await startRedis(options)
  processes.push(redis)
  return redis
}

async function open({ url }: Pick<RedisProcess, 'url'>, options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({ ...DEFAULTS, ...options, redisUrl: url })
  stores.push(store)
  return store
}

async function command(redis: RedisProcess, ...args: string[]): Promise<unknown> {
  const client = await createClient({ url: redis.url }).connect()
  try {
    return await client.sendCommand<unknown>(args)
  } finally {
    client.destroy()
  }
}

/** Of one field of INFO. */
async function figure(redis: RedisProcess, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(String(await command(redis, 'INFO')))?.[1])
}

/** What may be used beyond what is used now; bytes. */
async function leave(redis: RedisProcess, bytes: number): Promise<void> {
  await command(redis, 'CONFIG', 'SET', 'maxmemory', String((await figure(redis, 'used_memory')) + bytes))
}

/** Below what is used now, however many connections come and go meanwhile. */
async function fill(redis: RedisProcess): Promise<void> {
  await leave(redis, -300_000)
}

const note = (bytes: number) => ({ stream: 'agents' as const, event: 'x'.repeat(bytes) })

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await Promise.all(processes.splice(0).map((redis) => redis.stop()))
})

describe('a Redis that evicts', () => {
  test.each(['allkeys-lru', 'allkeys-random', 'volatile-ttl', 'volatile-lfu'])('is refused (%s), in one line that names the policy and how to mend it', async (policy) => {
    const redis = await start({ args: ['--save', '', '--maxmemory', '100mb', '--maxmemory-policy', policy] })
    const refused = open(redis)
    await expect(refused).rejects.toBeInstanceOf(EvictingPolicy)
    await expect(refused).rejects.toThrow(new RegExp(`^REDIS_URL: [^\\n]*maxmemory-policy '${policy}'[^\\n]*allowed: noeviction[^\\n]*CONFIG SET maxmemory-policy noeviction[^\\n]*redis\\.conf$`))
    await command(redis, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await expect(open(redis)).resolves.toMatchObject({ kind: 'redis' })
  })

  test('is warned of where nothing is evicted yet, because there is no maxmemory', async () => {
    const told: string[] = []
    await open(await start({ args: ['--save', '', '--maxmemory-policy', 'allkeys-lru'] }), { onError: (operation, error) => told.push(`${operation}: ${String(error)}`) })
    expect(told).toEqual([expect.stringMatching(/^eviction: .*'allkeys-lru'.*noeviction/)])
  })

  test('is told of after a reconnection, and used on', async () => {
    const redis = await start()
    const told: unknown[] = []
    const store = await open(redis, { onError: (_, error) => told.push(error) })
    const owner = await Owner.take(store)
    await command(redis, 'CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lfu')
    await command(redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await eventually(() => told.some((error) => error instanceof EvictingPolicy), 'the policy being told')
    await owner.commit([appendOf('a')])
  })

  test('cannot be known where INFO is forbidden: that is said, and nothing refused', async () => {
    const redis = await start({ args: ['--save', '', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] })
    await command(redis, 'ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '&*', '+@all', '-info')
    const told: string[] = []
    await open({ url: redis.url.replace('//', '//blind:secret@') }, { onError: (operation, error) => told.push(`${operation}: ${String(error)}`) })
    expect(told).toEqual([expect.stringMatching(/^eviction: .*not known/)])
  })
})

describe('when the memory of Redis is full, the store', () => {
  test('takes in nothing, whole or in part, and says why', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    await fill(redis)
    const once = { key: 'd', ttlMs: HOUR }
    await expect(store.append(0, [note(10), { ...note(10), stream: 'github', once }])).rejects.toBeInstanceOf(StoreFull)
    await expect(store.commit(0, owner.batch([appendOf('a'), appendOf('b')]))).rejects.toBeInstanceOf(StoreFull)
    expect(await command(redis, 'EXISTS', ...['journal', 'source:agents', 'source:github', 'once:d', 'topic:default/project'].map((key) => `hubbub:{p0}:${key}`))).toBe(0)
    await command(redis, 'CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.append(0, [{ ...note(10), stream: 'github', once }])).toEqual([expect.any(String)])
    expect(await store.commit(0, owner.batch([appendOf('a'), appendOf('b')]))).toMatchObject({ status: 'committed', replayed: false })
  })

  test('commits a batch whole or not at all, wherever on its way the room ends (I3)', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    const appends = Array.from({ length: 500 }, (_, n) => appendOf(`e${n}`, ['task:1', ...Array.from({ length: 15 }, (_topic, k) => `task:${n}-${k}`)]))
    const batch = owner.batch(appends)
    const standing = () => Promise.all(['XLEN hubbub:{p0}:journal', 'LLEN hubbub:{p0}:topic:default/task:1', 'HGET hubbub:{p0}:commit number'].map((line) => command(redis, ...line.split(' '))))
    let refused = 0
    for (let room = 0; ; room += 100_000) {
      await leave(redis, room)
      const done = await store.commit(0, batch).catch((error: unknown) => error)
      if (!(done instanceof StoreFull)) break
      refused++
      expect(await standing()).toEqual([0, 0, '0'])
    }
    // What it was sent with fitted, what it wrote did not: it went on to its end.
    expect(refused).toBeGreaterThan(0)
    expect(await standing()).toEqual([500, 500, '1'])
    expect(await figure(redis, 'used_memory')).toBeGreaterThan(await figure(redis, 'maxmemory'))
    await expect(store.append(0, [note(10)])).rejects.toBeInstanceOf(StoreFull)
  })

  test('goes on with all that is not an event: leases, sessions, presence, sinks, vitals, revocations', async () => {
    const redis = await start()
    const store = await open(redis, { partitions: 3 })
    const owner = await Owner.take(store)
    const record = { project: 'default', subject: 'ann', subscriptions: [] }
    await store.sessions.save(0, 'old', 1, record, HOUR)
    await store.sinks.add(0, { id: 's', project: 'default', url: 'https://a.example', topics: ['task:*'], format: 'hubbub', secret: 'x', createdAt: 1, reader: { subject: 'ann', role: 'admin', permissions: [], via: 'none' } }, 'e.0-0', 10)
    await fill(redis)

    // A process that starts now finds all it needs.
    const other = await open(redis, { partitions: 3 })
    expect(await other.join('processor', HOUR)).toContain('processor')
    expect(await other.takeOver(1, 'processor', HOUR)).toMatchObject({ batch: 0 })
    expect(await other.restart(1, 'processor', HOUR)).toMatchObject({ batch: 0 })
    expect(await store.renew(0, owner.name, HOUR)).toBe(true)
    await owner.housekeep()
    expect(await store.sessions.save(0, 'new', 1, record, HOUR)).toBe(true)
    expect(await store.sessions.take(0, 'old', HOUR)).toMatchObject({ generation: 2 })
    expect(await store.sessions.touch(0, ['old', 'new'], HOUR)).toEqual([2, 1])
    expect(await store.roster.beat('worker', HOUR)).toEqual(['worker'])
    expect(await store.roster.update(0, 'task:1', 'worker', [{ member: 'ann', info: '{}' }], [])).toEqual({ joined: ['ann'], left: [] })
    expect(await store.roster.renew(0, ['task:1'], 'worker')).toEqual([1])
    expect(await store.vitals.report('p', '{}', HOUR)).toMatchObject({ watch: true })
    expect(await store.vitals.note('p', { full: 'yes' })).toBe(true)
    const claimed = await store.sinks.claim(0, 'default', 's', 'worker', HOUR)
    expect(await store.sinks.report(0, 'default', 's', claimed!.fence, HOUR, { progress: claimed!.progress })).toBe('active')
    await store.mailbox.mark(0, 'default', 'coder', 'e.1-0', HOUR)
    await store.revokeSubject('ann', 1)
    expect([...(await store.revocations()).subjects.keys()]).toEqual(['ann'])
    expect(await store.release(0, owner.name)).toBeUndefined()
  })

  test('frees what retention lets go, and takes in again', async () => {
    const redis = await start()
    const store = await open(redis, { retention: { ageMs: HOUR, count: 10, bytes: 100_000 } })
    const owner = await Owner.take(store)
    for (let round = 0; round < 10; round++) await owner.commit(Array.from({ length: 100 }, (_, n) => appendOf(`${round}-${n}`, ['task:1'], { note: 'x'.repeat(1000) })))
    await fill(redis)
    await expect(store.append(0, [note(10)])).rejects.toBeInstanceOf(StoreFull)
    await owner.housekeep()
    expect(await store.append(0, [note(10)])).toEqual([expect.any(String)])
    await owner.commit([appendOf('next')])
  })
})

describe('when the disk of Redis is full, the store', () => {
  const DISK = 1_000_000
  const everySecond = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0']

  test('takes in nothing, says why, and reads on; with room again it goes on, and nothing committed is lost', async () => {
    const redis = await start({ args: everySecond, fileBytes: DISK })
    const store = await open(redis)
    const owner = await Owner.take(store)
    const committed: string[] = []
    const write = async () => {
      for (;;) committed.push(...(await owner.commit([appendOf(`n${committed.length}`, ['task:1'], { note: 'x'.repeat(50_000) })])))
    }
    await expect(write()).rejects.toBeInstanceOf(StoreFull)
    expect(committed.length).toBeGreaterThan(10)
    await expect(store.append(0, [note(10)])).rejects.toBeInstanceOf(StoreFull)
    await expect(store.sessions.save(0, 's', 1, { project: 'default', subject: 'ann', subscriptions: [] }, HOUR)).rejects.toBeInstanceOf(StoreFull)
    const { last } = await store.head(0)
    expect((await store.readTopics(0, ['default/task:1'], '0-0', last, 1000)).entries.map(({ offset }) => offset)).toEqual(committed)

    await redis.limitFiles('unlimited')
    // Redis looks once a second whether it can write again.
    await eventually(() => owner.commit([appendOf('next')]), 'a commit')
    await eventually(async () => (await figure(redis, 'aof_pending_bio_fsync')) === 0, 'the disk')
    await redis.kill('SIGKILL')
    await redis.restart()
    const again = await eventually(() => store.head(0), 'the head')
    expect(again.last).toBe(owner.state.last)
    expect(await command(redis, 'XLEN', 'hubbub:{p0}:journal')).toBe(committed.length + 1)
  })
})
