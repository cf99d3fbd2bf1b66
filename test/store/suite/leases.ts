import type { Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { appendOf, HOUR, Owner, type OpenStore } from '../fixture.js'

export function leaseSuite(open: OpenStore): void {
  describe('leases', () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })

    test('go to one of many who ask at once', async () => {
      const states = await Promise.all(Array.from({ length: 20 }, (_, index) => store.takeOver(0, `p${index}`, HOUR)))
      const winners = states.flatMap((state, index) => (state ? [`p${index}`] : []))
      expect(winners).toHaveLength(1)
      expect(await store.owners()).toEqual([winners[0], null])
    })

    test('are free again when they run out, and are then no longer renewed', async () => {
      await store.takeOver(0, 'frozen', 50)
      expect(await store.takeOver(0, 'heir', HOUR)).toBeNull()
      await eventually(() => store.takeOver(0, 'heir', HOUR), 'the lease running out')
      expect(await store.renew(0, 'frozen', HOUR)).toBe(false)
      expect(await store.restart(0, 'frozen', HOUR)).toBeNull()
      expect(await store.owners()).toEqual(['heir', null])
    })

    test('last while they are renewed, and end when they are released by their owner', async () => {
      await store.takeOver(0, 'mine', 1000)
      expect(await store.renew(0, 'mine', HOUR)).toBe(true)
      await store.release(0, 'other')
      expect(await store.takeOver(0, 'other', HOUR)).toBeNull()
      await store.release(0, 'mine')
      expect(await store.renew(0, 'mine', HOUR)).toBe(false)
      expect(await store.takeOver(0, 'other', HOUR)).not.toBeNull()
    })

    test('fence the owner before: it commits and trims nothing any more', async () => {
      const old = await Owner.take(store)
      await old.commit([appendOf('a')])
      await store.release(0, old.name)
      const heir = await Owner.take(store)
      expect(await store.commit(0, old.batch([appendOf('b')]))).toEqual({ status: 'fenced' })
      expect(await store.commit(0, heir.batch([appendOf('c')]))).toMatchObject({ status: 'committed' })
      await old.housekeep()
      expect(heir.state).toMatchObject({ batch: 1, last: old.state.last })
    })

    test('are taken with a new fence by a restart, which the owner alone may do', async () => {
      const owner = await Owner.take(store)
      expect(await store.restart(0, 'other', HOUR)).toBeNull()
      const again = await store.restart(0, owner.name, HOUR)
      expect(again!.fence).not.toBe(owner.state.fence)
      expect(await store.commit(0, owner.batch([appendOf('a')]))).toEqual({ status: 'fenced' })
    })

    test('are shared out among the processors that say that they live', async () => {
      expect(await store.join('b', 60_000)).toEqual(['b'])
      expect(await store.join('a', 60_000)).toEqual(['a', 'b'])
      await store.leave('b')
      expect(await store.join('a', 60_000)).toEqual(['a'])
      await store.join('silent', 60_000)
      await eventually(async () => (await store.join('a', 30)).length === 1, 'the silent one being forgotten')
    })
  })

  describe('epochs', () => {
    test('begin with the partition, then at each takeover and restart, where the journal then ends', async () => {
      const store = await open()
      const genesis = await store.head(0)
      expect(genesis.epochs).toEqual([{ nonce: expect.stringMatching(/^[\w-]{1,32}$/), start: '0-0' }])
      const owner = await Owner.take(store)
      const [last] = await owner.commit([appendOf('a')])
      const again = await store.restart(0, owner.name, HOUR)
      const head = await store.head(0)
      expect(head.epochs).toEqual([genesis.epochs[0], { nonce: owner.state.epoch, start: '0-0' }, { nonce: again!.epoch, start: last }])
      expect((await store.readRange(0, '0-0', head.last, 10)).entries[0]).toMatchObject({ epoch: owner.state.epoch })
      expect((await store.head(1)).epochs[0]!.nonce).not.toBe(genesis.epochs[0]!.nonce)
    })
  })
}
