import type { TimerWrite } from '../../../server/src/store/entities.js'
import type { Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { HOUR, Owner, type OpenStore } from '../fixture.js'

export function timerSuite(open: OpenStore): void {
  describe('timers', () => {
    let store: Store
    let owner: Owner
    beforeEach(async () => {
      store = await open()
      owner = await Owner.take(store)
    })

    test('are due in the order of their times, and the next one is told', async () => {
      const later = Date.now() + HOUR
      await owner.commit([], { state: { entities: [], timers: [{ name: 'c', due: 30 }, { name: 'a b:ü', due: 20 }, { name: 'b', due: 10 }, { name: 'later', due: later }, { name: 'last', due: later + 1 }] } })
      const { now, ...due } = await store.state.due(0, 10)
      expect(due).toEqual({ timers: [{ name: 'b', due: 10 }, { name: 'a b:ü', due: 20 }, { name: 'c', due: 30 }], next: later })
      expect(Math.abs(now - Date.now())).toBeLessThan(60_000)
      expect(await store.state.due(0, 2)).toMatchObject({ timers: [{ name: 'b' }, { name: 'a b:ü' }], next: 30 })
      expect(await store.state.due(1, 10)).toEqual({ now: expect.any(Number), timers: [] })
    })

    test('are replaced by the same name, and taken away', async () => {
      const set = (...timers: TimerWrite[]) => owner.commit([], { state: { entities: [], timers } })
      await set({ name: 'a', due: 10 }, { name: 'b', due: 20 }, { name: 'c', due: 30 })
      await set({ name: 'a', due: 25 }, { name: 'b', due: null }, { name: 'never', due: null })
      expect(await store.state.due(0, 10)).toEqual({ now: expect.any(Number), timers: [{ name: 'a', due: 25 }, { name: 'c', due: 30 }] })
      await set({ name: 'a', due: null }, { name: 'a', due: 40 }, { name: 'c', due: 5 }, { name: 'c', due: null })
      expect((await store.state.due(0, 10)).timers).toEqual([{ name: 'a', due: 40 }])
    })

    test('are never early, and not due before their time', async () => {
      await owner.commit([], { state: { entities: [], timers: [{ name: 'fraction', due: 10.2 }, { name: 'past', due: -5 }] } })
      expect((await store.state.due(0, 10)).timers).toEqual([{ name: 'past', due: 0 }, { name: 'fraction', due: 11 }])
      const due = (await store.state.due(0, 1)).now + 40
      await owner.commit([], { state: { entities: [], timers: [{ name: 'fraction', due: null }, { name: 'past', due: null }, { name: 'soon', due }] } })
      const fired = await eventually(async () => {
        const { now, timers, next } = await store.state.due(0, 10)
        expect(timers.length === 0 ? next : now >= due).toBe(timers.length === 0 ? due : true)
        return timers.length > 0
      }, 'the timer')
      expect(fired).toBe(true)
    })
  })
}
