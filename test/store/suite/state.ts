import type { Selector } from '../../../server/src/store/entities.js'
import type { Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { appendOf, HOUR, Owner, type OpenStore } from '../fixture.js'
import { allPages, BIG, commitWrites, idsIn, named, taskWrite } from '../state-fixture.js'

export function stateSuite(open: OpenStore): void {
  describe('state', () => {
    let store: Store
    let owner: Owner
    const read = (...selectors: Selector[]) => store.state.select(0, 'default', selectors, BIG)
    const all = async (term = 'all') => idsIn(await read({ kind: 'task', term }))
    beforeEach(async () => {
      store = await open()
      owner = await Owner.take(store)
    })

    test('is there after the commit that wrote it, each entity with the offset of its event', async () => {
      const writes = [taskWrite('a', 2), taskWrite('b', 1), taskWrite('p', 3, { kind: 'pipeline' })]
      const offsets = await commitWrites(owner, writes)
      const stored = writes.map(({ kind, id, place, json }, index) => ({ kind, id, place, json, revision: offsets[index] }))
      const { entities, ...rest } = await read({ kind: 'task', ids: ['b', 'nobody', 'a'] }, { kind: 'pipeline', term: 'all' }, { kind: 'task', term: 'all' })
      expect(entities).toEqual([stored[1], stored[0], stored[2], stored[1], stored[0]])
      expect(rest).toEqual({ last: offsets[2], epoch: owner.state.epoch })
    })

    test('of an empty partition is empty, as of its first epoch', async () => {
      const fresh = await store.state.select(1, 'default', [{ kind: 'task', term: 'all' }, { kind: 'agent', ids: ['x'] }], BIG)
      expect(fresh).toEqual({ last: '0-0', epoch: (await store.head(1)).epochs[0]!.nonce, entities: [] })
      expect(await store.state.select(1, 'default', [], BIG)).toEqual(fresh)
      expect(await store.state.counts(1, 'default', 'task', ['all'])).toEqual([0])
    })

    test('has as its revision the last event that changed it, of those in the batch', async () => {
      const offsets = await owner.commit([appendOf('1'), appendOf('2'), appendOf('3')], { state: { entities: [taskWrite('a', 0, { append: 1 })], timers: [] } })
      expect((await read({ kind: 'task', ids: ['a'] })).entities[0]!.revision).toBe(offsets[1])
      const [later] = await commitWrites(owner, [taskWrite('a', 0, { json: '{"again":true}' })])
      expect((await read({ kind: 'task', term: 'all' })).entities).toEqual([{ kind: 'task', id: 'a', place: taskWrite('a').place, revision: later, json: '{"again":true}' }])
    })

    test('is changed by a batch once, however often the commit is repeated', async () => {
      await commitWrites(owner, [taskWrite('old', 0, { add: ['x'] })])
      const state = { entities: [taskWrite('a', 1, { add: ['x'] }), taskWrite('old', 0, { json: null, remove: ['x'] })], timers: [{ name: 't', due: 5 }] }
      const batch = owner.batch([appendOf('a')], { state })
      const first = await store.commit(0, batch)
      const seen = async () => [await read({ kind: 'task', term: 'all' }, { kind: 'task', term: 'x' }), (await store.state.due(0, 9)).timers]
      const before = await seen()
      expect(await store.commit(0, batch)).toEqual({ ...first, replayed: true })
      expect(await seen()).toEqual(before)
      expect(before).toMatchObject([{ entities: [{ id: 'a' }, { id: 'a' }] }, [{ name: 't', due: 5 }]])
    })

    test('is left alone by a batch that is fenced or lost', async () => {
      const state = { entities: [taskWrite('a', 0, { add: ['x'] })], timers: [{ name: 't', due: 5 }] }
      expect(await store.commit(0, { ...owner.batch([appendOf('a')], { state }), fence: 'other' })).toEqual({ status: 'fenced' })
      expect(await store.commit(0, { ...owner.batch([appendOf('a')], { state }), number: 7 })).toEqual({ status: 'lost' })
      expect(await all()).toEqual([])
      expect(await store.state.counts(0, 'default', 'task', ['all', 'x'])).toEqual([0, 0])
      expect((await store.state.due(0, 9)).timers).toEqual([])
    })

    test('is left alone, and the journal too, by a batch that says what cannot be', async () => {
      const wrong = [taskWrite('a', 0, { append: 1 }), taskWrite('a', 0, { append: -1 }), taskWrite('a', 0, { place: 'somewhere' }), taskWrite('a', 0, { place: taskWrite('b').place }), taskWrite('a', 0, { json: '' })]
      for (const write of wrong) {
        await expect(store.commit(0, owner.batch([appendOf('a')], { state: { entities: [taskWrite('ok'), write], timers: [] } }))).rejects.toBeInstanceOf(RangeError)
      }
      const never = { entities: [taskWrite('ok')], timers: [{ name: 't', due: Number.NaN }] }
      await expect(store.commit(0, owner.batch([appendOf('a')], { state: never }))).rejects.toBeInstanceOf(RangeError)
      expect([await all(), (await store.head(0)).last]).toEqual([[], '0-0'])
    })

    test('survives the next owner, and the journal\'s trimming', async () => {
      store = await open({ retention: { ageMs: 1, count: 1, bytes: 65_536 } })
      owner = await Owner.take(store)
      const [revision] = await commitWrites(owner, [taskWrite('a', 0, { add: ['x'] })], [{ name: 't', due: 5 }])
      await eventually(async () => {
        await owner.commit([appendOf('more')])
        await owner.housekeep()
        return (await store.head(0)).floor > revision!
      }, 'the event being trimmed')
      const next = await store.restart(0, owner.name, HOUR)
      const { entities, epoch } = await read({ kind: 'task', term: 'x' })
      expect({ entities, epoch }).toMatchObject({ entities: [{ id: 'a', revision }], epoch: next!.epoch })
      expect((await store.state.due(0, 9)).timers).toEqual([{ name: 't', due: 5 }])
    })

    test('of one project is not seen from another, nor from another partition', async () => {
      await commitWrites(owner, [taskWrite('a', 0, { add: ['x'] }), taskWrite('a', 0, { project: 'other', json: '"other"', add: ['x', 'y'] })])
      const selectors: Selector[] = [{ kind: 'task', ids: ['a'] }, { kind: 'task', term: 'all' }, { kind: 'task', term: 'x' }]
      const ofProject = async (partition: number, project: string) => (await store.state.select(partition, project, selectors, BIG)).entities.map(({ json }) => json)
      expect(new Set(await ofProject(0, 'default'))).toEqual(new Set([taskWrite('a').json]))
      expect(await ofProject(0, 'other')).toEqual(['"other"', '"other"', '"other"'])
      expect([await ofProject(1, 'default'), await ofProject(0, 'third')]).toEqual([[], []])
      expect(await store.state.counts(0, 'default', 'task', ['all', 'x', 'y'])).toEqual([1, 1, 0])
      await commitWrites(owner, [taskWrite('a', 0, { project: 'other', json: null, remove: ['x', 'y'] })])
      expect(await ofProject(0, 'default')).toHaveLength(3)
    })

    test('of 3,000 events and as many entities goes into one batch', async () => {
      const writes = Array.from({ length: 3000 }, (_, n) => taskWrite(named(n), n, { add: ['status:pending', `pipeline:${n % 7}`, `own:${n}`] }))
      const timers = writes.map(({ id }, n) => ({ name: `lease ${id}`, due: 1000 + n }))
      const offsets = await commitWrites(owner, writes, timers)
      const { entities } = await read({ kind: 'task', term: 'status:pending' })
      expect(entities.map(({ id, revision }) => [id, revision])).toEqual(writes.map(({ id }, n) => [id, offsets[n]]))
      expect(await store.state.counts(0, 'default', 'task', ['all', 'pipeline:0', 'own:2999'])).toEqual([3000, 429, 1])
      await commitWrites(owner, writes.map((write) => ({ ...write, json: null, add: [], remove: write.add })), timers.map(({ name }) => ({ name, due: null })))
      expect(await store.state.counts(0, 'default', 'task', ['all', 'status:pending', 'own:2999'])).toEqual([0, 0, 0])
      expect((await store.state.due(0, 1)).timers).toEqual([])
    })

    test('takes ids and terms of odd characters', async () => {
      const ids = ['octo/hub#42', 'a:b:c', 'ünïcödé', '日本語', '🤖', 'p1/task/all', '[*]', '(', '+', '-', '"quoted"', '__proto__', '%s', '!', '~']
      const terms = ['pipeline:a/b:c', 'ref:branch:octo/hub@fïx', 'with blank', '🤖', '__proto__']
      await commitWrites(owner, ids.map((id, n) => taskWrite(id, n, { add: terms, json: JSON.stringify({ id, text: '\u0000 \n "✓" 🤖' }) })))
      for (const term of terms) expect(await all(term)).toEqual(ids)
      const { entities } = await read({ kind: 'task', ids }, { kind: 'task', term: 'all', prefix: '日' })
      expect(entities.map(({ id }) => id)).toEqual([...ids, '日本語'])
      expect(entities.map(({ json }) => (JSON.parse(json) as { id: string; text: string }).text)).toEqual(entities.map(() => '\u0000 \n "✓" 🤖'))
      expect(idsIn(await allPages(store, [{ kind: 'task', ids }, { kind: 'task', term: terms[3]!, newestFirst: true }], { count: 1, bytes: 1 }))).toEqual([...ids, ...ids.toReversed()])
      await commitWrites(owner, ids.map((id, n) => taskWrite(id, n, { json: null, remove: terms })))
      expect(await store.state.counts(0, 'default', 'task', ['all', ...terms])).toEqual([0, 0, 0, 0, 0, 0])
    })

    test('and the journal\'s end are one moment, while commits run', async () => {
      const commits = async () => {
        for (let n = 0; n < 200; n++) await commitWrites(owner, [taskWrite('a', 0, { json: String(n) }), taskWrite('b', 1, { json: String(n) })])
      }
      const seen = new Set<string>()
      const reads = async () => {
        for (let n = 0; n < 200; n++) {
          const { last, entities } = await read({ kind: 'task', ids: ['b'] }, { kind: 'task', term: 'all' })
          if (entities.length === 0) continue
          const [b, a] = entities
          expect([b!.revision, a!.json]).toEqual([last, b!.json])
          seen.add(last)
        }
      }
      await Promise.all([commits(), reads()])
      expect(seen.size).toBeGreaterThan(1)
    })
  })
}
