import type { RosterEntry, Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import type { OpenStore } from '../fixture.js'

export function rosterSuite(open: OpenStore): void {
  describe('the roster', () => {
    const ALL = ['w1', 'w2', 'w3']
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    const join = (worker: string, members: string[], alive = ALL) => store.roster.update(0, 'g', worker, members.map((member) => ({ member, info: `${member} on ${worker}` })), alive)
    const leave = (worker: string, members: string[], alive = ALL) => store.roster.update(0, 'g', worker, members.map((member) => ({ member, info: null })), alive)
    const listed = async (alive = ALL) => (await store.roster.list(0, 'g', alive)).map(({ member, worker, info }: RosterEntry) => `${member} ${worker} ${info}`).sort()

    test('knows the workers that beat, until they are silent or retire', async () => {
      expect(await store.roster.beat('w2', 60_000)).toEqual(['w2'])
      expect(await store.roster.beat('w1', 60_000)).toEqual(['w1', 'w2'])
      await store.roster.retire('w2')
      expect(await store.roster.beat('w1', 60_000)).toEqual(['w1'])
      await store.roster.beat('silent', 60_000)
      await eventually(async () => (await store.roster.beat('w1', 30)).length === 1, 'the silent one being forgotten')
    })

    test('tells whoever comes onto the first worker and leaves the last, and nobody else', async () => {
      expect(await join('w1', ['a', 'b'])).toEqual({ joined: ['a', 'b'], left: [] })
      expect(await join('w2', ['b', 'c'])).toEqual({ joined: ['c'], left: [] })
      expect(await join('w1', ['a'])).toEqual({ joined: [], left: [] })
      expect(await listed()).toEqual(['a w1 a on w1', 'b w1 b on w1', 'b w2 b on w2', 'c w2 c on w2'])
      expect(await leave('w1', ['a', 'b', 'c', 'nobody'])).toEqual({ joined: [], left: ['a'] })
      expect(await leave('w2', ['b'])).toEqual({ joined: [], left: ['b'] })
      expect(await listed()).toEqual(['c w2 c on w2'])
    })

    test('takes joins and leaves in one step, and the last info of who was there', async () => {
      await join('w1', ['a'])
      expect(await store.roster.update(0, 'g', 'w1', [{ member: 'a', info: null }, { member: 'b', info: 'new' }], ALL)).toEqual({ joined: ['b'], left: ['a'] })
      await store.roster.update(0, 'g', 'w1', [{ member: 'b', info: 'newer' }], ALL)
      expect(await listed()).toEqual(['b w1 newer'])
      expect(await store.roster.update(0, 'g', 'w1', [], ALL)).toEqual({ joined: [], left: [] })
    })

    test('does not count what dead workers hold', async () => {
      await join('w1', ['a', 'b'])
      const alive = ['w2', 'w3']
      expect(await listed(alive)).toEqual([])
      expect(await join('w2', ['a'], alive)).toEqual({ joined: ['a'], left: [] })
      expect(await leave('w2', ['a'], alive)).toEqual({ joined: [], left: ['a'] })
      expect(await store.roster.sweep(0, 'g', alive)).toEqual(['b'])
    })

    test('counts whoever changes something as living', async () => {
      await join('w1', ['a'], [])
      expect(await leave('w1', ['a'], [])).toEqual({ joined: [], left: ['a'] })
    })

    test('is swept of the dead by one of many, who is told who is on no worker any more', async () => {
      await join('w1', ['a', 'b'])
      await join('w2', ['b', 'c'])
      expect(await store.roster.sweep(0, 'g', ALL)).toEqual([])
      const told = await Promise.all(Array.from({ length: 5 }, () => store.roster.sweep(0, 'g', ['w2'])))
      expect(told.flat()).toEqual(['a'])
      expect(await listed()).toEqual(['b w2 b on w2', 'c w2 c on w2'])
      expect((await store.roster.sweep(0, 'g', [])).sort()).toEqual(['b', 'c'])
      expect(await listed()).toEqual([])
    })

    test('answers which of some members are there', async () => {
      await join('w1', ['a', 'b'])
      await join('w2', ['c'])
      expect(await store.roster.present(0, 'g', ['c', 'a', 'x'], ALL)).toEqual(['c', 'a'])
      expect(await store.roster.present(0, 'g', ['c', 'a', 'x'], ['w2'])).toEqual(['c'])
      expect(await store.roster.present(0, 'g', [], ALL)).toEqual([])
    })

    test('says how many members a worker holds, so that one taken for dead learns of it', async () => {
      await join('w1', ['a', 'b'])
      await join('w2', ['b'])
      await store.roster.update(0, 'other', 'w1', [{ member: 'a', info: '' }], ALL)
      expect(await store.roster.renew(0, ['g', 'other', 'none'], 'w1')).toEqual([2, 1, 0])
      await leave('w1', ['a', 'a'])
      await store.roster.sweep(0, 'other', ['w2'])
      expect(await store.roster.renew(0, ['g', 'other', 'none'], 'w1')).toEqual([1, 0, 0])
      expect(await store.roster.renew(0, [], 'w1')).toEqual([])
    })

    test('takes any text for a member or a group, keeps groups and partitions apart, and takes thousands at once', async () => {
      const odd = ['*', '{p1}:x', 'ü\t"\\', '__proto__', 'w1', ' ']
      expect((await join('w1', odd)).joined).toEqual(odd)
      expect((await store.roster.list(0, 'g', ALL)).map(({ member }) => member).sort()).toEqual([...odd].sort())
      for (const group of odd) expect((await store.roster.update(0, group, 'w1', [{ member: 'm', info: group }], ALL)).joined).toEqual(['m'])
      for (const group of odd) expect(await store.roster.list(0, group, ALL)).toEqual([{ member: 'm', worker: 'w1', info: group }])
      expect(await store.roster.list(1, 'g', ALL)).toEqual([])
      const many = Array.from({ length: 2500 }, (_, n) => `m${n}`)
      expect((await join('w2', many)).joined).toEqual(many)
      expect(await store.roster.present(0, 'g', many, ALL)).toEqual(many)
      expect((await store.roster.sweep(0, 'g', ['w1'])).sort()).toEqual([...many].sort())
      expect(await leave('w1', odd)).toEqual({ joined: [], left: odd })
    })
  })
}
