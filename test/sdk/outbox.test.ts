import { HubError, type Client, type PublishResult } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import type { Answer, PublishRequest } from '@hubbub/protocol'
import { Dropped, type Link } from '../../client-sdk/typescript/src/link.js'
import { Outbox } from '../../client-sdk/typescript/src/outbox.js'
import { eventually } from '../harness/eventually.js'

const backoff = { minMs: 1, maxMs: 5, jitter: 0 }

describe('publishing through the fake hub', () => {
  let hub: FakeHub
  let client: Client
  beforeEach(() => {
    hub = createFakeHub()
    client = hub.client({ queueLimit: 3, reconnect: backoff })
  })
  afterEach(() => client.close())

  it('gives each publish an id and answers with its place', async () => {
    const result: PublishResult = await client.publish('task.progress', { progress: 1 }, { topics: ['task:1'], metadata: { correlationId: 'c' } })
    expect(result.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(hub.published).toMatchObject([{ id: result.id, type: 'task.progress', data: { progress: 1 }, topics: ['task:1'], metadata: { correlationId: 'c' } }])
  })

  it('queues without a connection, in order, and refuses what is beyond the limit', async () => {
    await client.ready()
    hub.disconnect()
    const queued = [1, 2, 3].map((n) => client.publish('custom.n', { n }))
    await expect(client.publish('custom.n', { n: 4 })).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    hub.reconnect()
    await Promise.all(queued)
    expect(hub.published.map((request) => request.data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  })

  it('keeps the order of a thousand that are made at once', async () => {
    await client.ready()
    await Promise.all(Array.from({ length: 1000 }, (_, n) => client.publish('custom.n', { n })))
    expect(hub.published.map((request) => (request.data as { n: number }).n)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  it('tries again when the hub is busy, after the time that it names', async () => {
    hub.refuse('publish', 'RATE_LIMITED', { times: 2, details: { retryAfterMs: 20 } })
    hub.refuse('publish', 'UNAVAILABLE')
    const before = performance.now()
    await client.publish('custom.n', {})
    expect(performance.now() - before).toBeGreaterThanOrEqual(38)
    expect(hub.published).toHaveLength(1)
  })

  it('rejects what is refused for good, and goes on with the next', async () => {
    hub.refuse('publish', 'VALIDATION_ERROR', { details: { path: '/progress' } })
    const outcomes = await Promise.allSettled([client.publish('task.progress', {}), client.publish('custom.n', {})])
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'VALIDATION_ERROR', details: { path: '/progress' } } })
    expect(outcomes[1]).toMatchObject({ status: 'fulfilled' })
  })

  it('refuses what is not JSON', async () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    await expect(client.publish('custom.n', circle)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  })
})

/** A link whose answers the test gives. */
class ScriptedLink {
  isOpen = true
  readonly asked: PublishRequest[][] = []
  readonly #answers: { resolve(answer: unknown): void; reject(error: Error): void }[] = []

  request: Link['request'] = (_name, payload) => {
    this.asked.push([payload as PublishRequest | PublishRequest[]].flat())
    return new Promise<never>((resolve, reject) => this.#answers.push({ resolve, reject }))
  }

  answer(): void {
    const requests = this.asked.at(-1)!
    const results: Answer<PublishResult>[] = requests.map(({ id, type }) => ({ ok: true, id: id!, type }))
    this.#answers.shift()!.resolve(requests.length === 1 ? results[0] : { ok: true, results })
  }

  refuse(error: HubError): void {
    this.#answers.shift()!.resolve({ ok: false, error: error.toJSON() })
  }

  drop(): void {
    this.isOpen = false
    for (const { reject } of this.#answers.splice(0)) reject(new Dropped())
  }
}

describe('the outbox', () => {
  const request = (n: number): PublishRequest => ({ id: `id-${n}`, type: 'custom.n', data: n })
  const make = (publishTimeoutMs = 5000): { link: ScriptedLink; outbox: Outbox } => {
    const link = new ScriptedLink()
    return { link, outbox: new Outbox({ link: () => link, queueLimit: 10, publishTimeoutMs, backoff }) }
  }

  it('sends again, in order and with the same ids, what a lost connection left unanswered', async () => {
    const { link, outbox } = make()
    const all = Promise.all([1, 2, 3].map((n) => outbox.add(request(n))))
    expect(link.asked).toEqual([[request(1)]])
    link.drop()
    await eventually(() => !link.isOpen)
    link.isOpen = true
    await outbox.flush()
    await eventually(() => link.asked.length === 2)
    expect(link.asked[1]).toEqual([request(1), request(2), request(3)])
    link.answer()
    expect(await all).toMatchObject([{ id: 'id-1' }, { id: 'id-2' }, { id: 'id-3' }])
  })

  it('does not know the outcome of what was sent and not answered in time', async () => {
    const { outbox } = make(20)
    await expect(outbox.add(request(1))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { id: 'id-1' } })
    expect(outbox.size).toBe(0)
  })

  it('names the refusal, not an unknown outcome, when the hub was busy to the end', async () => {
    const { link, outbox } = make(40)
    const failed = outbox.add(request(1))
    link.refuse(new HubError('RATE_LIMITED', undefined, { retryAfterMs: 10_000 }))
    await expect(failed).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('lets publishes wait without end for a first connection', async () => {
    const { link, outbox } = make(10)
    link.isOpen = false
    const waiting = outbox.add(request(1))
    const made = performance.now()
    await eventually(() => performance.now() > made + 30)
    link.isOpen = true
    void outbox.flush()
    link.answer()
    await expect(waiting).resolves.toMatchObject({ id: 'id-1' })
  })

  it('takes a message apart that was refused as a whole', async () => {
    const { link, outbox } = make()
    const outcomes = Promise.allSettled([1, 2, 3].map((n) => outbox.add(request(n))))
    link.answer()
    await eventually(() => link.asked.length === 2)
    link.refuse(new HubError('PAYLOAD_TOO_LARGE'))
    await eventually(() => link.asked.length === 3)
    link.refuse(new HubError('PAYLOAD_TOO_LARGE'))
    await eventually(() => link.asked.length === 4)
    link.answer()
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(link.asked.map((batch) => batch.length)).toEqual([1, 2, 1, 1])
  })

  it('tells what was sent from what was not when the client is closed', async () => {
    const { outbox } = make()
    const outcomes = Promise.allSettled([outbox.add(request(1)), outbox.add(request(2))])
    outbox.close()
    expect(await outcomes).toMatchObject([{ reason: { code: 'OUTCOME_UNKNOWN' } }, { reason: { code: 'UNAVAILABLE' } }])
  })
})
