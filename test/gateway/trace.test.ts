/** Traces on one hub in memory: the hub that somebody starts first, and the one inside a program. */
import type { CommittedTrace } from '@hubbub/protocol'
import { createHub, type Hub } from '@hubbub/server'
import { silent } from '../../server/src/observe/log.js'
import { ask } from '../harness/ask.js'
import { SECRET, token } from '../harness/token.js'

let hub: Hub

beforeEach(async () => {
  hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, nodeId: 'embedded' } })
})
afterEach(() => hub.close())

const trace = async (id: string, query = '', as = token()) => await ask(`${hub.url}/api/v1/trace/${encodeURIComponent(id)}?${query}`, { as })

test('a handler inside the program is a session like any other', async () => {
  const heard: string[] = []
  const stop = await hub.on('task:1', (event) => void heard.push(event.id))
  await hub.publish('custom.note', {}, { id: 'first', topics: ['task:1'] })
  await stop()
  await hub.publish('custom.note', {}, { id: 'second', topics: ['task:1'] })
  expect(heard).toEqual(['first'])
  const first = (await trace('first', 'subject=embedded')).body['trace'] as CommittedTrace
  expect(first).toMatchObject({
    received: { worker: 'embedded', stream: 'system' }, committed: { processor: 'embedded', batch: expect.any(Number) as number },
    workers: [{ worker: 'embedded', answered: true, matched: 1, live: 1 }], sessions: [{ wire: 'process', fate: 'live', given: true }],
  })
  const second = (await trace('second', 'subject=embedded')).body['trace'] as CommittedTrace
  expect(second.sessions).toMatchObject([{ fate: 'disconnected', given: false }])
  expect(second.workers).toMatchObject([{ matched: 1, gone: 1 }])
})

test('what is asked wrongly is refused with a code', async () => {
  const codes = await Promise.all([trace('x'.repeat(513)), trace('e', `session=${'x'.repeat(513)}`), trace('e', 'subject=')])
  expect(codes.map(({ status, body }) => [status, body.error?.code])).toEqual([[400, 'INVALID_MESSAGE'], [400, 'INVALID_MESSAGE'], [400, 'INVALID_MESSAGE']])
  const told = await trace('nobody', 'session=unheard')
  // Of an event that is not known, nobody's part is told.
  expect([told.status, (told.body['trace'] as { status: string }).status]).toEqual([200, 'unknown'])
  await hub.publish('custom.note', {}, { id: 'e', topics: ['task:1'] })
  expect((await trace('e', 'session=unheard')).body.error).toMatchObject({ code: 'NOT_FOUND', details: { session: 'unheard' } })
  expect((await trace('e', 'subject=other', token({ sub: 'ann', role: 'viewer' }))).body.error?.code).toBe('INSUFFICIENT_PERMISSIONS')
})

test('an id of any characters is found', async () => {
  for (const id of ['a/b?c=d#e', '../../status', '%2e%2e', '"\\', '__proto__', 'é→😀']) {
    await hub.publish('custom.note', {}, { id, topics: ['task:1'] })
    expect(((await trace(id)).body['trace'] as CommittedTrace).event.id).toBe(id)
  }
})
