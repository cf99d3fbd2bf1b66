import type { Selector } from '../../../server/src/store/entities.js'
import type { Store } from '../../../server/src/store/port.js'
import { appendOf, dice, Owner, type OpenStore } from '../fixture.js'
import { allPages, BIG, commitWrites, idsIn, taskWrite } from '../state-fixture.js'

export function stateIndexSuite(open: OpenStore): void {
  describe('an index', () => {
    let store: Store
    let owner: Owner
    const read = (...selectors: Selector[]) => store.state.select(0, 'default', selectors, BIG)
    const all = async (term = 'all') => idsIn(await read({ kind: 'task', term }))
    beforeEach(async () => {
      store = await open()
      owner = await Owner.take(store)
    })

    test('is in the order of creation, whatever the order of writing', async () => {
      await commitWrites(owner, [taskWrite('c', 30), taskWrite('a', 20)])
      await commitWrites(owner, [taskWrite('z', 10), taskWrite('b', 20), taskWrite('c', 30)])
      expect(await all()).toEqual(['z', 'a', 'b', 'c'])
      expect(idsIn(await read({ kind: 'task', term: 'all', newestFirst: true }))).toEqual(['c', 'b', 'a', 'z'])
    })

    test('follows what enters and leaves it', async () => {
      await commitWrites(owner, [taskWrite('a', 1, { add: ['status:pending', 'pipeline:p'] }), taskWrite('b', 2, { add: ['status:pending'] })])
      await commitWrites(owner, [taskWrite('a', 1, { add: ['status:done'], remove: ['status:pending'] })])
      expect([await all('status:pending'), await all('status:done'), await all('pipeline:p'), await all()]).toEqual([['b'], ['a'], ['a'], ['a', 'b']])
    })

    test('counts of several words in one batch the last', async () => {
      await owner.commit([appendOf('1'), appendOf('2')], {
        state: { entities: [taskWrite('a', 1, { add: ['x', 'y'] }), taskWrite('a', 1, { append: 1, add: ['z', 'w'], remove: ['x', 'w'] })], timers: [] },
      })
      expect([await all('x'), await all('y'), await all('z'), await all('w'), await all()]).toEqual([[], ['a'], ['a'], ['a'], ['a']])
    })

    test('loses what is forgotten, and takes it again when it is made anew', async () => {
      await commitWrites(owner, [taskWrite('a', 1, { add: ['x'] }), taskWrite('b', 2, { add: ['x'] })])
      await commitWrites(owner, [taskWrite('a', 1, { json: null, remove: ['x'] })])
      expect([await all(), await all('x'), idsIn(await read({ kind: 'task', ids: ['a'] }))]).toEqual([['b'], ['b'], []])
      await commitWrites(owner, [taskWrite('a', 9, { add: ['x'] })])
      expect([await all(), await all('x')]).toEqual([['b', 'a'], ['b', 'a']])
    })

    test('has an entity that one batch forgets and makes anew once, and not one that it makes and forgets', async () => {
      await commitWrites(owner, [taskWrite('a', 1, { add: ['x'] }), taskWrite('same', 2)])
      await commitWrites(owner, [
        taskWrite('a', 1, { json: null, remove: ['x'] }), taskWrite('a', 5, { add: ['x'] }),
        taskWrite('same', 2, { json: null }), taskWrite('same', 2, { json: '"anew"' }),
        taskWrite('short', 3, { add: ['x'] }), taskWrite('short', 3, { json: null, remove: ['x'] }),
      ])
      expect([await all(), await all('x')]).toEqual([['same', 'a'], ['a']])
    })

    test('leaves the index of all to the store, even when it is named', async () => {
      await commitWrites(owner, [taskWrite('a', 1, { add: ['all'] })])
      await commitWrites(owner, [taskWrite('a', 1, { remove: ['all'] })])
      expect(await all()).toEqual(['a'])
    })

    test('stays true to a model through random batches', async () => {
      const roll = dice(20_260_101)
      const model = new Map<string, { place: string; terms: Set<string> }>()
      for (let round = 0; round < 40; round++) {
        const writes = Array.from({ length: 1 + roll(30) }, () => {
          const id = `t${roll(40)}`
          const before = model.get(id)
          if (before && roll(4) === 0) {
            model.delete(id)
            return { ...taskWrite(id), place: before.place, json: null, remove: [...before.terms] }
          }
          const write = taskWrite(id, roll(50), before && { place: before.place })
          const terms = new Set(['x', 'y', 'z'].filter(() => roll(2) === 0))
          model.set(id, { place: write.place, terms })
          return { ...write, add: [...terms].filter((term) => !before?.terms.has(term)), remove: [...(before?.terms ?? [])].filter((term) => !terms.has(term)) }
        })
        await commitWrites(owner, writes)
      }
      for (const term of ['all', 'x', 'y', 'z']) {
        const expected = [...model].filter(([, { terms }]) => term === 'all' || terms.has(term)).sort(([, a], [, b]) => (a.place < b.place ? -1 : 1)).map(([id]) => id)
        expect(await all(term)).toEqual(expected)
        expect(idsIn(await allPages(store, [{ kind: 'task', term, newestFirst: true }], { count: 4, bytes: 2 ** 20 }))).toEqual(expected.toReversed())
      }
    })
  })
}
