import { SOURCES, type Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { Owner, ORIGINS, type OpenStore } from '../fixture.js'

export function sourceSuite(open: OpenStore): void {
  describe('source streams', () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })

    test('hand out what was appended, in order, with our own fields', async () => {
      const identity = { source: '/agents/a', project: 'default', agentId: 'a' }
      const ids = await store.append(0, [
        { stream: 'agents', event: '{"n":1}', identity, replyTo: 'w1' },
        { stream: 'agents', event: '{"n":2}', worker: 'w1' },
        { stream: 'github', event: '{"n":3}' },
      ])
      const reader = store.openSource(0)
      const entries = await reader.read(ORIGINS, 10, 0)
      expect(entries).toEqual([
        { stream: 'agents', id: ids[0], fields: { event: '{"n":1}', identity: JSON.stringify(identity), replyTo: 'w1' } },
        { stream: 'agents', id: ids[1], fields: { event: '{"n":2}', worker: 'w1' } },
        { stream: 'github', id: ids[2], fields: { event: '{"n":3}' } },
      ])
      await reader.close()
    })

    test('are read from positions, up to a count of each', async () => {
      const ids = await store.append(0, SOURCES.flatMap((stream) => [1, 2, 3].map((n) => ({ stream, event: `${n}` }))))
      const reader = store.openSource(0)
      const entries = await reader.read({ ...ORIGINS, agents: ids[0]!, system: ids[11]! }, 2, 0)
      expect(entries.map(({ stream, fields }) => `${stream} ${fields['event']}`)).toEqual(['agents 2', 'agents 3', 'workflows 1', 'workflows 2', 'github 1', 'github 2'])
      await reader.close()
    })

    test('of one partition hold nothing of another', async () => {
      await store.append(1, [{ stream: 'agents', event: 'elsewhere' }])
      const reader = store.openSource(0)
      expect(await reader.read(ORIGINS, 10, 0)).toEqual([])
      await reader.close()
    })

    test('wake a waiting reader, and a closed reader finds nothing', async () => {
      const reader = store.openSource(0)
      const waiting = reader.read(ORIGINS, 10, 8000)
      await store.append(0, [{ stream: 'system', event: 'late' }])
      expect((await waiting).map(({ fields }) => fields['event'])).toEqual(['late'])
      const [first] = await reader.read(ORIGINS, 10, 0)
      const begun = performance.now()
      const blocked = reader.read({ ...ORIGINS, system: first!.id }, 10, 8000)
      await reader.close()
      expect(await blocked).toEqual([])
      expect(performance.now() - begun).toBeLessThan(2000)
      expect(await reader.read(ORIGINS, 10, 0)).toEqual([])
    })

    test('take an entry once while its key is remembered', async () => {
      const delivery = (event: string, key: string, ttlMs = 60_000) => ({ stream: 'github' as const, event, once: { key, ttlMs } })
      const first = await store.append(0, [delivery('a', 'd1'), delivery('a again', 'd1'), delivery('b', 'd2')])
      expect(first.map((id) => id !== null)).toEqual([true, false, true])
      expect(await store.append(0, [delivery('a', 'd1'), { stream: 'agents', event: 'c' }])).toEqual([null, expect.any(String)])
      await store.append(0, [delivery('short', 'd3', 20)])
      expect(await eventually(async () => (await store.append(0, [delivery('short', 'd3', 20)]))[0])).toEqual(expect.any(String))
    })

    test('tell how many entries stand behind the committed positions', async () => {
      const ids = await store.append(0, [1, 2, 3].map((n) => ({ stream: 'agents', event: `${n}` }) as const))
      await store.append(0, [{ stream: 'workflows', event: 'x' }])
      expect(await store.lag(0)).toBe(4)
      const owner = await Owner.take(store)
      await owner.commit([], { to: { ...ORIGINS, agents: ids[1]! } })
      expect(await store.lag(0)).toBe(2)
      await owner.housekeep()
      expect(await store.lag(0)).toBe(2)
      const reader = store.openSource(0)
      expect((await reader.read(owner.state.positions, 10, 0)).map(({ fields }) => fields['event'])).toEqual(['3', 'x'])
      await reader.close()
    })
  })
}
