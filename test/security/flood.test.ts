/** One that asks or tells too much is told so, with whose limit it is and when to come back; whoever is beside it gets what it asks for. */
import type { Failure } from '@hubbub/protocol'
import { createHub, type Hub } from '@hubbub/server'
import { silent } from '../../server/src/observe/log.js'
import { ask } from '../harness/ask.js'
import { tap, type Tap } from '../harness/tap.js'
import { SECRET, token } from '../harness/token.js'

const RATE = 200
let hub: Hub
/** Whose clients have one message a second. */
let slow: Hub
let socket: Tap | undefined

beforeAll(async () => {
  hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, partitions: 1, projectRates: `flood=${RATE}`, familyRates: '*=100000' } })
  slow = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, messageRate: 1, messageBurst: 20 } })
}, 60_000)
afterAll(async () => {
  socket?.close()
  await hub?.close()
  await slow?.close()
})

const service = (sub: string, project: string) => token({ sub, project, role: 'service' })
const note = (id: string) => ({ id, type: 'custom.note', data: {} })
const batch = (name: string, count: number) => Array.from({ length: count }, (_, at) => note(`${name}-${at}`))
type Results = { ok: boolean; error?: Failure }[]

test('a project that publishes more than its rate is refused what is too much, and its neighbour in the same partition nothing', async () => {
  const flood = ['a', 'b', 'c', 'd'].map(async (name) => {
    const results: Results = []
    for (let at = 0; at < 10; at++) {
      const answer = await ask(`${hub.url}/api/v1/events`, { as: service(name, 'flood'), json: batch(`${name}${at}`, 100) })
      results.push(...(answer.body['results'] as Results))
    }
    return results
  })
  const begun = Date.now()
  for (let at = 0; at < 40; at++) expect((await ask(`${hub.url}/api/v1/events`, { as: service('neighbour', 'quiet'), json: note(`quiet-${at}`) })).status).toBe(201)
  const results = (await Promise.all(flood)).flat()
  const taken = results.filter(({ ok }) => ok).length
  expect(results).toHaveLength(4000)
  // The burst, and what the rate gave since.
  expect(taken).toBeGreaterThanOrEqual(2 * RATE)
  expect(taken).toBeLessThanOrEqual(2 * RATE + (RATE * (Date.now() - begun)) / 1000 + 1)
  const refused = results.filter(({ ok }) => !ok).map(({ error }) => error)
  expect(refused.every((error) => error?.code === 'RATE_LIMITED' && error.details?.['scope'] === 'project' && error.details['project'] === 'flood' && Number(error.details['retryAfterMs']) > 0)).toBe(true)
}, 60_000)

test.each(['/api/v1/history?topics=*&since=all', '/api/v1/snapshot?topics=task:*', '/api/v1/tasks', '/api/v1/status', '/api/tasks', '/api/v1/nowhere'])('reading counts as well: a flood of GET %s is refused beyond the rate, and nobody else\'s', async (path) => {
  const flooder = token({ sub: `flooder${path}`, role: 'viewer' })
  const answers = await Promise.all(Array.from({ length: 80 }, () => ask(slow.url + path, { as: flooder })))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(20)
  expect(refused[0]!.body.error).toMatchObject({ code: 'RATE_LIMITED', details: { scope: 'client', limit: 1, unit: 'messages/s', setting: 'HUBBUB_MESSAGE_RATE', retryAfterMs: expect.any(Number) } })
  expect((await ask(slow.url + path, { as: token({ sub: `other${path}`, role: 'viewer' }) })).status).not.toBe(429)
}, 60_000)

test.each(['subscribe', 'snapshot'])('reading counts on a socket: a flood of %s is refused beyond the rate', async (message) => {
  socket = await tap(slow.url, { auth: { token: token({ sub: `reader-${message}`, role: 'viewer' }) } })
  const answers = await Promise.all(Array.from({ length: 80 }, () => socket!.call(message, { topics: ['task:*'] })))
  const refused = answers.filter((answer) => !answer.ok && answer.error.code === 'RATE_LIMITED')
  expect(refused.length).toBeGreaterThan(20)
  expect(refused[0]).toMatchObject({ error: { details: { scope: 'client', retryAfterMs: expect.any(Number) } } })
  socket.close()
}, 60_000)
