import type { Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import type { OpenStore } from '../fixture.js'

export function mailboxSuite(open: OpenStore): void {
  describe('marks of agents\' mail', () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    const mark = (cursor: string, ttlMs = 60_000, agent = 'coder', project = 'default') => store.mailbox.mark(0, project, agent, cursor, ttlMs)
    const read = (agent = 'coder', project = 'default', partition = 0) => store.mailbox.read(partition, project, agent)

    test('are not there before the first one, and then where they were put', async () => {
      expect(await read()).toBeNull()
      await mark('e.5-0')
      expect(await read()).toBe('e.5-0')
    })

    test('move on and never back, compared as numbers', async () => {
      await mark('e.9-9')
      for (const [cursor, stands] of [['e.10-0', 'e.10-0'], ['e.9-11', 'e.10-0'], ['e.10-10', 'e.10-10'], ['e.10-9', 'e.10-10'], ['e.1700000000001-0', 'e.1700000000001-0']] as const) {
        await mark(cursor)
        expect(await read()).toBe(stands)
      }
    })

    test('of another epoch are replaced, further on or not', async () => {
      await mark('lost.90-0')
      await mark('e.5-0')
      expect(await read()).toBe('e.5-0')
    })

    test('are an agent\'s and a project\'s own', async () => {
      await mark('e.1-0')
      await mark('e.2-0', 60_000, 'other')
      await mark('e.3-0', 60_000, 'coder', 'elsewhere')
      expect([await read(), await read('other'), await read('coder', 'elsewhere'), await read('coder', 'default', 1), await read('nobody')]).toEqual(['e.1-0', 'e.2-0', 'e.3-0', null, null])
    })

    test('run out when nothing is written, and live on when it is, moved or not', async () => {
      await mark('e.5-0', 30, 'gone')
      await mark('e.5-0', 30, 'kept')
      await mark('e.4-0', 60_000, 'kept')
      await eventually(async () => (await read('gone')) === null, 'the mark running out')
      expect(await read('kept')).toBe('e.5-0')
    })

    test('that are no cursors are refused', async () => {
      await expect(mark('nonsense')).rejects.toThrow('is no cursor')
      expect(await read()).toBeNull()
    })
  })
}
