import { createClient } from 'redis'
import { openStore, PartitionMismatch, type StoreOptions } from '../../server/src/store/open.js'
import { StoreUnavailable, type Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { appendOf, DEFAULTS, HOUR, idsOf, ORIGINS, Owner } from './fixture.js'

const stores: Store[] = []
const processes: RedisProcess[] = []

async function start(...args: string[]): Promise<RedisProcess> {
  const redis = await startRedis(args.length > 0 ? { args } : {})
  processes.push(redis)
  return redis
}

async function open(redis: Pick<RedisProcess, 'url'>, options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({ ...DEFAULTS, ...options, redisUrl: redis.url })
  stores.push(store)
  return store
}

/** A command on a connection of its own. */
async function command(redis: RedisProcess, ...args: string[]): Promise<unknown> {
  const client = await createClient({ url: redis.url }).connect()
  try {
    return await client.sendCommand<unknown>(args)
  } finally {
    client.destroy()
  }
}

/** ms until the call fails with StoreUnavailable; throws when it does not fail so. */
async function failsAfter(call: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await expect(call).rejects.toBeInstanceOf(StoreUnavailable)
  return performance.now() - begun
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await Promise.all(processes.splice(0).map((redis) => redis.stop()))
})

describe('the store on Redis', () => {
  test('refuses another number of partitions, in one line that names it', async () => {
    const redis = await start()
    await open(redis, { partitions: 3 })
    const refused = open(redis, { partitions: 5 })
    await expect(refused).rejects.toBeInstanceOf(PartitionMismatch)
    await expect(refused).rejects.toThrow(/^HUBBUB_PARTITIONS: '5' is not allowed; allowed: 3, [^\n]*$/)
  })

  test('fails to open within seconds where there is no Redis', async () => {
    const elapsed = await failsAfter(open({ url: `redis://127.0.0.1:${await freePort()}` }))
    expect(elapsed).toBeLessThan(7000)
  })

  test('keeps every key of a partition in its hash slot', async () => {
    const redis = await start()
    const store = await open(redis)
    for (const partition of [0, 1]) {
      await store.append(partition, [{ stream: 'github', event: 'x', once: { key: 'delivery', ttlMs: HOUR } }])
      const owner = await Owner.take(store, partition)
      await owner.commit([appendOf('a', ['task:1', 'project'])], { refusals: [{ outcome: '!X', seen: 's', dead: { stream: 'agents', id: '1-0', code: 'X', message: '', fields: { event: '' } } }] })
      await store.sessions.save(partition, 'session', 1, { project: 'default', subject: 'a', subscriptions: [] }, HOUR)
    }
    await store.join('processor', HOUR)
    const keys = (await command(redis, 'KEYS', '*')) as string[]
    expect(keys.filter((key) => !/^hubbub:\{p[01]\}:/.test(key)).sort()).toEqual(['hubbub:config', 'hubbub:processors'])
    for (const kind of ['commit', 'journal', 'lease', 'epochs', 'seen:a', 'dead', 'source:github', 'topic:default/task:1', 'session:session', 'once:delivery']) {
      expect(keys).toContain(`hubbub:{p1}:${kind}`)
    }
  })

  test('goes on after its scripts were flushed', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    await owner.commit([appendOf('a')])
    await command(redis, 'SCRIPT', 'FLUSH')
    const [offset] = await owner.commit([appendOf('b')])
    expect(idsOf((await store.readRange(0, '0-0', offset!, 10)).entries)).toEqual(['a', 'b'])
  })

  test('has other epochs after Redis came back empty', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    await owner.commit([appendOf('a')])
    const before = await store.head(0)
    await command(redis, 'FLUSHALL')
    const { epochs } = await store.head(0)
    expect(epochs).toHaveLength(1)
    expect(before.epochs.map(({ nonce }) => nonce)).not.toContain(epochs[0]!.nonce)
    expect(await store.commit(0, owner.batch([appendOf('b')]))).toEqual({ status: 'fenced' })
    expect(await store.takeOver(0, 'next', HOUR)).toMatchObject({ batch: 0, last: '0-0', positions: ORIGINS })
  })

  test('takes a raw writer\'s entry as it stands, whatever its fields', async () => {
    const redis = await start()
    const store = await open(redis)
    await command(redis, 'XADD', 'hubbub:{p0}:source:workflows', '*', '__proto__', 'x', 'event', '1', 'event', '2', '', '')
    const reader = store.openSource(0)
    const [entry] = await reader.read(ORIGINS, 10, 0)
    expect(Object.entries(entry!.fields)).toEqual([['__proto__', 'x'], ['event', '2'], ['', '']])
    await reader.close()
  })
})

describe('the store on Redis, under load,', () => {
  test('answers pages of about 1 MB, however many entries were asked for', async () => {
    const store = await open(await start())
    const owner = await Owner.take(store)
    const note = 'x'.repeat(100_000)
    for (let n = 0; n < 60; n += 10) await owner.commit(Array.from({ length: 10 }, (_, k) => appendOf(`n${n + k}`, ['task:1'], { note })))
    const { last } = await store.head(0)
    for (const read of [(after: string) => store.readRange(0, after, last, 1000), (after: string) => store.readTopics(0, ['default/task:1'], after, last, 1000)]) {
      const page = await read('0-0')
      expect(page.entries.length).toBeLessThan(40)
      expect(page.reached).toBe(page.entries.at(-1)!.offset)
      const rest = await read(page.reached)
      expect(idsOf([...page.entries, ...rest.entries])).toEqual(Array.from({ length: page.entries.length + rest.entries.length }, (_, n) => `n${n}`))
    }
    expect((await store.readLast(0, ['default/task:1'], last, 55)).entries).toHaveLength(55)
  })

  test('drops from a topic\'s index what the journal let go', async () => {
    const redis = await start()
    const store = await open(redis, { retention: { ageMs: HOUR, count: 10, bytes: 5000 } })
    const owner = await Owner.take(store)
    const fill = () => owner.commit(Array.from({ length: 20 }, (_, n) => appendOf(`n${n}`, ['task:1'])))
    for (let round = 0; round < 50; round++) await fill()
    await owner.housekeep()
    const members = () => command(redis, 'LLEN', 'hubbub:{p0}:topic:default/task:1') as Promise<number>
    expect(await members()).toBe(1000)
    await fill()
    await fill()
    expect(await members()).toBeLessThan(200)
    const { last, floor } = await store.head(0)
    const [page, range] = await Promise.all([store.readTopics(0, ['default/task:1'], floor, last, 100_000), store.readRange(0, floor, last, 100_000)])
    expect(page.entries).toEqual(range.entries)
  })
})

describe('when Redis fails, the store', () => {
  test('survives SIGKILL and restart: what was committed stands, readers and hints come back', async () => {
    const redis = await start('--appendonly', 'yes', '--appendfsync', 'always', '--save', '')
    const store = await open(redis)
    const owner = await Owner.take(store)
    const heard: (string | null)[] = []
    await store.listen('w', [0, 1], (pairs) => (pairs ? heard.push(...pairs.map(([seen]) => seen)) : heard.push(null)))
    const batch = owner.batch([appendOf('a')])
    const first = await store.commit(0, batch)
    await redis.kill('SIGKILL')
    await failsAfter(store.openTail(0).read('0-0', 1, 100))
    await redis.restart()
    const repeated = await eventually(() => store.commit(0, batch), 'the commit being answered')
    expect(repeated).toEqual({ ...first, replayed: true })
    await eventually(() => heard.includes(null), 'the interruption being told')
    owner.state = { ...owner.state, batch: 1 }
    await owner.commit([appendOf('b', ['project'], { replyTo: 'w' })])
    await eventually(() => heard.includes('seen-b'), 'the hint after the interruption')
  })

  test('fails every call by its deadline while Redis is frozen, and works again when it wakes', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    const tail = store.openTail(0)
    expect(await tail.read('0-0', 1, 1)).toEqual([])
    await redis.kill('SIGSTOP')
    const elapsed = await Promise.all([
      failsAfter(store.commit(0, owner.batch([appendOf('a')]))),
      failsAfter(store.append(0, [{ stream: 'agents', event: 'x' }])),
      failsAfter(tail.read('0-0', 1, 500)),
    ])
    expect(Math.max(...elapsed)).toBeLessThan(8000)
    await redis.kill('SIGCONT')
    const result = await eventually(() => store.commit(0, owner.batch([appendOf('a')])), 'the commit')
    expect(result.status).toBe('committed')
    expect(await eventually(() => tail.read('0-0', 10, 100), 'the tail')).toHaveLength(1)
  })

  test('says so when Redis is full, and changes nothing by halves', async () => {
    const redis = await start()
    const store = await open(redis)
    const owner = await Owner.take(store)
    await command(redis, 'CONFIG', 'SET', 'maxmemory', '1mb')
    await failsAfter(store.append(0, [{ stream: 'agents', event: 'x' }]))
    await failsAfter(store.commit(0, owner.batch([appendOf('a')])))
    await command(redis, 'CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.commit(0, owner.batch([appendOf('a')]))).toMatchObject({ status: 'committed', replayed: false })
  })

  test('tells a listener whose connection was cut that hints may be missing, and hears the later ones', async () => {
    const redis = await start()
    const store = await open(redis, { clientName: 'cut-me' })
    const owner = await Owner.take(store)
    const heard: (string | null)[] = []
    const stop = await store.listen('w', [0, 1], (pairs) => (pairs ? heard.push(...pairs.map(([seen]) => seen)) : heard.push(null)))
    await command(redis, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually(() => heard.includes(null), 'the interruption being told')
    await owner.commit([appendOf('a', ['project'], { replyTo: 'w' })])
    await eventually(() => heard.includes('seen-a'), 'the next hint')
    await stop()
  })
})
