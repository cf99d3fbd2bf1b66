/** A store whose keys go elsewhere while it is used: a slot of a Cluster, a master that Sentinels replace and that stays up. */
import { openStore } from '../../../server/src/store/open.js'
import { StoreUnavailable, type Store } from '../../../server/src/store/port.js'
import { slotOf } from '../../../server/src/store/redis/slots.js'
import { eventually } from '../../harness/eventually.js'
import type { RedisProcess } from '../../harness/redis.js'
import { startRedisCluster, type RedisCluster } from '../../harness/redis-cluster.js'
import { commandTo, infoOf } from '../../harness/replicas.js'
import { startSentinel, type SentinelSite } from '../../harness/sentinel.js'
import { appendOf, DEFAULTS, HOUR, idsOf, Owner } from '../fixture.js'

/** A reader as the fan-out has one: what fails is read again from the last entry it got. */
function follow(store: Store): { ids: string[]; stop(): Promise<void> } {
  const ids: string[] = []
  const halt = new AbortController()
  const run = async () => {
    const tail = store.openTail(0)
    for (let after = '0-0'; !halt.signal.aborted; ) {
      const entries = await tail.read(after, 100, 500).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return []
        throw error
      })
      ids.push(...idsOf(entries))
      after = entries.at(-1)?.offset ?? after
    }
    await tail.close()
  }
  const done = run()
  return {
    ids,
    stop() {
      halt.abort()
      return done
    },
  }
}

/** As an owner does: again, unchanged, until it is answered; anew where the answer is that the server that it was meant for is gone with what it took. */
async function commit(owner: Owner, id: string): Promise<void> {
  const batch = owner.batch([appendOf(id, ['project'], { replyTo: 'w' })])
  const result = await eventually(() => owner.store.commit(0, batch), 'the commit', 20_000)
  if (result.status === 'committed') {
    owner.state = { ...owner.state, batch: batch.number }
    return
  }
  expect(result.status).toBe('lost')
  const anew = await eventually(() => owner.store.restart(0, owner.name, HOUR), 'the restart', 20_000)
  owner.state = anew!
  await commit(owner, id)
}

interface Use {
  store: Store
  owner: Owner
  tail: ReturnType<typeof follow>
  heard: (string | null)[]
}

async function use(redisUrl: string): Promise<Use> {
  const store = await openStore({ ...DEFAULTS, redisUrl })
  const heard: (string | null)[] = []
  await store.listen('w', [0, 1], (pairs) => (pairs ? heard.push(...pairs.map(([seen]) => seen)) : heard.push(null)))
  const owner = await Owner.take(store)
  const tail = follow(store)
  await commit(owner, 'before')
  await eventually(() => tail.ids.includes('before') && heard.includes('seen-before'), 'entry and hint')
  return { store, owner, tail, heard }
}

/** After the move: hints are heard again, every entry was read once, in order. */
async function settled({ store, owner, tail, heard }: Use, committed: readonly string[]): Promise<void> {
  await eventually(() => heard.includes(null), 'the interruption being told')
  await commit(owner, 'after')
  await eventually(() => tail.ids.includes('after') && heard.includes('seen-after'), 'entry and hint after the move')
  await tail.stop()
  expect(tail.ids).toEqual(['before', ...committed, 'after'])
  await store.close()
}

describe('a slot of a Cluster that moves to another node', () => {
  let redis: RedisCluster
  beforeAll(async () => {
    redis = await startRedisCluster()
  }, 60_000)
  afterAll(() => redis.stop())

  test('takes readers, hints and calls with it; keys that are ahead of their slot are found, new ones made there', async () => {
    const session = { project: 'default', subject: 'a', subscriptions: [] }
    const used = await use(redis.url)
    const slot = slotOf('{p0}')
    const from = await redis.masterOf(slot)
    const to = redis.nodes.slice(0, 3).find((node) => node !== from) as RedisProcess
    await commandTo(to, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', await redis.id(from))
    await commandTo(from, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', await redis.id(to))
    expect(await used.store.sessions.save(0, 'new', 1, session, HOUR)).toBe(true)
    expect(await used.store.sessions.peek(0, 'new')).toEqual({ generation: 1, record: session })
    expect(await commandTo(to, 'CLUSTER', 'COUNTKEYSINSLOT', String(slot))).toBe(1)
    const moving = commit(used.owner, 'moving')
    for (;;) {
      const keys = (await commandTo(from, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '1')) as string[]
      if (keys.length === 0) break
      await commandTo(from, 'MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys)
    }
    for (const node of [to, from]) await commandTo(node, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', await redis.id(to))
    await moving
    await settled(used, ['moving'])
  }, 60_000)

  test('is one of several whose owners, vitals and sinks are asked for together', async () => {
    const store = await openStore({ ...DEFAULTS, partitions: 2, redisUrl: redis.url })
    expect(await store.owners()).toHaveLength(2)
    expect(await store.vitals.partitions()).toHaveLength(2)
    expect(await store.vitals.info()).toMatchObject({ version: expect.stringMatching(/^\d+\./), memoryBytes: expect.any(Number), clients: expect.any(Number), operations: expect.any(Number) })
    expect(await store.ping()).toBeGreaterThan(0)
    expect(await store.sinks.remove(1, 'default', 'none')).toBe(false)
    await store.close()
  })
})

describe('a master that Sentinels replace and that stays up', () => {
  let site: SentinelSite
  beforeAll(async () => {
    site = await startSentinel()
  }, 60_000)
  afterAll(() => site.stop())

  test('is left by readers, hints and calls alike', async () => {
    const used = await use(site.url)
    const from = await site.master()
    await eventually(async () => (await infoOf(from, 'replication')).get('connected_slaves') === '1', 'the replica')
    await commandTo(site.sentinels[0]!, 'SENTINEL', 'FAILOVER', 'hub')
    const committed = Array.from({ length: 30 }, (_, n) => `during-${n}`)
    for (const id of committed) await commit(used.owner, id)
    await site.failedOver(from)
    await eventually(async () => (await infoOf(from, 'replication')).get('role') === 'slave', 'the old master being a replica', 20_000)
    await settled(used, committed)
  }, 60_000)

  test('is found by Sentinels of which one is left; a name that none of them knows is said', async () => {
    const [first, second] = site.sentinels
    await Promise.all([first!.kill('SIGKILL'), second!.kill('SIGSTOP')])
    const store = await openStore({ ...DEFAULTS, redisUrl: site.url })
    expect(await store.ping()).toBeGreaterThan(0)
    await store.close()
    await expect(openStore({ ...DEFAULTS, redisUrl: site.url.replace(/hub$/, 'nobody') })).rejects.toThrow(/the Sentinel 127\.0\.0\.1:\d+ knows no master 'nobody'/)
    await second!.kill('SIGCONT')
  }, 60_000)
})
