/** Pages of an index of which most is hidden: nothing that is shown gets lost or comes twice, and nothing hidden shows (I6). */
import type { Entity } from '@hubbub/protocol'
import { readPage, type Page, type Plan } from '../../server/src/operations/entity-pages.js'
import { memoryStore } from '../harness/store.js'
import { dice, Owner } from '../store/fixture.js'
import { commitWrites, named, taskWrite } from '../store/state-fixture.js'
import type { Store } from '../../server/src/store/port.js'

const shown = ({ id }: Entity) => Number(id.slice(1)) % 977 === 3 || id > 't15990'
const COUNT = 16_000
let store: Store

beforeAll(async () => {
  store = await memoryStore()
  const owner = await Owner.take(store)
  const roll = dice(7)
  // Many of one millisecond: more than one page looks through in the last one.
  const at = (n: number) => (n >= 6000 && n < 13_000 ? 500 : n < 6000 ? roll(400) : 600 + roll(100))
  await commitWrites(owner, Array.from({ length: COUNT }, (_, n) => taskWrite(named(n), at(n))))
}, 60_000)
afterAll(() => store.close())

async function all(plan: Plan, count: number): Promise<Page[]> {
  const pages: Page[] = []
  for (let after: string | undefined; ; ) {
    const page = await readPage({ state: store.state, partition: 0, project: 'default' }, plan, { count, bytes: 1_000_000, after })
    pages.push(page)
    if (page.next === undefined) return pages
    expect(page.next).not.toBe(after)
    after = page.next
  }
}

const idsOf = (pages: readonly Page[]) => pages.flatMap(({ entities }) => entities.map(({ id }) => id))
const expected = Array.from({ length: COUNT }, (_, n) => named(n)).filter((id) => shown({ id } as Entity))

describe.each([false, true])('newest first: %s', (newestFirst) => {
  const plan: Plan = { exact: [], scans: [{ selector: { kind: 'task', term: 'all', newestFirst }, shows: shown }] }

  test.each([1, 3, 1000])('with %d a page every one that is shown comes once', async (count) => {
    const pages = await all(plan, count)
    expect(idsOf(pages).toSorted()).toEqual(expected)
    expect(Math.max(...pages.map(({ entities }) => entities.length))).toBeLessThanOrEqual(count)
  })

  test('a place names only what was shown', async () => {
    for (const { next, entities } of await all(plan, 3)) {
      const place = Buffer.from(next?.split('~')[1] ?? '', 'base64url').toString()
      for (const id of place.match(/t\d{5}/g) ?? []) expect(entities.map((entity) => entity.id)).toContain(id)
    }
  })

  test('where nothing is shown the pages are empty, few, and come to an end', async () => {
    const pages = await all({ exact: [], scans: [{ selector: { kind: 'task', term: 'all', newestFirst }, shows: () => false }] }, 10)
    expect([idsOf(pages), pages.length > 1, pages.length <= 5]).toEqual([[], true, true])
  })
})

test('what is named exactly comes first, what has to be looked through after it, and nothing twice on a page', async () => {
  const plan: Plan = { exact: [{ kind: 'task', ids: ['t00003', 't00004', 'none'] }], scans: [{ selector: { kind: 'task', term: 'all' }, shows: shown }] }
  for (const count of [1, 2, 3, 1000]) {
    const pages = await all(plan, count)
    expect(idsOf(pages).slice(0, 2)).toEqual(['t00003', 't00004'])
    expect([...new Set(idsOf(pages))].toSorted()).toEqual([...new Set(['t00004', ...expected])].toSorted())
    for (const page of pages) expect(new Set(idsOf([page])).size).toBe(page.entities.length)
  }
})

test('every page holds at the first one\'s cursor', async () => {
  const pages = await all({ exact: [], scans: [{ selector: { kind: 'task', term: 'all' }, shows: shown }] }, 5)
  expect(new Set(pages.map(({ cursor }) => cursor)).size).toBe(1)
})
