import type { Store } from '../../../server/src/store/port.js'
import { appendOf, HOUR, idsOf, Owner, type OpenStore } from '../fixture.js'

/** As the hub writes them: the id first, the cause in the metadata. */
function caused(id: string, causationId?: string, data: unknown = {}): ReturnType<typeof appendOf> {
  const event = JSON.stringify({ id, type: 'custom.note', project: 'default', topics: ['project'], data, metadata: { version: '1.0', ...(causationId !== undefined && { causationId }) } })
  return { ...appendOf(id), event }
}

/** Steps of the size, to the end. */
async function lookAll(store: Store, by: 'id' | 'causation', ids: string[], count: number, begin?: string): Promise<{ ids: string[]; steps: number }> {
  const found: string[] = []
  const known = new Set(ids)
  for (let from = begin, steps = 1; ; steps++) {
    const step = await store.provenance.look(0, { by, ids: [...known], from, count })
    expect(step.looked).toBeLessThanOrEqual(count)
    found.push(...idsOf(step.found))
    if (by === 'causation') for (const id of idsOf(step.found)) known.add(id)
    if (step.isEnd) return { ids: found, steps }
    from = step.reached
  }
}

export function provenanceSuite(open: OpenStore): void {
  describe('provenance', () => {
    test('of an entry is its batch, and where it came in', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const [first, second, third] = await owner.commit([
        appendOf('a', ['project'], { origin: { stream: 'github', entry: '17-3', worker: 'a worker of\nsome name' } }),
        appendOf('b', ['project'], { origin: { stream: 'workflows', entry: '18-0', worker: undefined } }),
        appendOf('c'),
      ])
      expect(await store.provenance.at(0, first!)).toEqual({ offset: first, previous: '0-0', epoch: owner.state.epoch, event: appendOf('a').event, origin: { batch: 1, stream: 'github', entry: '17-3', worker: 'a worker of\nsome name' } })
      expect((await store.provenance.at(0, second!))?.origin).toEqual({ batch: 1, stream: 'workflows', entry: '18-0' })
      expect((await store.provenance.at(0, third!))?.origin).toEqual({ batch: 1 })
      expect(await store.provenance.at(0, '5-5')).toBeNull()
    })

    test('of an epoch is the processor that began it', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      expect(await store.provenance.ownerOf(0, owner.state.epoch)).toBe(owner.name)
      expect(await store.provenance.ownerOf(0, 'unheard')).toBeNull()
    })

    test('an event is found by its id, the newest first, in short steps, whatever its id is made of', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      const strange = ['quo"te', 'back\\slash', 'é\u2028\u0001', '__proto__', 'x'.repeat(128), '%d.[a]*', 'a']
      await owner.commit(Array.from({ length: 100 }, (_, n) => caused(`n${n}`, undefined, { id: 'a', text: '{"id":"a"' })))
      await owner.commit(strange.map((id) => caused(id)))
      await owner.commit(Array.from({ length: 700 }, (_, n) => caused(`m${n}`, 'a', { note: strange })))
      await owner.commit([caused('a')])
      for (const id of strange) {
        const found = await lookAll(store, 'id', [id], 90)
        expect(found.ids).toEqual(id === 'a' ? ['a', 'a'] : [id])
        expect(found.steps).toBeGreaterThan(8)
      }
      expect(await lookAll(store, 'id', ['nobody'], 1000)).toEqual({ ids: [], steps: 1 })
    })

    test('what followed is found, and what followed from that, also within one step', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      await owner.commit([caused('before', 'ro"ot')])
      const [root] = await owner.commit([caused('ro"ot'), caused('child', 'ro"ot'), caused('stranger', 'nobody'), caused('grand\\child', 'child')])
      await owner.commit([...Array.from({ length: 60 }, (_, n) => caused(`n${n}`)), caused('late', 'grand\\child'), caused('later', 'late')])
      for (const count of [3, 7, 500]) expect((await lookAll(store, 'causation', ['ro"ot'], count, root)).ids).toEqual(['child', 'grand\\child', 'late', 'later'])
    })

    test('looks no further than what is kept', async () => {
      const store = await open({ retention: { ageMs: HOUR, count: 10, bytes: 10 } })
      const owner = await Owner.take(store)
      const [offset] = await owner.commit([caused('a')])
      await owner.housekeep()
      expect(await store.provenance.at(0, offset!)).toBeNull()
      expect(await store.provenance.look(0, { by: 'id', ids: ['a'], count: 10 })).toEqual({ found: [], looked: 0, isEnd: true })
    })
  })
}
