import type { Offset } from '@hubbub/protocol'
import type { JournalEntry, Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { appendOf, dice, HOUR, idsOf, Owner, type OpenStore } from '../fixture.js'

export function journalSuite(open: OpenStore): void {
  describe('the journal', () => {
    test('is read in pages that say how far they reach', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const offsets = await owner.commit(['a', 'b', 'c', 'd'].map((id) => appendOf(id)))
      const page = await store.readRange(0, offsets[0]!, offsets[3]!, 2)
      expect(idsOf(page.entries)).toEqual(['b', 'c'])
      expect(page.reached).toBe(offsets[2])
      const rest = await store.readRange(0, page.reached, offsets[3]!, 2)
      expect(idsOf(rest.entries)).toEqual(['d'])
      expect(rest.reached).toBe(offsets[3])
      expect(await store.readRange(0, offsets[3]!, offsets[3]!, 2)).toEqual({ entries: [], reached: offsets[3], floor: '0-0' })
    })

    test('is tailed: a reader wakes at a commit, and a closed one finds nothing', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const tail = store.openTail(0)
      const waiting = tail.read('0-0', 10, 8000)
      const [offset] = await owner.commit([appendOf('a')])
      expect(await waiting).toEqual([{ offset, previous: '0-0', epoch: owner.state.epoch, event: appendOf('a').event }])
      expect(await tail.read(offset!, 10, 1)).toEqual([])
      const begun = performance.now()
      const blocked = tail.read(offset!, 10, 8000)
      await tail.close()
      expect(await blocked).toEqual([])
      expect(performance.now() - begun).toBeLessThan(2000)
    })

    test('keeps projects apart in its topics (I6)', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const offsets = await owner.commit([appendOf('mine', ['task:1'], { project: 'a' }), appendOf('theirs', ['task:1'], { project: 'b' })])
      expect(idsOf((await store.readTopics(0, ['a/task:1'], '0-0', offsets[1]!, 10)).entries)).toEqual(['mine'])
      expect(idsOf((await store.readLast(0, ['b/task:1'], offsets[1]!, 10)).entries)).toEqual(['theirs'])
    })

    test('of no topic is empty', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const [offset] = await owner.commit([appendOf('a')])
      const empty = { entries: [], reached: offset, floor: '0-0' }
      expect(await store.readTopics(0, [], '0-0', offset!, 10)).toEqual(empty)
      expect(await store.readLast(0, [], offset!, 10)).toEqual(empty)
    })
  })

  retentionSuite(open)
  topicSuite(open)
}

function retentionSuite(open: OpenStore): void {
  describe('retention', () => {
    const fill = (owner: Owner, count: number, note?: string) => owner.commit(Array.from({ length: count }, (_, n) => appendOf(`n${n}`, ['task:1'], { note })))

    test('keeps what is young, however much it is', async () => {
      const store = await open({ retention: { ageMs: HOUR, count: 10, bytes: 10_000_000 } })
      const owner = await Owner.take(store)
      await fill(owner, 300)
      await owner.housekeep()
      expect((await store.head(0)).floor).toBe('0-0')
    })

    test('keeps the last so many, and the floor is exactly the last that went', async () => {
      const store = await open({ retention: { ageMs: 20, count: 37, bytes: 10_000_000 } })
      const owner = await Owner.take(store)
      const offsets = await fill(owner, 700)
      const last = offsets[699]!
      const head = await eventually(async () => {
        await owner.housekeep()
        const found = await store.head(0)
        return found.floor === offsets[700 - 37 - 1] ? found : undefined
      }, 'the floor rising to the 38th last entry')
      const { entries, floor } = await store.readRange(0, '0-0', last, 1000)
      expect(entries.map(({ offset }) => offset)).toEqual(offsets.slice(-37))
      expect(floor).toBe(head.floor)
      const topic = await store.readTopics(0, ['default/task:1'], '0-0', last, 1000)
      expect(topic.entries).toEqual(entries)
      expect(topic.floor).toBe(floor)
    })

    test('is overruled by the byte cap', async () => {
      const store = await open({ retention: { ageMs: HOUR, count: 1000, bytes: 20_000 } })
      const owner = await Owner.take(store)
      const offsets = [...(await fill(owner, 100, 'x'.repeat(1000))), ...(await fill(owner, 100))]
      await owner.housekeep()
      const { entries, floor } = await store.readRange(0, '0-0', offsets.at(-1)!, 1000)
      const bytes = entries.reduce((sum, { event }) => sum + event.length, 0)
      expect(bytes).toBeLessThanOrEqual(20_000)
      expect(bytes).toBeGreaterThan(19_000 - 1100)
      expect(floor).toBe(offsets[200 - entries.length - 1])
    })

    test('may leave nothing: the floor is then the end', async () => {
      const store = await open({ retention: { ageMs: HOUR, count: 10, bytes: 10 } })
      const owner = await Owner.take(store)
      const offsets = await fill(owner, 3)
      await owner.housekeep()
      expect(await store.head(0)).toMatchObject({ last: offsets[2], floor: offsets[2] })
      expect(await store.readTopics(0, ['default/task:1'], '0-0', offsets[2]!, 10)).toEqual({ entries: [], reached: offsets[2], floor: offsets[2] })
      const [next] = await owner.commit([appendOf('next', ['task:1'])])
      expect((await store.readTopics(0, ['default/task:1'], offsets[2]!, next!, 10)).entries).toMatchObject([{ previous: offsets[2] }])
    })
  })
}

/** Ages: all of it indexed; none of it; and the older half not. The answers may not depend on that. */
function topicSuite(open: OpenStore): void {
  describe('topics', () => {
    test.each([['whose index is whole', HOUR], ['whose index has expired', 1], ['whose index covers the later half', 400]])('%s are read as the journal filtered', async (_, ageMs) => {
      const store = await open({ retention: { ageMs, count: 100_000, bytes: 100_000_000 } })
      const owner = await Owner.take(store)
      const roll = dice(ageMs)
      const topics = Array.from({ length: 8 }, (_unused, n) => `task:t"\\é${n}`)
      const some = (): string[] => topics.filter(() => roll(3) === 0)
      const fill = async (begin: number) => {
        for (let n = begin; n < begin + 300; n += 20) await owner.commit(Array.from({ length: 20 }, (_unused, k) => appendOf(`n${n + k}`, ['project', ...some()])))
      }
      await fill(0)
      const half = Date.now()
      if (ageMs < HOUR) await eventually(() => Date.now() > half + ageMs + 20, 'the first half being old')
      await fill(300)
      const { last } = await store.head(0)
      const all = (await store.readRange(0, '0-0', last, 1000)).entries
      expect(all).toHaveLength(600)
      for (let round = 0; round < 30; round++) {
        const wanted = [topics[roll(8)]!, ...(roll(2) === 0 ? some() : [])]
        const after = roll(3) === 0 ? '0-0' : all[roll(600)]!.offset
        const upTo = roll(3) === 0 ? last : all[roll(600)]!.offset
        const count = 1 + roll(90)
        expect(idsOf(await readAll(store, wanted, after, upTo, count))).toEqual(idsOf(matching(all, wanted, after, upTo)))
        const newest = await store.readLast(0, wanted.map((topic) => `default/${topic}`), upTo, count)
        expect(idsOf(newest.entries)).toEqual(idsOf(matching(all, wanted, '0-0', upTo).slice(-count)))
        expect(newest.reached).toBe(upTo)
      }
    })
  })
}

async function readAll(store: Store, topics: string[], after: Offset, upTo: Offset, count: number): Promise<JournalEntry[]> {
  const found: JournalEntry[] = []
  for (let from = after; ; ) {
    const { entries, reached } = await store.readTopics(0, topics.map((topic) => `default/${topic}`), from, upTo, count)
    expect(entries.length).toBeLessThanOrEqual(count)
    found.push(...entries)
    if (reached === upTo) return found
    expect(reached).not.toBe(from)
    from = reached
  }
}

function matching(all: readonly JournalEntry[], topics: readonly string[], after: Offset, upTo: Offset): JournalEntry[] {
  const place = (offset: Offset): number => all.findIndex((entry) => entry.offset === offset)
  return all.slice(place(after) + 1, place(upTo) + 1).filter(({ event }) => (JSON.parse(event) as { topics: string[] }).topics.some((topic) => topics.includes(topic)))
}
