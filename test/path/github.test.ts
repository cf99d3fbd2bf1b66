/**
 * Real input from end to end: GitHub's own examples, posted to three workers, committed by one of two processors, received
 * from three workers by stock clients.
 */
import { partitionOf } from '@hubbub/protocol'
import { firstDifference, problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { readDeliveries, sign, type Delivery } from './deliveries.js'
import { openRaw, type RawRedis } from './rawRedis.js'

const PARTITIONS = 4
const HOME = partitionOf('default', PARTITIONS)
const SECRET = 'the secret that GitHub signs with'
const AT_ONCE = 8

const deliveries = readDeliveries()
const withRepository = deliveries.filter(({ expected }) => expected.topics.some((topic) => topic.startsWith('repo:')))

let cluster: Cluster
let raw: RawRedis
let watchers: Sink[]

beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 2, partitions: PARTITIONS, env: { HUBBUB_GITHUB_SECRET: SECRET, HUBBUB_LOG_LEVEL: 'warn' } })
  raw = await openRaw(cluster.redis.url)
  watchers = await Promise.all(cluster.workers.map((worker) => stockClient(worker.url, { token: token({ role: 'viewer' }), topics: ['repo:*'] })))
}, 60_000)

afterAll(async () => {
  for (const watcher of watchers ?? []) watcher.close()
  raw?.close()
  await cluster?.stop()
}, 60_000)

describe('329 deliveries of GitHub, through three workers and two processors', () => {
  test('are all there: the examples of every webhook', () => {
    expect([deliveries.length, new Set(deliveries.map(({ name }) => name)).size]).toEqual([329, 58])
  })

  test('are each taken in', async () => {
    const answers = await postAll(deliveries, 0)
    expect(answers.filter(({ status }) => status !== 202)).toEqual([])
    expect(answers.map(({ body }) => body)).toEqual(deliveries.map(({ id }) => ({ ok: true, id, duplicate: false })))
  })

  test('stand in the journal once each, with the type and topics of their webhook', async () => {
    for (const watcher of watchers) await watcher.holds(withRepository.length)
    // Those without a repository may have come last: the journal is complete when it holds as many as were accepted.
    const events = await eventually(async () => {
      const found = await raw.events(HOME)
      return found.length >= deliveries.length && found
    }, 'the journal to hold every delivery')
    const found = new Map(events.map(({ event }) => [event.id, { type: event.type, topics: [...event.topics].sort() }]))
    expect(events.length).toBe(deliveries.length)
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(deliveries.map(({ id, expected }) => [id, { type: expected.type, topics: [...expected.topics].sort() }])))
    for (const { event } of events) {
      expect(event).toMatchObject({ project: 'default', data: { deliveryId: event.id, event: event.id.replace(/-\d+$/, '') } })
      expect(event.metadata.source).toMatch(/^https:\/\/github\.com(\/[^/]+\/[^/]+)?$/)
    }
  })

  test('reach subscribers of repo:* on all three workers in the journal\'s order, with the same cursors', async () => {
    const journal = (await raw.events(HOME)).filter(({ event }) => event.topics.some((topic) => topic.startsWith('repo:')))
    const expected = journal.map(({ offset, event }) => ({ id: event.id, offset }))
    expect(expected.length).toBe(withRepository.length)
    for (const watcher of watchers) {
      const received = watcher.receipts()
      expect(problems(received, withRepository.map(({ id }) => id))).toEqual([])
      expect(firstDifference(received, expected)).toBeUndefined()
      expect(watcher.events.map(({ cursor }) => cursor)).toEqual(watchers[0]!.events.map(({ cursor }) => cursor))
      expect(watcher.events.map(({ event }) => event)).toEqual(journal.map(({ event }) => event))
      expect([watcher.gaps, watcher.errors, watcher.connections.length]).toEqual([[], [], 1])
    }
  })

  test('bring nothing new when they are delivered again, to other workers', async () => {
    const before = await raw.added(HOME)
    const answers = await postAll(deliveries, 1)
    expect(answers.filter(({ status, body }) => status !== 202 || body['duplicate'] !== true)).toEqual([])
    // Without an entry in a source stream there is nothing that could be committed later.
    expect(await raw.added(HOME)).toEqual(before)
    expect(before).toMatchObject({ journal: 329, github: 329, agents: 0, workflows: 0, system: 0 })
  })
})

describe('a delivery whose signature does not fit', () => {
  const body = deliveries[0]!.body
  const fitting = sign(SECRET, body)

  test.each([
    ['of another secret', sign('somebody else\'s secret', body)],
    ['of another body', sign(SECRET, `${body} `)],
    ['cut short', fitting.slice(0, -1)],
    ['of the older SHA-1 form', fitting.replace('sha256=', 'sha1=').slice(0, 45)],
    ['that is empty', ''],
    ['that is missing', null],
  ])('%s is answered with 401 by every worker, and nothing is written', async (_what, signature) => {
    const before = await raw.added(HOME)
    for (const worker of cluster.workers) {
      const { status, body: answer } = await post(worker.url, { ...deliveries[0]!, id: 'forged', body }, signature)
      expect([status, answer]).toEqual([401, { ok: false, error: { code: 'BAD_SIGNATURE', message: expect.any(String), retryable: false } }])
    }
    expect(await raw.added(HOME)).toEqual(before)
  })

  test('does not stop the next one that is signed: it reaches all three watchers', async () => {
    const held = watchers.map(({ events }) => events.length)
    expect(await post(cluster.workers[2]!.url, { ...withRepository[0]!, id: 'after-the-forged-ones' })).toMatchObject({ status: 202, body: { ok: true, duplicate: false } })
    for (const [at, watcher] of watchers.entries()) {
      await watcher.holds(held[at]! + 1)
      expect(watcher.ids().slice(held[at])).toEqual(['after-the-forged-ones'])
    }
  })
})

interface Posted {
  status: number
  body: Record<string, unknown>
}

/** Several at once, each delivery to the next worker; `shift` chooses which worker gets the first. */
async function postAll(all: readonly Delivery[], shift: number): Promise<Posted[]> {
  const answers: Posted[] = []
  let next = 0
  const lane = async () => {
    for (let at = next++; at < all.length; at = next++) answers[at] = await post(cluster.workers[(at + shift) % cluster.workers.length]!.url, all[at]!)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return answers
}

/** `signature` null: none is sent. */
async function post(url: string, { id, name, body }: Delivery, signature: string | null = sign(SECRET, body)): Promise<Posted> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-github-event': name, 'x-github-delivery': id }
  if (signature !== null) headers['x-hub-signature-256'] = signature
  const response = await fetch(`${url}/webhooks/github`, { method: 'POST', body, headers })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
