/** What tests of the state write and read with. */
import { placeOf, type EntityWrite, type Selection, type Selector, type TimerWrite } from '../../server/src/store/entities.js'
import type { Store } from '../../server/src/store/port.js'
import { appendOf, type Owner } from './fixture.js'

export const BIG = { count: 10_000, bytes: 2 ** 24 }
const BEGIN = Date.parse('2026-01-01T00:00:00.000Z')

/** A write of a task that was created `ms` after the beginning. */
export function taskWrite(id: string, ms = 0, more: Partial<EntityWrite> = {}): EntityWrite {
  const createdAt = new Date(BEGIN + ms).toISOString()
  return { project: 'default', kind: 'task', id, place: placeOf(id, createdAt), json: JSON.stringify({ id, createdAt }), append: 0, add: [], remove: [], ...more }
}

/** Commits one event a write, which is the last one that changed its entity. */
export async function commitWrites(owner: Owner, writes: readonly EntityWrite[], timers: readonly TimerWrite[] = []): Promise<string[]> {
  const appends = writes.map(({ id }) => appendOf(id, [`task:${id}`], { seen: '' }))
  return owner.commit(appends, { state: { entities: writes.map((write, append) => ({ ...write, append })), timers } })
}

/** All pages, as a caller asks for them. */
export async function allPages(store: Store, selectors: readonly Selector[], limits: { count: number; bytes: number }, project = 'default'): Promise<Selection[]> {
  const pages: Selection[] = []
  let after: string | undefined
  do {
    const page = await store.state.select(0, project, selectors, { ...limits, after })
    pages.push(page)
    after = page.next
  } while (after !== undefined && pages.length < 10_000)
  return pages
}

export const idsIn = (pages: Selection | readonly Selection[]) => [pages].flat().flatMap(({ entities }) => entities.map(({ id }) => id))
/** Ids in order. */
export const named = (n: number) => `t${String(n).padStart(5, '0')}`
