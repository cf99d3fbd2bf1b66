import type { Selector } from '../../../server/src/store/entities.js'
import type { Store } from '../../../server/src/store/port.js'
import { Owner, type OpenStore } from '../fixture.js'
import { allPages, BIG, commitWrites, idsIn, named, taskWrite } from '../state-fixture.js'

export function selectionSuite(open: OpenStore): void {
  describe('a selection in pages', () => {
    let store: Store
    let owner: Owner
    beforeEach(async () => {
      store = await open()
      owner = await Owner.take(store)
    })

    test('goes through 3,000 entities by number, none lost or repeated, forward and backward', async () => {
      const ids = Array.from({ length: 3000 }, (_, n) => named(n))
      // Ten of each millisecond.
      await commitWrites(owner, ids.map((id, n) => taskWrite(id, Math.floor(n / 10))))
      for (const newestFirst of [false, true]) {
        for (const count of [700, 1000, 3000]) {
          const pages = await allPages(store, [{ kind: 'task', term: 'all', newestFirst }], { count, bytes: 2 ** 30 })
          expect(pages.map(({ entities }) => entities.length)).toEqual(Array.from({ length: Math.ceil(3000 / count) }, (_, n) => Math.min(count, 3000 - n * count)))
          expect(idsIn(pages)).toEqual(newestFirst ? ids.toReversed() : ids)
        }
      }
      const byId = await allPages(store, [{ kind: 'task', ids }], { count: 999, bytes: 2 ** 30 })
      expect(byId.map(({ entities }) => entities.length)).toEqual([999, 999, 999, 3])
      expect(idsIn(byId)).toEqual(ids)
    })

    test('goes through them by bytes, each page about as large as it may be', async () => {
      const ids = Array.from({ length: 3000 }, (_, n) => named(n))
      const json = (n: number) => JSON.stringify('x'.repeat(n % 400))
      await commitWrites(owner, ids.map((id, n) => taskWrite(id, n, { json: json(n) })))
      const pages = await allPages(store, [{ kind: 'task', term: 'all' }], { count: 10_000, bytes: 65_536 })
      expect(idsIn(pages)).toEqual(ids)
      for (const { entities, next } of pages) {
        const bytes = entities.reduce((sum, entity) => sum + entity.json.length, 0)
        expect(bytes).toBeLessThanOrEqual(65_536)
        // The overhead of an entity may count.
        if (next !== undefined) expect(bytes + entities.length * 50).toBeGreaterThan(64_000)
      }
    })

    test('has one entity a page, when each is larger than a page', async () => {
      await commitWrites(owner, ['a', 'b', 'c'].map((id, n) => taskWrite(id, n, { json: JSON.stringify('x'.repeat(2000)) })))
      const pages = await allPages(store, [{ kind: 'task', term: 'all' }, { kind: 'task', ids: ['a', 'gone', 'c'] }], { count: 100, bytes: 10 })
      expect(pages.map((page) => idsIn(page))).toEqual([['a'], ['b'], ['c'], ['a'], ['c']])
    })

    test('passes from selector to selector, and has no next page when nothing follows', async () => {
      await commitWrites(owner, [...Array.from({ length: 6 }, (_, n) => taskWrite(named(n), n, { add: ['x'] })), taskWrite('p', 0, { kind: 'pipeline' })])
      const selectors: Selector[] = [{ kind: 'task', ids: ['t00003', 'no', 't00001'] }, { kind: 'task', term: 'none' }, { kind: 'pipeline', term: 'all' }, { kind: 'task', term: 'x', newestFirst: true }]
      const expected = ['t00003', 't00001', 'p', 't00005', 't00004', 't00003', 't00002', 't00001', 't00000']
      for (let count = 1; count <= 10; count++) {
        const pages = await allPages(store, selectors, { count, bytes: 2 ** 20 })
        expect(idsIn(pages)).toEqual(expected)
        expect(pages).toHaveLength(Math.ceil(9 / count))
      }
      expect((await store.state.select(0, 'default', selectors, { count: 9, bytes: 2 ** 20 })).next).toBeUndefined()
    })

    test('goes on where it ended when entities came and went between the pages', async () => {
      await commitWrites(owner, Array.from({ length: 6 }, (_, n) => taskWrite(named(n), 10 * n)))
      const selectors: Selector[] = [{ kind: 'task', term: 'all' }]
      const first = await store.state.select(0, 'default', selectors, { count: 3, bytes: 2 ** 20 })
      await commitWrites(owner, [taskWrite(named(2), 20, { json: null }), taskWrite(named(3), 30, { json: null }), taskWrite('between', 21), taskWrite('before', 1)])
      const second = await store.state.select(0, 'default', selectors, { count: 3, bytes: 2 ** 20, after: first.next })
      expect([idsIn(first), idsIn(second), second.next]).toEqual([['t00000', 't00001', 't00002'], ['between', 't00004', 't00005'], undefined])
      expect(second.last).toBe(owner.state.last)
    })

    test('of a prefix finds its few among many, in bounded steps, and its token names nobody else', async () => {
      // A hundred of each millisecond; the two in the middle are of those after which a page of 5,000 places ends.
      const mine = [3999, 4950, 7050, 11_999]
      for (let from = 0; from < 12_000; from += 3000) {
        await commitWrites(owner, Array.from({ length: 3000 }, (_, n) => taskWrite(`${mine.includes(from + n) ? 'mine' : 'secret'}-${from + n}`, Math.floor((from + n) / 100))))
      }
      for (const newestFirst of [false, true]) {
        const pages = await allPages(store, [{ kind: 'task', term: 'all', prefix: 'mine-', newestFirst }], BIG)
        const expected = mine.map((n) => `mine-${n}`)
        expect(idsIn(pages)).toEqual(newestFirst ? expected.toReversed() : expected)
        expect(pages.length).toBeGreaterThan(1)
        for (const { next } of [...pages, ...(await allPages(store, [{ kind: 'task', term: 'all', prefix: 'mine-', newestFirst }], { count: 1, bytes: 1 }))]) {
          expect(Buffer.from(next ?? '', 'base64url').toString()).not.toContain('secret')
        }
      }
    })

    test('refuses a token that no page had', async () => {
      const selectors: Selector[] = [{ kind: 'task', ids: ['a'] }]
      for (const after of ['', 'nonsense', '%%%', Buffer.from('1 ').toString('base64url'), Buffer.from('0 x').toString('base64url')]) {
        await expect(store.state.select(0, 'default', selectors, { ...BIG, after })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
      }
    })
  })
}
