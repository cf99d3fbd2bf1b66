import { createClient } from 'redis'
import { appendProgress, idsOf, numbered } from './entries.js'
import { openStage, redisOfFile, stopRedisOfFile, type Stage } from './stage.js'

let stage: Stage
afterEach(() => stage.close())
afterAll(stopRedisOfFile)

const COMMIT = 'hubbub:{p0}:commit'

/** What a failover leaves behind: a commit hash as it was a moment ago. */
async function setBack(field: string, value: string): Promise<void> {
  const client = createClient({ url: (await redisOfFile()).url })
  await client.connect()
  await client.hSet(COMMIT, field, value)
  client.destroy()
}

async function number(): Promise<number> {
  const client = createClient({ url: (await redisOfFile()).url })
  await client.connect()
  const text = await client.hGet(COMMIT, 'number')
  client.destroy()
  return Number(text)
}

describe('a processor whose Redis lost writes', () => {
  beforeEach(async () => {
    stage = await openStage('redis', { leaseMs: 60_000, leaseRenewMs: 20_000 })
  })

  test('begins a new epoch and goes on from the positions that Redis knows (I3)', async () => {
    await stage.processor('p1').start()
    await appendProgress(stage.store, 'a', 0, 20)
    await stage.journalOf(20)
    const before = (await stage.store.head(0)).epochs.length
    await setBack('number', String((await number()) - 1))
    await appendProgress(stage.store, 'a', 20, 40)
    expect(idsOf(await stage.journalOf(40), 'a')).toEqual(numbered('a', 40))
    expect((await stage.store.head(0)).epochs.length).toBe(before + 1)
  })

  test('commits again what stands behind older positions only where its key was lost, too', async () => {
    await stage.processor('p1').start()
    await appendProgress(stage.store, 'a', 0, 20)
    await stage.journalOf(20)
    await setBack('agents', '0-0')
    await appendProgress(stage.store, 'a', 20, 40)
    expect(idsOf(await stage.journalOf(40), 'a')).toEqual(numbered('a', 40))
  })

  test('keeps its lease, so that nobody else comes between', async () => {
    const processor = stage.processor('p1')
    await processor.start()
    await setBack('fence', 'another')
    await appendProgress(stage.store, 'a', 0, 20)
    expect(idsOf(await stage.journalOf(20), 'a')).toEqual(numbered('a', 20))
    expect(processor.owned()).toEqual([0])
    expect(await stage.store.owners()).toEqual(['p1'])
  })
})

describe('a processor whose Redis is killed', () => {
  test('goes on with the next one, however empty it is', async () => {
    stage = await openStage('redis', { leaseMs: 2000, leaseRenewMs: 300 })
    const processor = stage.processor('p1')
    await processor.start()
    await appendProgress(stage.store, 'a', 0, 20)
    await stage.journalOf(20)
    const redis = await redisOfFile()
    await redis.kill('SIGKILL')
    await redis.restart()
    await appendProgress(stage.store, 'b', 0, 20)
    expect(idsOf(await stage.journalOf(20), 'b')).toEqual(numbered('b', 20))
  })
})
