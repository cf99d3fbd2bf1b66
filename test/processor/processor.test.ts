import { StoreUnavailable, type Batch, type CommitResult } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { appendProgress, entryOf, idsOf, numbered, progress, rawEntry } from './entries.js'
import { withFault } from './fault.js'
import { KINDS, openStage, stopRedisOfFile, type Stage } from './stage.js'

let stage: Stage
afterEach(() => stage.close())
afterAll(stopRedisOfFile)

describe.each(KINDS)('the processor on the %s store', (kind) => {
  beforeEach(async () => {
    stage = await openStage(kind)
  })

  test('owns everything as soon as it has started, when it is alone', async () => {
    await stage.close()
    stage = await openStage(kind, { partitions: 6 })
    const processor = stage.processor('p1')
    await processor.start()
    expect(processor.owned()).toEqual([0, 1, 2, 3, 4, 5])
    for (const partition of processor.owned()) await stage.store.append(partition, [rawEntry('no event')])
    for (const partition of processor.owned()) await stage.deadLetters(1, partition)
  })

  test('commits each event once, in each producer\'s order (I1, I3)', async () => {
    await appendProgress(stage.store, 'early', 0, 700)
    await stage.processor('p1').start()
    await Promise.all([appendProgress(stage.store, 'a', 0, 300), appendProgress(stage.store, 'b', 0, 300)])
    await appendProgress(stage.store, 'a', 300, 600)
    const events = await stage.journalOf(1600)
    for (const [producer, count] of [['early', 700], ['a', 600], ['b', 300]] as const) {
      expect(idsOf(events, producer)).toEqual(numbered(producer, count))
    }
  })

  test('merges the source streams in the order of arrival', async () => {
    for (const [at, stream] of (['agents', 'system', 'github', 'agents', 'workflows', 'system'] as const).entries()) {
      await stage.store.append(0, [entryOf(progress(`e${at}`, 't', at), { stream })])
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await stage.processor('p1').start()
    expect((await stage.journalOf(6)).map(({ id }) => id)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5'])
  })

  test('recognises what it has seen, in one batch and later, of one producer only', async () => {
    const other = { source: '/agents/other', project: 'default' }
    const twice = [entryOf(progress('same', 't', 1)), entryOf(progress('same', 't', 2))]
    await stage.store.append(0, [...twice, entryOf(progress('same', 't', 3), { identity: other })])
    await stage.processor('p1').start()
    await stage.journalOf(2)
    await stage.store.append(0, [entryOf(progress('same', 't', 4)), entryOf(progress('last', 't', 5))])
    const events = await stage.journalOf(3)
    expect(events.map(({ data }) => (data as { progress: number }).progress)).toEqual([1, 3, 5])
  })

  test('puts poison aside with its reason and goes on behind it (I5)', async () => {
    const nonsense = ['', 'no json', '{"type":', '[]', '{"type":"task.exploded","data":{}}']
    const poison = [...nonsense, JSON.stringify(progress('p', 't', 4000)), '{"type":"custom.x","data":{"__proto__":1}}']
    await stage.store.append(0, [progress('first', 't', 1), ...poison, progress('last', 't', 2)].map((event) => rawEntry(event)))
    await stage.processor('p1').start()
    expect((await stage.journalOf(2)).map(({ id }) => id)).toEqual(['first', 'last'])
    const letters = await stage.deadLetters(poison.length)
    expect(letters.map(({ code }) => code)).toEqual([
      'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'UNKNOWN_TYPE', 'VALIDATION_ERROR', 'VALIDATION_ERROR',
    ])
    expect(letters.map(({ fields }) => fields.event)).toEqual(poison)
    expect(letters.every(({ stream, message }) => stream === 'workflows' && message.length > 0)).toBe(true)
  })

  test('takes a dead letter that is replayed after its cause was mended', async () => {
    const processor = stage.processor('strict', stage.store, { maxEventBytes: 1024 })
    await processor.start()
    await stage.store.append(0, [rawEntry(progress('big', 't', 1, { data: { taskId: 't', progress: 1, message: 'x'.repeat(2000) } }))])
    const [letter] = await stage.deadLetters(1)
    expect(letter!.code).toBe('PAYLOAD_TOO_LARGE')
    await processor.stop()
    await stage.processor('generous').start()
    await stage.store.dead.replay(0, letter!.id)
    expect((await stage.journalOf(1))[0]!.id).toBe('big')
  })

  test('repeats a commit whose answer was lost, and it counts once (I3)', async () => {
    const seen: Batch[] = []
    const results: CommitResult[] = []
    const store = withFault(stage.store, {
      async commit(partition, batch) {
        seen.push(batch)
        const result = await stage.store.commit(partition, batch)
        results.push(result)
        if (results.length === 1) throw new StoreUnavailable('the answer was lost')
        return result
      },
    })
    await appendProgress(stage.store, 'a', 0, 50)
    await stage.processor('p1', store).start()
    await appendProgress(stage.store, 'a', 50, 60)
    expect(idsOf(await stage.journalOf(60), 'a')).toEqual(numbered('a', 60))
    await eventually(() => results.length > 1, 'the repeated commit')
    expect(seen[1]).toBe(seen[0])
    expect(results[1]).toEqual({ ...results[0], replayed: true })
  })

  test('that another owner fenced commits nothing more, and takes the partition again when it is free (I3)', async () => {
    const processor = stage.processor('frozen', stage.store, { leaseMs: 60_000, leaseRenewMs: 20_000 })
    await processor.start()
    await appendProgress(stage.store, 'a', 0, 10)
    await stage.journalOf(10)
    await stage.store.release(0, 'frozen')
    const taken = await stage.store.takeOver(0, 'other', 60_000)
    expect(taken).not.toBeNull()
    await appendProgress(stage.store, 'a', 10, 20)
    await eventually(() => processor.owned().length === 0, 'the loss of the partition')
    expect(await stage.journal()).toHaveLength(10)
    await stage.store.release(0, 'other')
    expect(idsOf(await stage.journalOf(20), 'a')).toEqual(numbered('a', 20))
    expect(processor.owned()).toEqual([0])
  })

  test('survives a store that fails for a while, and a script that fails once', async () => {
    let failures = 0
    const store = withFault(stage.store, {
      async seen(partition, keys) {
        if (++failures === 2) throw new StoreUnavailable('away')
        return stage.store.seen(partition, keys)
      },
      async commit(partition, batch) {
        failures++
        if (failures === 5) throw new Error('the script failed')
        if (failures % 3 === 0) throw new StoreUnavailable('away')
        return stage.store.commit(partition, batch)
      },
    })
    await appendProgress(stage.store, 'a', 0, 1200)
    await stage.processor('p1', store).start()
    expect(idsOf(await stage.journalOf(1200), 'a')).toEqual(numbered('a', 1200))
  })

  test('finds the one entry that the store cannot take, and puts only that aside', async () => {
    const store = withFault(stage.store, {
      async commit(partition, batch) {
        if (batch.appends.some(({ event }) => event.includes('a-33'))) throw new Error('the script failed')
        return stage.store.commit(partition, batch)
      },
    })
    await appendProgress(stage.store, 'a', 0, 64)
    await stage.processor('p1', store, { batchEvents: 32 }).start()
    const events = await stage.journalOf(63)
    expect(idsOf(events, 'a')).toEqual(numbered('a', 64).filter((id) => id !== 'a-33'))
    expect(await stage.deadLetters(1)).toMatchObject([{ code: 'INTERNAL_ERROR', fields: { event: expect.stringContaining('a-33') } }])
  })

  test('keeps to the limits of a batch', async () => {
    const batches: Batch[] = []
    const store = withFault(stage.store, {
      commit(partition, batch) {
        batches.push(batch)
        return stage.store.commit(partition, batch)
      },
    })
    const big = Array.from({ length: 40 }, (_, at) => entryOf({ id: `b${at}`, type: 'custom.bulk', data: { text: 'x'.repeat(30_000) } }))
    await stage.store.append(0, big)
    await appendProgress(stage.store, 'a', 0, 300)
    await stage.processor('p1', store, { batchEvents: 100, batchBytes: 65_536 }).start()
    await stage.journalOf(340)
    expect(Math.max(...batches.map(({ appends }) => appends.length))).toBeLessThanOrEqual(100)
    expect(Math.max(...batches.map(({ appends }) => appends.reduce((sum, { event }) => sum + event.length, 0)))).toBeLessThan(2 * 65_536)
  })

  test('that stops gives its leases back at once, and its successor goes on from there', async () => {
    const processor = stage.processor('p1', stage.store, { leaseMs: 60_000, leaseRenewMs: 20_000 })
    await processor.start()
    await appendProgress(stage.store, 'a', 0, 400)
    await stage.journalOf(1)
    await processor.stop()
    expect(await stage.store.owners()).toEqual([null])
    expect(await stage.store.join('p2', 1000)).toEqual(['p2'])
    await stage.processor('p2').start()
    expect(idsOf(await stage.journalOf(400), 'a')).toEqual(numbered('a', 400))
  })
})
