/**
 * Malformed messages and requests (I5): each is answered by its code, the hub stays up, a valid event behind them arrives, and
 * the journal, read raw at the end, holds nothing but what is valid. What is no message at all: `malformedStreams.test.ts`.
 */
import type { Answer } from '@hubbub/protocol'
import { ask, upgrade, type Told } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { BAD_CURSORS, BAD_EVENTS, BAD_MESSAGES, BAD_TOPICS, brief, NOT_JSON, ofOtherProjects, progress, type BadText } from './malformed.js'
import { besiege, LEAST, serviceToken, type Besieged } from './malformedClients.js'

const STRANGE_PROJECTS = ['other', 'alpha', 'Default', 'default2', 'nowhere']
/** A query cannot be empty text, nor hold half a character. */
const IN_A_QUERY = BAD_TOPICS.filter((topic) => /^[^\p{Cs}]+$/u.test(topic))
const CURSOR_TEXTS = BAD_CURSORS.filter((since): since is string => typeof since === 'string' && since !== '' && since.length < 10_000)
const EVENT_KINDS: [string, readonly BadText[]][] = [...Object.entries(BAD_EVENTS), ['of other projects', ofOtherProjects(STRANGE_PROJECTS)]]

let hub: Besieged
/** Of the same cluster, with rates and limits so low that a test reaches them. */
let strict: string

beforeAll(async () => {
  hub = await besiege()
  const low = { HUBBUB_MESSAGE_RATE: '5', HUBBUB_MESSAGE_BURST: '10', HUBBUB_FAMILY_RATES: 'system=2,*=1000', HUBBUB_MAX_CONNECTIONS: '4' }
  strict = (await hub.cluster.addWorker({ env: low })).url
}, 60_000)
afterAll(() => hub?.stop(), 60_000)

afterEach(async () => {
  expect(await hub.isWell()).toBe(true)
})

const code = (answer: Answer<object>) => (answer.ok ? 'ok' : answer.error.code)
/** Inputs beside the codes that they got: a failure then says which one was taken otherwise. */
const outcomes = (inputs: readonly unknown[], codes: readonly unknown[]) => inputs.map((input, at) => [brief(JSON.stringify(input)), codes[at]])

describe('over Socket.IO', () => {
  let client: Tap
  beforeEach(async () => {
    client = await tap(hub.url, { auth: { token: serviceToken('socket') } })
  })
  afterEach(async () => {
    const id = hub.expectValid(`behind-socket-${hub.valid.size}`)
    await client.must('publish', JSON.parse(progress(id)))
    await hub.watcher.hears(id)
    expect(client.endings).toEqual([])
    client.close()
  })

  test.each(EVENT_KINDS)('events %s are refused', async (_kind, bad) => {
    expect(bad.length).toBeGreaterThanOrEqual(LEAST)
    const answers = await Promise.all(bad.map(([, json]) => client.call('publish', JSON.parse(json))))
    expect(outcomes(bad, answers.map(code))).toEqual(outcomes(bad, bad.map(([expected]) => expected)))
  })

  test.each(EVENT_KINDS)('a batch of events %s is answered event by event, and a valid one among them is published', async (kind, bad) => {
    const id = hub.expectValid(`amid-${kind.replaceAll(' ', '-')}`)
    const inputs = bad.flatMap(([, json], at) => (at === 2 ? [JSON.parse(json), JSON.parse(progress(id))] : [JSON.parse(json)]) as unknown[])
    // A message may have 2 MB; whatever is more ends the connection.
    const small = inputs.filter((input) => JSON.stringify(input).length < 500_000)
    const { results } = await client.must<{ results: Answer<object>[] }>('publish', small)
    expect(results.filter(({ ok }) => ok)).toEqual([expect.objectContaining({ ok: true, id, type: 'task.progress', offset: expect.any(String) as string })])
    expect(results.length).toBe(small.length)
  })

  test('events emitted under their own name are refused likewise', async () => {
    const bad: [code: string, name: string, data: unknown][] = [
      ['VALIDATION_ERROR', 'task.progress', { taskId: 7, progress: 40 }], ['VALIDATION_ERROR', 'task:progress', { task_id: '1', progress: 'much' }], ['VALIDATION_ERROR', 'agent_log', 7],
      ['VALIDATION_ERROR', 'task:progress', undefined], ['VALIDATION_ERROR', 'task.progress', Buffer.from('binary')], ['UNKNOWN_TYPE', 'nonsense', {}], ['UNKNOWN_TYPE', 'toString', {}],
      ['UNKNOWN_TYPE', '__proto__', {}], ['UNKNOWN_TYPE', 'message', 'text'], ['UNKNOWN_TYPE', 'join', { room: 'default/task:1' }], ['PAYLOAD_TOO_LARGE', 'task:progress', { taskId: '1', progress: 40, message: 'x'.repeat(70_000) }],
    ]
    const answers = await Promise.all(bad.map(([, name, data]) => client.call(name, data)))
    expect(outcomes(bad, answers.map(code))).toEqual(outcomes(bad, bad.map(([expected]) => expected)))
  })

  test.each(BAD_MESSAGES)('%s messages %s are refused with %s', async (name, _kind, expected, inputs) => {
    expect(inputs.length).toBeGreaterThanOrEqual(LEAST)
    const answers = await Promise.all(inputs.map((input) => client.call(name, input)))
    expect(outcomes(inputs, answers.map(code))).toEqual(outcomes(inputs, inputs.map(() => expected)))
    expect(await client.must('subscribe', { topics: ['system'] })).toMatchObject({ activeSubscriptions: 1 })
  })

  test('a message of several arguments is refused, and one without an acknowledgement is answered by hub.error', async () => {
    const names = ['publish', 'subscribe', 'unsubscribe', 'signal', 'task.progress']
    expect((await Promise.all(names.map((name) => client.call(name, {}, {})))).map(code)).toEqual(names.map(() => 'INVALID_MESSAGE'))
    for (const name of [...names, 'nonsense']) client.socket.emit(name, { topics: 7 })
    // The last message's answer comes behind the complaints about those before it.
    await client.call('unsubscribe', {})
    expect(client.complaints.map((failure) => failure.code).sort()).toEqual(['INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'UNKNOWN_TYPE', 'VALIDATION_ERROR'])
  })

  test('the 51st subscription and those behind it are refused, the 50 stay', async () => {
    const answers = await Promise.all(Array.from({ length: 50 + LEAST }, (_, at) => client.call('subscribe', { topics: [`task:limit-${at}`] })))
    expect(answers.map(code)).toEqual([...Array.from({ length: 50 }, () => 'ok'), ...Array.from({ length: LEAST }, () => 'SUBSCRIPTION_LIMIT')])
    expect(await client.must('unsubscribe', { topics: ['task:limit-0'] })).toEqual({ ok: true, activeSubscriptions: 49 })
  })

  test('batches of more than 1,000 events are refused as a whole', async () => {
    const answers = await Promise.all([1001, 1002, 1500, 2000, 5000].map((count) => client.call('publish', Array.from({ length: count }, () => ({ type: 'task.progress', data: { taskId: '1', progress: 1 } })))))
    expect(answers.map(code)).toEqual(answers.map(() => 'PAYLOAD_TOO_LARGE'))
  })

  test('what a client says in its handshake is checked, too', async () => {
    const projects = [...STRANGE_PROJECTS, '../default', 7, {}, ['default'], true]
    const refused = await Promise.all(projects.map((project) => tap(hub.url, { auth: { token: serviceToken('socket'), project } })))
    expect(outcomes(projects, refused.map(({ refusals }) => refusals))).toEqual(outcomes(projects, projects.map(() => ['WRONG_PROJECT'])))
    const sessions = [['x', 'y'], ['0.AAAAAAAAAAAAAAAAAAAA', 'e.1-0'], ['9999.AAAAAAAAAAAAAAAAAAAA', 'e.1-0'], ['0.AAAAAAAAAAAAAAAAAAAA', ''], ['', 'e.1-0'], [7, {}], ['../../x', 'x'.repeat(10_000)], [null, []]]
    const fresh = await Promise.all(sessions.map(([pid, offset]) => tap(hub.url, { auth: { token: serviceToken('socket'), pid, offset } })))
    expect(outcomes(sessions, fresh.map(({ socket }) => [socket.connected, socket.recovered]))).toEqual(outcomes(sessions, sessions.map(() => [true, false])))
    for (const opened of [...refused, ...fresh]) opened.close()
  })
})

describe('over HTTP', () => {
  const service = () => serviceToken(`http-${hub.valid.size}`)
  const post = (as: string, body: string | Buffer, headers?: Record<string, string>, query = '') => ask(`${hub.url}/api/v1/events${query}`, { as, body, headers, method: 'POST' })
  const shown = ({ status, body }: Told) => [status, body.error?.code ?? 'ok']

  afterEach(async () => {
    const id = hub.expectValid(`behind-http-${hub.valid.size}`)
    expect(await post(serviceToken('behind'), progress(id))).toMatchObject({ status: 201, body: { ok: true, id } })
    await hub.watcher.hears(id)
  })

  test('bodies that are not JSON are refused', async () => {
    const as = service()
    const bodies: [string | Buffer, Record<string, string>?][] = [
      ...NOT_JSON.map((text): [string] => [text]), [''], [Buffer.from([0xff, 0xfe, 0x7b, 0x7d])], [Buffer.concat([Buffer.from('{"type":"task.progress","data":{"taskId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('","progress":1}}')])],
      ['not gzip', { 'content-encoding': 'gzip' }], ['{}', { 'content-encoding': 'snappy' }],
    ]
    const answers = await Promise.all(bodies.map(([body, headers]) => post(as, body, headers)))
    expect(answers.map(shown)).toEqual(bodies.map(([, headers]) => [headers && 'content-encoding' in headers && headers['content-encoding'] !== 'gzip' ? 415 : 400, 'INVALID_MESSAGE']))
  })

  test.each(EVENT_KINDS)('events %s are refused', async (_kind, bad) => {
    const as = service()
    const answers = await Promise.all(bad.map(([, json]) => post(as, json)))
    expect(outcomes(bad, answers.map(({ body }) => body.error?.code))).toEqual(outcomes(bad, bad.map(([expected]) => expected)))
    for (const { status, body } of answers) expect([status >= 400 && status < 500, body.ok]).toEqual([true, false])
  })

  test.each(EVENT_KINDS)('a batch of events %s is answered event by event, and a valid one among them is published', async (kind, bad) => {
    const id = hub.expectValid(`posted-amid-${kind.replaceAll(' ', '-')}`)
    const { status, body } = await post(service(), `[${bad.map(([, json]) => json).join(',')},${progress(id)}]`)
    const results = body['results'] as Answer<object>[]
    expect([status, outcomes(bad, results.slice(0, -1).map(code))]).toEqual([200, outcomes(bad, bad.map(([expected]) => expected))])
    expect(results.at(-1)).toMatchObject({ ok: true, id, type: 'task.progress', offset: expect.any(String) as string })
  })

  test('bodies over a limit, and acks and batches that are none, are refused', async () => {
    const as = service()
    const large = [1001, 1002, 2000, 5000, 10_000].map((count) => `[${Array.from({ length: count }, () => '7').join(',')}]`)
    const answers = await Promise.all([...large, `"${'x'.repeat(17 * 1024 * 1024)}"`].map((body) => post(as, body)))
    expect(answers.map(shown)).toEqual(answers.map(() => [413, 'PAYLOAD_TOO_LARGE']))
    const odd = await Promise.all([...['?ack=never', '?ack=', '?ack=true'].map((query) => post(as, progress('never'), {}, query)), post(as, '[]'), post(as, '{"events":[]}'), post(as, progress('never', { ack: 7 }))])
    expect(odd.map(shown)).toEqual(odd.map(() => [400, 'INVALID_MESSAGE']))
  })

  test.each<[string, string, string[]]>([
    ['without topics or with more than 50', 'INVALID_MESSAGE', ['', 'topics=', 'topics=,', 'types=task.*', `topics=${Array.from({ length: 51 }, (_, at) => `task:${at}`).join(',')}`]],
    ['of bad topics', 'INVALID_TOPIC', IN_A_QUERY.map((topic) => `topic=${encodeURIComponent(topic)}`)],
    ['from bad cursors', 'INVALID_CURSOR', [...CURSOR_TEXTS, 'last:', 'last:0', 'last:-1', 'last:x', 'last:9999999999'].map((since) => `topics=*&since=${encodeURIComponent(since)}`)],
    ['of wrong types', 'INVALID_MESSAGE', ['limit=0', 'limit=x', 'limit=-1', 'limit=1.5', 'limit=1001', 'wait=x', 'wait=61', 'wait=-1', 'types=Task', 'types=task.**', 'filter.1a=1', 'filter.a%20b=1'].map((query) => `topics=*&${query}`)],
    ['that reach for a prototype', 'INVALID_MESSAGE', ['__proto__', '__proto__.polluted', '1.__proto__', '_', '__defineGetter__'].map((field) => `topics=*&filter.${field}=1`)],
    ['of other projects', 'WRONG_PROJECT', [...STRANGE_PROJECTS, '../default', 'a%20b'].map((project) => `topics=*&project=${project}`)],
  ])('history %s is refused', async (_kind, expected, queries) => {
    expect(queries.length).toBeGreaterThanOrEqual(LEAST)
    const as = service()
    const answers = await Promise.all(queries.map((query) => ask(`${hub.url}/api/v1/history?${query}`, { as })))
    expect(outcomes(queries, answers.map(({ body }) => body.error?.code))).toEqual(outcomes(queries, queries.map(() => expected)))
  })

  test('addresses and methods that are none are not found', async () => {
    const as = service()
    const asked = ['GET /api/v1/events', 'PUT /api/v1/events', 'POST /api/v1/history', 'GET /api/v2/history', 'GET /nowhere', 'POST /', 'DELETE /webhooks/github'].map((line) => line.split(' '))
    const answers = await Promise.all(asked.map(([method, path]) => ask(hub.url + path, { as, method })))
    expect(answers.map(shown)).toEqual(answers.map(() => [404, 'NOT_FOUND']))
  })
})

describe('over a rate', () => {
  const refusedOf = (codes: readonly unknown[]) => codes.filter((found) => found !== 'ok')

  test('messages of one client are refused, and another client is not concerned', async () => {
    const [fast, calm] = [await tap(strict, { auth: { token: serviceToken('fast') } }), await tap(strict, { auth: { token: serviceToken('calm') } })]
    const answers = await Promise.all(Array.from({ length: 60 }, () => fast.call('unsubscribe', {})))
    const refused = refusedOf(answers.map(code))
    expect([refused.length >= LEAST, new Set(refused)]).toEqual([true, new Set(['RATE_LIMITED'])])
    expect(answers.find(({ ok }) => !ok)).toMatchObject({ error: { retryable: true, details: { retryAfterMs: expect.any(Number), limit: 5, setting: 'HUBBUB_MESSAGE_RATE' } } })
    const id = hub.expectValid('behind-the-rate')
    expect(await calm.call('publish', JSON.parse(progress(id)))).toMatchObject({ ok: true })
    await hub.watcher.hears(id)
    for (const client of [fast, calm]) client.close()
  })

  test('requests of one subject are refused, with the time to wait, and another subject is not concerned', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(`${strict}/api/v1/history?topics=system`, { as: serviceToken('fast-http') })))
    const refused = answers.filter(({ status }) => status !== 200)
    expect([refused.length >= LEAST, new Set(refused.map(({ status, body }) => `${status} ${body.error?.code}`))]).toEqual([true, new Set(['429 RATE_LIMITED'])])
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    const id = hub.expectValid('behind-the-http-rate')
    expect(await ask(`${strict}/api/v1/events`, { as: serviceToken('calm-http'), body: progress(id) })).toMatchObject({ status: 201 })
  })

  test('events of one family are refused one by one, on sockets and over HTTP', async () => {
    const notices = (way: string) => Array.from({ length: 20 }, (_, at) => ({ id: `notice-${way}-${at}`, type: 'system.notification', data: { level: 'info', message: 'one of many' } }))
    const client = await tap(strict, { auth: { token: serviceToken('noisy-socket') } })
    const onSocket = (await client.must<{ results: Answer<{ id: string }>[] }>('publish', notices('socket'))).results
    const overHttp = (await ask(`${strict}/api/v1/events`, { as: serviceToken('noisy-http'), json: notices('http') })).body['results'] as typeof onSocket
    for (const results of [onSocket, overHttp]) {
      for (const answer of results) if (answer.ok) hub.expectValid(answer.id)
      const refused = refusedOf(results.map(code))
      expect([refused.length >= LEAST, new Set(refused)]).toEqual([true, new Set(['RATE_LIMITED'])])
    }
    client.close()
  })

  test('connections beyond the worker\'s limit are refused, on every transport', async () => {
    const held: Tap[] = []
    // Those of the tests before may still be on their way out.
    await eventually(async () => {
      const client = await tap(strict, { auth: { token: serviceToken('crowd') } })
      if (client.socket.connected) held.push(client)
      return held.length === 4
    }, 'four connections')
    expect(await upgrade(`${strict}/socket.io/?EIO=4&transport=websocket`)).toEqual({ status: 503, code: 'CONNECTION_LIMIT' })
    const polls = await Promise.all(['', '&sid=', '&sid', '&sid=x&sid=', '&x?sid=1', '#&sid=1', `&token=${token()}`].map((more) => ask(`${strict}/socket.io/?EIO=4&transport=polling${more}`)))
    expect(polls.map(({ status, body }) => [status, body.error?.code])).toEqual(polls.map(() => [503, 'CONNECTION_LIMIT']))
    for (const client of held) client.close()
  })
})

test('nothing malformed stands in the journal', async () => {
  expect(await hub.judge()).toEqual([])
  expect(hub.valid.size).toBeGreaterThan(50)
})
