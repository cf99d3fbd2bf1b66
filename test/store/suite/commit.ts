import type { Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { appendOf, idsOf, Owner, ORIGINS, type OpenStore } from '../fixture.js'

export function commitSuite(open: OpenStore): void {
  describe('a commit', () => {
    let store: Store
    let owner: Owner
    beforeEach(async () => {
      store = await open()
      owner = await Owner.take(store)
    })

    test('puts the batch into the journal, in order, each entry naming the one before it', async () => {
      const offsets = [...(await owner.commit([appendOf('a'), appendOf('b')])), ...(await owner.commit([appendOf('c')]))]
      const { entries, reached, floor } = await store.readRange(0, '0-0', offsets[2]!, 10)
      expect(idsOf(entries)).toEqual(['a', 'b', 'c'])
      expect(entries.map(({ offset }) => offset)).toEqual(offsets)
      expect(entries.map(({ previous }) => previous)).toEqual(['0-0', offsets[0], offsets[1]])
      expect({ reached, floor }).toEqual({ reached: offsets[2], floor: '0-0' })
      expect(entries[0]!.event).toBe(appendOf('a').event)
    })

    test('repeated after a lost answer gives the first one\'s result and writes nothing', async () => {
      const batch = owner.batch([appendOf('a'), appendOf('b')])
      const first = await store.commit(0, batch)
      expect(await store.commit(0, batch)).toEqual({ ...first, replayed: true })
      expect((await store.readRange(0, '0-0', (await store.head(0)).last, 10)).entries).toHaveLength(2)
    })

    test('that does not follow is lost: number and each position', async () => {
      await owner.commit([appendOf('a')])
      const lost = { status: 'lost' }
      expect(await store.commit(0, { ...owner.batch([appendOf('b')]), number: owner.state.batch + 2 })).toEqual(lost)
      expect(await store.commit(0, { ...owner.batch([appendOf('b')]), number: 0 })).toEqual(lost)
      for (const stream of ['agents', 'workflows', 'github', 'system'] as const) {
        expect(await store.commit(0, owner.batch([appendOf('b')], { from: { ...ORIGINS, [stream]: '1-1' } }))).toEqual(lost)
      }
      expect(await store.seen(0, ['seen-b'])).toEqual([null])
    })

    test('moves the positions, from which the next owner goes on', async () => {
      const to = { agents: '5-1', workflows: '6-0', github: '7-0', system: '8-3' }
      await owner.commit([appendOf('a')], { to })
      await store.release(0, owner.name)
      expect((await Owner.take(store)).state).toMatchObject({ batch: 1, positions: to })
    })

    test('remembers each key with its offset or refusal', async () => {
      const [offset] = await owner.commit([appendOf('a')], { refusals: [{ seen: 'seen-b', outcome: '!VALIDATION_ERROR no\nname' }, { outcome: '!INVALID_MESSAGE' }] })
      expect(await store.seen(0, ['seen-a', 'seen-b', 'seen-c'])).toEqual([offset, '!VALIDATION_ERROR no name', null])
      expect(await store.seen(1, ['seen-a'])).toEqual([null])
      expect(await store.seen(0, [])).toEqual([])
    })

    test('tells each waiting worker its outcomes', async () => {
      const heard = new Map<string, string>()
      const stop = await store.listen('w1', [0, 1], (pairs) => pairs?.forEach(([seen, outcome]) => heard.set(seen, outcome)))
      const [a] = await owner.commit([appendOf('a', ['project'], { replyTo: 'w1' }), appendOf('b', ['project'], { replyTo: 'w2' }), appendOf('c')], {
        refusals: [{ seen: 'seen-d', outcome: '!BUSINESS_LOGIC_ERROR not now', replyTo: 'w1' }],
        repeats: [{ seen: 'seen-e', outcome: '=5-0', replyTo: 'w1' }],
      })
      await eventually(() => heard.size === 3, 'three outcomes')
      expect(Object.fromEntries(heard)).toEqual({ 'seen-a': a, 'seen-d': '!BUSINESS_LOGIC_ERROR not now', 'seen-e': '=5-0' })
      await stop()
    })

    test('remembers and tells nothing of an event that nobody asks for', async () => {
      const heard: string[] = []
      const stop = await store.listen('w', [0, 1], (pairs) => pairs?.forEach(([seen]) => heard.push(seen)))
      await owner.commit([appendOf('a', ['project'], { seen: '', replyTo: 'w' }), appendOf('b', ['project'], { replyTo: 'w' }), appendOf('c', ['project'], { seen: '' })])
      await owner.commit([appendOf('d', ['project'], { seen: '' })])
      await owner.commit([appendOf('e', ['project'], { replyTo: 'w' })])
      await eventually(() => heard.includes('seen-e'), 'the last hint')
      expect(heard).toEqual(['seen-b', 'seen-e'])
      expect(await store.seen(0, ['', 'seen-b'])).toEqual([null, expect.any(String)])
      await stop()
    })

    test('takes 5,000 entries of many topics', async () => {
      const appends = Array.from({ length: 5000 }, (_, n) => appendOf(`n${n}`, ['project', `task:${n % 7}`, `run:${n}`]))
      const offsets = await owner.commit(appends)
      expect(new Set(offsets).size).toBe(5000)
      expect(await store.seen(0, ['seen-n0', 'seen-n4999'])).toEqual([offsets[0], offsets[4999]])
      const { entries } = await store.readTopics(0, ['default/task:3'], offsets[4000]!, offsets[4999]!, 1000)
      expect(idsOf(entries)[0]).toBe('n4007')
      expect(entries).toHaveLength(142)
    })
  })

  describe('seen keys', () => {
    test('outlive one rotation and are forgotten by the second', async () => {
      const store = await open({ seen: { ms: 30, count: 1000 } })
      const owner = await Owner.take(store)
      await owner.commit([appendOf('a')])
      await eventually(async () => {
        await owner.commit([appendOf('b')])
        await owner.housekeep()
        return (await store.seen(0, ['seen-a']))[0] === null
      }, 'the first key being forgotten')
      expect((await store.seen(0, ['seen-b']))[0]).not.toBeNull()
    })

    test('rotate early when there are too many', async () => {
      const store = await open({ seen: { ms: 3_600_000, count: 10 } })
      const owner = await Owner.take(store)
      const fill = (name: string) => owner.commit(Array.from({ length: 11 }, (_, n) => appendOf(`${name}${n}`)))
      await fill('a')
      await owner.housekeep()
      await owner.housekeep()
      expect((await store.seen(0, ['seen-a0']))[0]).not.toBeNull()
      await fill('b')
      await owner.housekeep()
      expect(await store.seen(0, ['seen-a0', 'seen-b0'])).toEqual([null, expect.any(String)])
    })
  })
}
