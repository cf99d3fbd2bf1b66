import { StoreUnavailable, type ApiKeyRecord, type SessionRecord, type Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { ORIGINS, Owner, type OpenStore } from '../fixture.js'

export function recordSuite(open: OpenStore): void {
  sessionSuite(open)
  deadSuite(open)
  accessSuite(open)
  endSuite(open)
}

function sessionSuite(open: OpenStore): void {
  describe('sessions', () => {
    const record: SessionRecord = { project: 'default', subject: 'a', subscriptions: [{ id: 's1', topics: ['task:1'], types: ['task.*'], filter: { stage: 'build' }, from: '5-0' }] }
    let store: Store
    beforeEach(async () => {
      store = await open()
    })

    test('are saved, peeked at, and taken by raising the generation', async () => {
      expect(await store.sessions.save(0, 's', 1, record, 60_000)).toBe(true)
      expect(await store.sessions.peek(0, 's')).toEqual({ generation: 1, record })
      expect(await store.sessions.take(0, 's', 60_000)).toEqual({ generation: 2, record })
      expect(await store.sessions.peek(0, 's')).toEqual({ generation: 2, record })
    })

    test('that somebody restored take nothing from the older holder', async () => {
      await store.sessions.save(0, 's', 1, record, 60_000)
      await store.sessions.take(0, 's', 60_000)
      expect(await store.sessions.save(0, 's', 1, { ...record, subject: 'old' }, 60_000)).toBe(false)
      await store.sessions.drop(0, 's', 1)
      expect(await store.sessions.touch(0, ['s', 'none'], 60_000)).toEqual([2, 0])
      expect(await store.sessions.save(0, 's', 2, { ...record, subject: 'new' }, 60_000)).toBe(true)
      await store.sessions.drop(0, 's', 2)
      expect(await store.sessions.peek(0, 's')).toBeNull()
      expect(await store.sessions.take(0, 's', 60_000)).toBeNull()
    })

    test('go when nobody renews them', async () => {
      await store.sessions.save(0, 'short', 1, record, 30)
      await store.sessions.save(0, 'long', 1, record, 30)
      await store.sessions.touch(0, ['long'], 60_000)
      await eventually(async () => (await store.sessions.peek(0, 'short')) === null, 'the session running out')
      expect(await store.sessions.peek(0, 'long')).not.toBeNull()
    })
  })
}

function deadSuite(open: OpenStore): void {
  describe('dead letters', () => {
    const dead = (n: number, fields: Record<string, string> = { event: `bad ${n}`, ['__proto__']: 'x' }) => ({
      outcome: '!INVALID_MESSAGE', dead: { stream: 'workflows' as const, id: `${n}-0`, code: 'INVALID_MESSAGE', message: `not JSON ${n}`, fields },
    })

    test('are counted, listed newest first, looked up and dropped', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      await owner.refuse(dead(1), dead(2))
      expect(await store.dead.count(0)).toBe(2)
      const [newest, older] = await store.dead.list(0, 10)
      expect([await store.dead.list(0, 1), await store.dead.list(0, 1, newest!.id), await store.dead.list(0, 10, older!.id)]).toEqual([[newest], [older], []])
      expect(newest).toEqual({ id: expect.any(String), partition: 0, stream: 'workflows', entry: '2-0', code: 'INVALID_MESSAGE', message: 'not JSON 2', at: expect.any(Number), fields: dead(2).dead.fields })
      expect(Math.abs(newest!.at - Date.now())).toBeLessThan(60_000)
      expect(await store.dead.get(0, older!.id)).toEqual(older)
      expect(await store.dead.get(0, 'nonsense')).toBeNull()
      expect(await store.dead.drop(0, older!.id)).toBe(true)
      expect(await store.dead.drop(0, older!.id)).toBe(false)
      expect(await store.dead.list(0, 10)).toEqual([newest])
    })

    test('are replayed once, with the fields they had', async () => {
      const store = await open()
      const owner = await Owner.take(store)
      await owner.refuse(dead(1))
      const [letter] = await store.dead.list(0, 1)
      expect(await store.dead.replay(0, letter!.id)).toBe(true)
      expect(await store.dead.replay(0, letter!.id)).toBe(false)
      expect(await store.dead.count(0)).toBe(0)
      const reader = store.openSource(0)
      const [entry] = await reader.read(ORIGINS, 10, 0)
      expect(Object.entries(entry!.fields)).toEqual(Object.entries(letter!.fields))
      expect(Object.keys(entry!.fields)).toEqual(['event', '__proto__'])
      await reader.close()
    })

    test('are cut to 64 KiB a value and to the configured number', async () => {
      const store = await open({ deadLetters: 5 })
      const owner = await Owner.take(store)
      await owner.refuse(...Array.from({ length: 8 }, (_, n) => dead(n + 1, { event: 'é'.repeat(50_000) })))
      expect((await store.dead.list(0, 100)).map(({ entry }) => entry)).toEqual(['8-0', '7-0', '6-0', '5-0', '4-0'])
      expect(Buffer.byteLength((await store.dead.list(0, 1))[0]!.fields['event']!)).toBe(65_536)
    })
  })
}

function endSuite(open: OpenStore): void {
  describe('a store', () => {
    test('answers a ping, and nothing once it is closed', async () => {
      const store = await open()
      expect(await store.ping()).toBeGreaterThanOrEqual(0)
      const readers = [store.openTail(0), store.openTail(0)] as const
      const [waiting, ended] = readers.map((tail) => tail.read('0-0', 1, 9000).catch((error: unknown) => error))
      await readers[1].close()
      await store.close()
      expect(await waiting).toBeInstanceOf(StoreUnavailable)
      expect(await ended).toEqual([])
      for (const call of [() => store.head(0), () => store.ping(), () => store.owners(), () => store.append(0, [{ stream: 'agents', event: 'x' }])]) {
        await expect(call()).rejects.toBeInstanceOf(StoreUnavailable)
      }
      await store.close()
    })
  })
}

function accessSuite(open: OpenStore): void {
  describe('access records', () => {
    const key = (id: string, more: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({ id, hash: 'h', subject: 's', role: 'agent', projects: ['default'], createdAt: 1, ...more })

    test('hold API keys, and know which are revoked', async () => {
      const store = await open()
      await store.putKey(key('b', { createdAt: 2, permissions: ['admin'] }))
      await store.putKey(key('a'))
      expect(await store.getKey('b')).toEqual(key('b', { createdAt: 2, permissions: ['admin'] }))
      expect(await store.getKey('none')).toBeNull()
      await store.putKey(key('a', { revokedAt: 5 }))
      expect((await store.listKeys()).map(({ id, revokedAt }) => [id, revokedAt])).toEqual([['a', 5], ['b', undefined]])
      expect((await store.revocations()).keys).toEqual(new Set(['a']))
    })

    test('remember the latest revocation of a subject', async () => {
      const store = await open()
      await store.revokeSubject('s', 100)
      await store.revokeSubject('s', 50)
      await store.revokeSubject('key:t', 7)
      expect((await store.revocations()).subjects).toEqual(new Map([['s', 100], ['key:t', 7]]))
    })
  })
}
