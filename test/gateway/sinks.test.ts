/** Outgoing webhooks through a whole hub: what is delivered, how it is retried, how a sink is steered, and who may. */
import { fromCloudEvent, type HubEvent } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER, type StateHub } from './stateHub.js'
import { startReceiver, verified, type Receiver } from './sinksReceiver.js'

const SETTINGS = { sinkPrivate: 'allow', sinkHttp: 'allow', sinkRetryMs: 20, sinkRetryMostMs: 100, sinkTimeoutMs: 400, workerMs: 600, maxSinks: 40 }

let hub: StateHub
let receiver: Receiver
let numbers = 0
beforeAll(async () => {
  hub = await startStateHub('memory', SETTINGS)
})
afterAll(() => hub.close())
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => {
  const { sinks } = await hub.get<{ sinks: { id: string }[] }>('/api/v1/sinks')
  for (const { id } of sinks) await hub.ask(`/api/v1/sinks/${id}`, { method: 'DELETE' })
  await receiver.shut()
})

interface Sink {
  id: string
  secret: string
  status: string
  reason?: string
  cursor: string
  attempts: number
  deliveries: number
  lag: { events: number; ms: number }
  lastError?: { message: string; event: string }
  [more: string]: unknown
}

async function add(fields: Record<string, unknown> = {}): Promise<Sink> {
  const told = await hub.ask('/api/v1/sinks', { json: { url: receiver.url, topics: ['task:*'], ...fields }, as: SERVICE })
  if (told.status !== 201) throw new Error(told.text)
  return told.body as never
}

const show = (id: string) => hub.get<Sink>(`/api/v1/sinks/${id}`)
const steer = async (id: string, action: 'pause' | 'resume') => (await hub.ask(`/api/v1/sinks/${id}/${action}`, { method: 'POST', as: SERVICE })).body as unknown as Sink
const progress = (seq: number, taskId = `T-${numbers}`) => ({ id: `e${++numbers}`, type: 'task.progress', data: { taskId, progress: 50, producer: 'p', seq } })
const seqs = () => receiver.taken.map(({ event }) => event.data['seq'])
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

describe('a sink', () => {
  test('gets each event of its topics, in order, byte for byte, signed, from now on', async () => {
    await hub.publish(progress(-1))
    const sink = await add()
    expect(sink).toMatchObject({ id: expect.stringMatching(/^snk_/), secret: expect.stringMatching(/^whsec_/), status: 'active', attempts: 0 })
    await hub.publish(...upTo(50).map((n) => progress(n)))
    await hub.publish({ type: 'custom.other', data: {} })
    await receiver.holds(50)
    expect(seqs()).toEqual(upTo(50))
    const { events } = await hub.get<{ events: { event: HubEvent; cursor: string }[] }>('/api/v1/history?topics=task:*&since=all&limit=1000')
    for (const { headers, body, event } of receiver.taken) {
      const stood = events.find((one) => one.event.id === event.id)!
      expect(body).toBe(JSON.stringify(stood.event))
      expect(headers).toMatchObject({
        'hubbub-event-id': event.id, 'idempotency-key': event.id, 'webhook-id': event.id, 'hubbub-event-type': 'task.progress', 'hubbub-sink-id': sink.id,
        'hubbub-cursor': stood.cursor, 'hubbub-attempt': '1', 'content-type': 'application/json; charset=utf-8', 'user-agent': expect.stringMatching(/^Hubbub\//),
      })
      expect(verified(sink.secret, { headers, body })).toBe(true)
      expect(verified(sink.secret, { headers, body: `${body} ` })).toBe(false)
    }
    const shown = await eventually(async () => (await show(sink.id)).deliveries === 50 && (await show(sink.id)), 'the deliveries being counted')
    expect(shown).toMatchObject({ status: 'active', cursor: receiver.taken.at(-1)!.headers['hubbub-cursor'], lag: { events: 0, ms: 0 }, hasSecret: true, deliveredAt: expect.any(Number) })
    expect(JSON.stringify(shown)).not.toContain(sink.secret.slice(6))
  })

  test('gets what `since` asks for first, and only what types and filter let through', async () => {
    await hub.publish(...upTo(10).map((n) => progress(n, 'T-since')))
    await add({ topics: ['task:T-since'], types: ['task.progress'], filter: { seq: 7 }, since: 'all' })
    await hub.publish(progress(7, 'T-since'), progress(8, 'T-since'))
    await receiver.holds(2)
    expect(seqs()).toEqual([7, 7])
  })

  test('gets CloudEvents if it asks for them, with its own headers and secret', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const sink = await add({ format: 'cloudevents', secret, id: 'cloud', headers: { Authorization: 'Bearer x', 'X-Team': 'a' } })
    expect(sink).toMatchObject({ id: 'cloud', headers: ['authorization', 'x-team'] })
    await hub.publish(progress(1))
    await receiver.holds(1)
    const [{ headers, body }] = receiver.taken as [(typeof receiver.taken)[0]]
    expect(headers).toMatchObject({ authorization: 'Bearer x', 'x-team': 'a', 'content-type': 'application/cloudevents+json; charset=utf-8' })
    expect(fromCloudEvent(JSON.parse(body))).toMatchObject({ type: 'task.progress', project: 'default', data: { seq: 1 } })
    expect(verified(secret, { headers, body })).toBe(true)
  })

  test('speaks to a chat in one line', async () => {
    await add({ format: 'slack', topics: ['task:chat'] })
    await add({ format: 'discord', topics: ['task:chat'], template: '{{data.taskId}} is *{{data.status}}*' })
    await hub.publish({ type: 'task.failed', data: { taskId: 'chat', status: 'failed', error: 'see <!channel> @everyone `rm`', url: 'https://ci.example/1?a=1&b=2' } })
    await receiver.holds(2)
    const texts = receiver.taken.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(texts).toContainEqual({ text: 'task.failed chat (failed): see &lt;!channel&gt; @\u200beveryone ˋrmˋ <https://ci.example/1?a=1&amp;b=2>', mrkdwn: false, unfurl_links: false })
    expect(texts).toContainEqual({ content: 'chat is *failed*', allowed_mentions: { parse: [] } })
  })
})

describe('a receiver that does not take an event', () => {
  test('is tried again, with the next attempt\'s number, and gets nothing else before', async () => {
    receiver.answer = ({ event, headers }) => (event.data['seq'] === 2 && Number(headers['hubbub-attempt']) < 4 ? 500 : 200)
    const sink = await add()
    await hub.publish(...upTo(5).map((n) => progress(n)))
    await receiver.holds(5)
    expect(seqs()).toEqual(upTo(5))
    expect(receiver.received.map(({ event, headers }) => `${String(event.data['seq'])}/${headers['hubbub-attempt']}`)).toEqual(['0/1', '1/1', '2/1', '2/2', '2/3', '2/4', '3/1', '4/1'])
    expect(new Set(receiver.received.filter(({ event }) => event.data['seq'] === 2).map(({ body }) => body)).size).toBe(1)
    await eventually(async () => (await show(sink.id)).status === 'active' && (await show(sink.id)).attempts === 0, 'the failure being over')
  })

  test('is shown as failing meanwhile, with what it answered; a redirect is not followed, a slow answer is a failure', async () => {
    const elsewhere = await startReceiver()
    const sink = await add()
    for (const [answer, message] of [
      [() => [302, { location: elsewhere.url }], 'The receiver answered 302, a redirect, which is not followed.'],
      [() => undefined, 'No answer within 400 ms.'],
      [(_: unknown, response: { destroy(): void }) => void response.destroy(), 'The connection failed: ECONNRESET.'],
    ] as [Receiver['answer'], string][]) {
      receiver.answer = answer
      await hub.publish(progress(1))
      const shown = await eventually(async () => {
        const one = await show(sink.id)
        return one.lastError?.message === message && one
      }, message)
      expect(shown).toMatchObject({ status: 'failing', attempts: expect.any(Number), lag: { events: expect.any(Number) } })
      expect(shown.lag.events).toBeGreaterThan(0)
    }
    receiver.answer = () => 200
    await receiver.holds(3)
    expect(elsewhere.received).toEqual([])
    await elsewhere.shut()
  })

  test('is given the time that it asks for', async () => {
    receiver.answer = ({ headers }) => (headers['hubbub-attempt'] === '1' ? [429, { 'retry-after': '1' }] : 200)
    await add()
    await hub.publish(progress(1))
    await receiver.holds(1)
    const [first, second] = receiver.received
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990)
  })

  test('that is gone pauses the sink at once; the project is told, and it goes on from there when it is resumed', async () => {
    receiver.answer = ({ event }) => (event.data['seq'] === 3 ? 410 : 200)
    const sink = await add()
    await hub.publish(...upTo(10).map((n) => progress(n)))
    const paused = await eventually(async () => {
      const one = await show(sink.id)
      return one.status === 'paused' && one
    }, 'the sink being paused')
    expect(paused).toMatchObject({ reason: 'The receiver answered 410: it is gone.', cursor: receiver.taken.at(-1)!.headers['hubbub-cursor'], lag: { events: 7 } })
    expect(seqs()).toEqual([0, 1, 2])
    const alert = await eventually(async () => (await hub.get<{ events: { event: HubEvent }[] }>('/api/v1/history?topics=system&since=all')).events[0], 'the alert')
    expect(alert.event).toMatchObject({ type: 'system.alert', data: { component: `sink:${sink.id}`, severity: 'warning', message: expect.stringContaining('410') } })
    receiver.answer = () => 200
    expect(await steer(sink.id, 'resume')).toMatchObject({ status: 'active', attempts: 0 })
    await receiver.holds(10)
    expect(seqs()).toEqual(upTo(10))
  })

  test('loses nothing and gets nothing twice through a pause by hand, which is at once', async () => {
    const sink = await add()
    let answer: (() => void) | undefined
    receiver.answer = (received, response) => {
      if (received.event.data['seq'] !== 5) return 200
      answer = () => {
        receiver.taken.push(received)
        response.writeHead(200).end()
      }
      return undefined
    }
    await hub.publish(...upTo(10).map((n) => progress(n)))
    await eventually(() => answer, 'the request to be under way')
    expect(await steer(sink.id, 'pause')).toMatchObject({ status: 'paused', reason: 'paused by engine' })
    answer!()
    await eventually(async () => (await show(sink.id)).worker === undefined, 'the delivery having ended')
    await hub.publish(...upTo(5, 10).map((n) => progress(n)))
    expect(seqs()).toEqual(upTo(6))
    await steer(sink.id, 'resume')
    await receiver.holds(15)
    expect(seqs()).toEqual(upTo(15))
    expect(receiver.received).toHaveLength(15)
  })
})

describe('orders for sinks', () => {
  test('are for services and admins who may read the topics; nobody else sees one', async () => {
    const json = { url: receiver.url, topics: ['task:secret'] }
    for (const as of [VIEWER, { sub: 'a', role: 'agent' as const }, only('subscribe:*')]) {
      expect(codeOf(await hub.ask('/api/v1/sinks', { json, as }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
      expect(codeOf(await hub.ask('/api/v1/sinks', { as }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    }
    const narrow = { ...SERVICE, sub: 'narrow', permissions: ['subscribe:task:mine'] }
    expect(codeOf(await hub.ask('/api/v1/sinks', { json, as: narrow }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    const { id } = await add({ topics: ['task:secret'] })
    for (const as of [narrow, { ...SERVICE, project: 'other' }]) {
      expect((await hub.ask('/api/v1/sinks', { as })).body['sinks']).toEqual([])
      expect(codeOf(await hub.ask(`/api/v1/sinks/${id}`, { as }))).toEqual([404, 'NOT_FOUND'])
      for (const action of ['pause', 'resume']) expect(codeOf(await hub.ask(`/api/v1/sinks/${id}/${action}`, { method: 'POST', as }))).toEqual([404, 'NOT_FOUND'])
      expect(codeOf(await hub.ask(`/api/v1/sinks/${id}`, { method: 'DELETE', as }))).toEqual([404, 'NOT_FOUND'])
    }
    expect((await hub.ask('/api/v1/sinks', { as: narrow, json: { url: receiver.url, topics: ['task:mine'] } })).status).toBe(201)
    await hub.publish(progress(1, 'secret'), progress(2, 'mine'))
    await receiver.holds(2)
    expect(seqs().sort()).toEqual([1, 2])
  })

  test.each([
    [{}, 'url'], [{ url: 'https://example.com' }, undefined], [{ url: 'nonsense' }, 'url'], [{ url: 'ftp://h/' }, 'url'], [{ url: 'http://u:p@127.0.0.1/' }, 'url'], [{ url: 'http://127.0.0.1/#a' }, 'url'],
    [{ topic: 'x' }, 'topic'], [{ topics: [] }, undefined], [{ id: 'a/b' }, 'id'], [{ format: 'xml' }, 'format'], [{ template: 'x' }, 'template'],
    [{ secret: 'abc' }, 'secret'], [{ secret: 'whsec_QUJD' }, 'secret'], [{ headers: { Host: 'x' } }, 'headers.Host'], [{ headers: { 'Webhook-Id': 'x' } }, 'headers.Webhook-Id'],
    [{ headers: { a: 'x\r\ny: z' } }, 'headers.a'], [{ headers: { 'transfer-encoding': 'chunked' } }, 'headers.transfer-encoding'], [{ since: 'yesterday' }, undefined],
  ])('%j is refused, and says where', async (fields, path) => {
    const json = Object.keys(fields).length === 0 ? { topics: ['task:*'] } : 'url' in fields && path === undefined ? fields : { url: receiver.url, topics: ['task:*'], ...fields }
    const told = await hub.ask('/api/v1/sinks', { json, as: SERVICE })
    expect(told.status).toBe(400)
    if (path !== undefined) expect(told.body.error).toMatchObject({ code: 'INVALID_MESSAGE', details: { path } })
    expect((await hub.get<{ sinks: unknown[] }>('/api/v1/sinks')).sinks).toEqual([])
  })

  test('make one of each id, and as many as a project may have', async () => {
    await add({ id: 'one', url: 'http://example.invalid.localhost:1/secret/path?token=1', topics: ['task:none'] }).catch(() => add({ id: 'one', url: `${receiver.url}/secret?token=1` }))
    expect(codeOf(await hub.ask('/api/v1/sinks', { as: SERVICE, json: { id: 'one', url: receiver.url, topics: ['task:*'] } }))).toEqual([409, 'BUSINESS_LOGIC_ERROR'])
    for (let n = 1; n < SETTINGS.maxSinks; n++) await add({ topics: ['task:none'] })
    expect(codeOf(await hub.ask('/api/v1/sinks', { as: SERVICE, json: { url: receiver.url, topics: ['task:*'] } }))).toEqual([429, 'SUBSCRIPTION_LIMIT'])
    expect((await show('one'))['url']).not.toContain('token')
  })

  test('of a sink that there is not are not found', async () => {
    for (const [method, path] of [['GET', ''], ['POST', '/pause'], ['POST', '/resume'], ['DELETE', '']]) {
      expect(codeOf(await hub.ask(`/api/v1/sinks/nothing${path}`, { method }))).toEqual([404, 'NOT_FOUND'])
    }
  })
})
