/** How processes are, who keeps watch, and what it noted: the same on both stores. */
import { createClient } from 'redis'
import { openStore } from '../../server/src/store/open.js'
import type { Store, VitalsPage } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { appendOf, DEFAULTS, Owner } from './fixture.js'

const LONG = 60_000

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const dial = () => createClient({ url: redis.url })

async function raw<T>(ask: (client: ReturnType<typeof dial>) => Promise<T>): Promise<T> {
  const client = dial()
  await client.connect()
  return ask(client).finally(() => client.destroy())
}

const namesOf = ({ reports }: VitalsPage) => reports.map(({ id, json }) => `${id} ${json}`)

describe.each(['memory', 'redis'] as const)('vitals in the store in %s', (kind) => {
  let store: Store
  beforeEach(async () => {
    if (kind === 'redis') await raw((client) => client.flushAll())
    store = await openStore({ ...DEFAULTS, deadLetters: 2, redisUrl: kind === 'redis' ? redis.url : '' })
  })
  afterEach(() => store.close())

  test('are what each process said last, with the times of its first and last word, by the store\'s clock', async () => {
    expect(await store.vitals.report('b', '{"n":1}', LONG)).toMatchObject({ others: 0 })
    expect(await store.vitals.report('a', '{"n":"2 3"}', LONG)).toMatchObject({ others: 1 })
    const before = await store.vitals.all()
    await eventually(async () => (await store.vitals.all()).now > before.now, 'the clock to go on')
    const { now } = await store.vitals.report('b', '{"n":4}', LONG)
    const page = await store.vitals.all()
    expect(namesOf(page)).toEqual(['a {"n":"2 3"}', 'b {"n":4}'])
    const [a, b] = page.reports
    expect([a!.firstAt, a!.at]).toEqual([a!.at, a!.at])
    expect([b!.firstAt, b!.at, b!.firstAt < b!.at]).toEqual([before.reports[1]!.firstAt, now, true])
    expect(page.now).toBeGreaterThanOrEqual(now)
  })

  test('list nobody who retired', async () => {
    await store.vitals.report('a', '{}', LONG)
    await store.vitals.report('__proto__', '{}', LONG)
    expect(namesOf(await store.vitals.all())).toEqual(['__proto__ {}', 'a {}'])
    await store.vitals.retire('a')
    await store.vitals.retire('never')
    expect(namesOf(await store.vitals.all())).toEqual(['__proto__ {}'])
  })

  test('give the watch to one process at a time, to another one when it retires or says nothing', async () => {
    const watches = async (id: string, ms = LONG) => (await store.vitals.report(id, '{}', ms)).watch
    expect([await watches('a'), await watches('b'), await watches('a', 50)]).toEqual([true, false, true])
    await eventually(() => watches('b'), 'the watch of a silent process')
    expect(await watches('a')).toBe(false)
    await store.vitals.retire('b')
    expect(await watches('a')).toBe(true)
  })

  test('take notes of the watch alone', async () => {
    await store.vitals.report('a', '{}', LONG)
    await store.vitals.report('b', '{}', LONG)
    expect(await store.vitals.note('b', { x: 'not his' })).toBe(false)
    expect(await store.vitals.note('a', { x: '1', y: 'two\n', __proto: '3' })).toBe(true)
    expect(await store.vitals.note('a', { y: null, never: null })).toBe(true)
    expect((await store.vitals.all()).notes).toEqual({ x: '1', __proto: '3' })
    await store.vitals.retire('a')
    expect(await store.vitals.note('a', { x: null })).toBe(false)
    expect((await store.vitals.all()).notes).toEqual({ x: '1', __proto: '3' })
  })

  test('say of each partition whose it is, how far behind, and how many letters died', async () => {
    const fresh = { owner: null, lag: 0, deadLetters: 0, deadLettersEver: 0 }
    expect(await store.vitals.partitions()).toEqual([fresh, fresh])
    const owner = await Owner.take(store, 1)
    await store.append(1, [{ stream: 'agents', event: '{}' }, { stream: 'github', event: '{}' }])
    await owner.commit([appendOf('e')])
    for (const id of ['1', '2', '3']) await owner.refuse({ outcome: '!INVALID_MESSAGE', dead: { stream: 'agents', id: `${id}-0`, code: 'INVALID_MESSAGE', message: 'x', fields: {} } })
    const [first, second] = await store.vitals.partitions()
    expect(first).toEqual(fresh)
    expect(second).toMatchObject({ owner: owner.name, lag: 2, deadLettersEver: 3 })
    const [letter] = await store.dead.list(1, 1)
    await store.dead.drop(1, letter!.id)
    expect((await store.vitals.partitions())[1]).toMatchObject({ deadLetters: second!.deadLetters - 1, deadLettersEver: 3 })
  })

  test('say what the store knows of itself', async () => {
    const info = await store.vitals.info()
    if (kind === 'memory') expect(info).toEqual({})
    else expect(info).toEqual({ version: expect.stringMatching(/^\d+\./), memoryBytes: expect.any(Number), memoryLimitBytes: undefined, clients: expect.any(Number), operations: expect.any(Number) })
  })
})

test('a process is forgotten ten minutes after its last word, and a Redis that was emptied knows again who speaks', async () => {
  const store = await openStore({ ...DEFAULTS, redisUrl: redis.url })
  try {
    await raw((client) => client.flushAll())
    await store.vitals.report('old', '{}', LONG)
    await raw((client) => client.zIncrBy('hubbub:{vitals}:seen', -600_001, 'old'))
    expect(namesOf(await store.vitals.all())).toEqual(['old {}'])
    expect(await store.vitals.report('young', '{}', LONG)).toMatchObject({ watch: false, others: 0 })
    expect(namesOf(await store.vitals.all())).toEqual(['young {}'])
    expect(await raw((client) => client.hLen('hubbub:{vitals}:reports'))).toBe(1)
    await raw((client) => client.flushAll())
    expect(await store.vitals.all()).toMatchObject({ reports: [], notes: {} })
    expect(await store.vitals.report('young', '{}', LONG)).toMatchObject({ watch: true, others: 0 })
  } finally {
    await store.close()
  }
})
