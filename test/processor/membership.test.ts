import { partitionOf } from '@hubbub/protocol'
import type { Processor } from '../../server/src/processor/processor.js'
import { eventually } from '../harness/eventually.js'
import { appendProgress, idsOf, numbered } from './entries.js'
import { KINDS, openStage, stopRedisOfFile, type Stage } from './stage.js'

let stage: Stage
afterEach(() => stage.close())
afterAll(stopRedisOfFile)

const PARTITIONS = 8

/** Waits until the processors own everything, each as many as said, none twice. */
async function ownership(processors: readonly Processor[], counts: readonly number[]): Promise<void> {
  await eventually(() => {
    const owned = processors.map((processor) => processor.owned())
    const all = owned.flat()
    const shares = owned.map(({ length }) => length).sort((a, b) => b - a)
    return all.length === PARTITIONS && new Set(all).size === PARTITIONS && shares.join() === counts.join()
  }, `ownership of ${counts.join()}`, 15_000)
}

describe.each(KINDS)('processors on the %s store', (kind) => {
  beforeEach(async () => {
    stage = await openStage(kind, { partitions: PARTITIONS })
  })

  test('share the partitions evenly, also after one joins and one leaves', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async (id) => stage.processor(id, await stage.another())))
    await a!.start()
    await ownership([a!], [8])
    await b!.start()
    await ownership([a!, b!], [4, 4])
    await c!.start()
    await ownership([a!, b!, c!], [3, 3, 2])
    await a!.stop()
    expect(a!.owned()).toEqual([])
    await ownership([b!, c!], [4, 4])
  })

  test('that start at the same moment share evenly', async () => {
    const processors = await Promise.all(['a', 'b', 'c', 'd'].map(async (id) => stage.processor(id, await stage.another())))
    await Promise.all(processors.map((processor) => processor.start()))
    await ownership(processors, [2, 2, 2, 2])
  })

  test('take a dead one\'s partitions within its lease and a look', async () => {
    const leaseMs = 2000
    // One that took everything, then was never heard of again.
    await stage.store.join('dead', leaseMs)
    for (let partition = 0; partition < PARTITIONS; partition++) await stage.store.takeOver(partition, 'dead', leaseMs)
    const died = performance.now()
    const processor = stage.processor('b', stage.store, { leaseMs, leaseRenewMs: 700 })
    await processor.start()
    expect(processor.owned()).toEqual([])
    await ownership([processor], [8])
    expect(performance.now() - died).toBeLessThan(leaseMs * 1.2 + 500)
  })

  test('move partitions under load without losing or repeating anything (I3)', async () => {
    const home = partitionOf('default', PARTITIONS)
    const first = stage.processor('a', await stage.another())
    const second = stage.processor('b', await stage.another())
    const writer = await stage.another()
    await first.start()
    const owners = new Set<string>()
    for (let from = 0; from < 3000; from += 50) {
      await appendProgress(writer, 'w', from, from + 50)
      if (from === 500) await second.start()
      if (from === 1000) await eventually(() => second.owned().includes(home), 'the partition\'s move')
      if (from === 2000) await second.stop()
      owners.add(String((await writer.owners())[home]))
    }
    const events = await stage.journalOf(3000, home)
    expect(idsOf(events, 'w')).toEqual(numbered('w', 3000))
    expect([...owners]).toEqual(expect.arrayContaining(['a', 'b']))
  })
})
