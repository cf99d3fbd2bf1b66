import { createHub, signToken, type Hub } from '@hubbub/server'
import type { HistoryResult } from '@hubbub/protocol'
import { silent } from '../../server/src/observe/log.js'

const secret = 'of this test only, but long enough to be one'
let hub: Hub

beforeEach(async () => {
  hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: secret } })
})
afterEach(() => hub.close())

async function history(query: string): Promise<HistoryResult> {
  const response = await fetch(`${hub.url}/api/v1/history?${query}`, { headers: { authorization: `Bearer ${signToken(secret, { sub: 'reader', role: 'viewer' }, '1h')}` } })
  expect(response.status).toBe(200)
  return (await response.json()) as HistoryResult
}

const progress = (taskId: string, n: number) => hub.publish('task.progress', { taskId, progress: n })
const values = ({ events }: HistoryResult) => events.map(({ event }) => (event.data as { progress: number }).progress)

test('pages follow each other by cursor, without a gap and without overlap', async () => {
  for (let n = 0; n < 25; n++) await progress(n % 5 ? 'a' : 'b', n)
  const seen: number[] = []
  let since = 'all'
  for (;;) {
    const page = await history(`topics=task:*&limit=7&since=${since}`)
    seen.push(...values(page))
    since = page.cursor
    if (!page.more) break
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n))
  expect(values(await history('topics=task:b&since=last:2'))).toEqual([15, 20])
})

test('a waiting request is answered by the first event that fits, and not by others', async () => {
  const { cursor } = await history('topics=task:a')
  const waiting = history(`topics=task:a&since=${cursor}&wait=20`)
  for (let n = 0; n < 10; n++) await progress('b', n)
  await progress('a', 99)
  expect(values(await waiting)).toEqual([99])
})

test('metrics are open, or an operator\'s alone where the setting says so', async () => {
  expect((await fetch(`${hub.url}/metrics`)).status).toBe(200)
  const guarded = await createHub({ log: silent, settings: { port: 0, jwtSecret: secret, metricsAccess: 'admin' } })
  try {
    const status = async (claims?: object) =>
      (await fetch(`${guarded.url}/metrics`, claims && { headers: { authorization: `Bearer ${signToken(secret, { sub: 'x', ...claims }, '1h')}` } })).status
    expect([await status(), await status({ role: 'admin' }), await status({ role: 'admin', projects: ['*'] })]).toEqual([401, 403, 200])
  } finally {
    await guarded.close()
  }
})

test('one that waits for nothing is answered empty, with a cursor to go on from', async () => {
  await progress('b', 1)
  const empty = await history('topics=task:a&wait=1')
  expect(empty).toMatchObject({ events: [], more: false, cursor: expect.stringMatching(/^[\w-]+\.\d+-\d+$/) as string })
  await progress('a', 2)
  expect(values(await history(`topics=task:a&since=${empty.cursor}`))).toEqual([2])
})
