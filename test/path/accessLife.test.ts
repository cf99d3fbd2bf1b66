/**
 * What those who are in may do, and for how long: permissions on every operation, revocation on every worker, the end of a
 * token, its renewal in place.
 */
import type { Answer, Failure } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'

/** Deadline of a revocation on every worker, ms. */
const REVOKED_WITHIN = 5000

let cluster: Cluster
let urls: string[]
let service: Tap

beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_LOG_LEVEL: 'error' } })
  urls = cluster.workers.map(({ url }) => url)
  service = await tap(urls[0]!, { auth: { token: token({ sub: 'service', role: 'service' }) } })
}, 60_000)
afterAll(async () => {
  service?.close()
  await cluster?.stop()
}, 60_000)

let counter = 0
async function publish(taskId: string): Promise<string> {
  const id = `life-${++counter}`
  await service.must('publish', { id, type: 'task.progress', data: { taskId, progress: 1 } })
  return id
}

const refusal = (answer: Answer<object>) => (answer.ok ? 'ok' : [answer.error.code, answer.error.details?.['needed']])
const codes = ({ complaints }: Tap) => complaints.map(({ code }) => code)
const inSeconds = (seconds: number) => Math.ceil(Date.now() / 1000) + seconds

describe('a token with permissions of its own', () => {
  const narrow: Claims = { sub: 'narrow', role: 'service', permissions: ['subscribe:task:1', 'subscribe:run:a*', 'publish:task.progress', 'publish:custom.*', 'signal:task:1'] }
  let client: Tap
  beforeEach(async () => {
    client = await tap(urls[0]!, { auth: { token: token(narrow) } })
  })
  afterEach(() => client.close())

  const ungranted = ['task:2', 'task:*', 'task:1*', '*', 'run:*', 'run:b', 'agent:narrow', 'system', 'project', 'inbox:*', 'inbox:narrow']
  const needed = (topic: string) => (topic.startsWith('inbox:') ? 'admin' : `subscribe:${topic}`)

  test.each<[string, object]>([
    ['live', {}], ['from everything that is kept', { since: 'all' }], ['from a time', { since: '10m' }], ['from a number of events', { since: { last: 5 } }],
  ])('may subscribe %s to what it names, and to nothing else', async (_how, since) => {
    await publish('1')
    const forbidden = await publish('2')
    expect((await client.call('subscribe', { topics: ['task:1', 'run:ab', 'run:a*'], ...since })).ok).toBe(true)
    const answers = await Promise.all(ungranted.map((topic) => client.call('subscribe', { topics: ['task:1', topic], ...since })))
    expect(answers.map(refusal)).toEqual(ungranted.map((topic) => ['INSUFFICIENT_PERMISSIONS', needed(topic)]))
    const [second, last] = [await publish('2'), await publish('1')]
    await client.hears(last)
    expect(client.packets.filter((packet) => packet.includes(forbidden) || packet.includes(second))).toEqual([])
  })

  test('may read the history of what it names, and nothing else', async () => {
    const [own, forbidden] = [await publish('1'), await publish('2')]
    const read = (topics: string, more = '') => ask(`${urls[1]!}/api/v1/history?topics=${topics}&limit=1000${more}`, { as: token(narrow) })
    const { status, text } = await read('task:1,run:a*')
    expect([status, text.includes(own), text.includes(forbidden)]).toEqual([200, true, false])
    for (const topic of ungranted) {
      for (const more of ['', '&since=all', '&since=last:5', '&wait=1']) {
        const refused = await read(`task:1,${topic}`, more)
        expect([topic, refused.status, refused.body.error?.details?.['needed'], refused.text.includes(own)]).toEqual([topic, 403, needed(topic), false])
      }
    }
  })

  test('may publish what it names, and nothing else, on sockets and over HTTP', async () => {
    const inputs = [
      { type: 'task.progress', data: { taskId: '1', progress: 1 } }, { type: 'custom.note', data: {} }, { type: 'task.completed', data: { taskId: '1' } },
      { type: 'system.alert', data: { severity: 'high', message: 'x' } }, { type: 'agui.raw', data: { type: 'RAW', event: {} } }, { type: 'task:failed', data: { task_id: '1' } },
    ]
    const expected = ['ok', 'ok', ...['task.completed', 'system.alert', 'agui.raw', 'task.failed'].map((type) => ['INSUFFICIENT_PERMISSIONS', `publish:${type}`])]
    expect((await Promise.all(inputs.map((input) => client.call('publish', input)))).map(refusal)).toEqual(expected)
    const posted = (await ask(`${urls[2]!}/api/v1/events`, { as: token(narrow), json: inputs })).body['results'] as Answer<object>[]
    expect(posted.map(refusal)).toEqual(expected)
    expect(refusal(await client.call('task.completed', { taskId: '1' }))).toEqual(expected[2])
  })

  test('may signal what it names, and nothing else', async () => {
    const listener = await tap(urls[2]!, { auth: { token: token() } })
    await listener.must('subscribe', { topics: ['*', 'inbox:*'] })
    const topics = ungranted.filter((topic) => !topic.endsWith('*'))
    const answers = await Promise.all(topics.map((topic) => client.call('signal', { topic, name: 'forbidden' })))
    expect(answers.map(refusal)).toEqual(topics.map((topic) => ['INSUFFICIENT_PERMISSIONS', needed(topic).replace('subscribe', 'signal')]))
    await client.must('signal', { topic: 'task:1', name: 'granted' })
    await eventually(() => listener.packets.some((packet) => packet.includes('granted')), 'the signal')
    expect(listener.packets.filter((packet) => packet.includes('forbidden'))).toEqual([])
    listener.close()
  })
})

describe('a role', () => {
  test.each<[NonNullable<Claims['role']>, string[]]>([
    ['viewer', ['subscribe *']],
    ['agent', ['subscribe *', 'subscribe inbox:someone', 'publish task.progress', 'signal task:1']],
    ['service', ['subscribe *', 'publish task.progress', 'publish system.alert', 'signal task:1']],
    ['admin', ['subscribe *', 'subscribe inbox:someone', 'subscribe inbox:other', 'publish task.progress', 'publish system.alert', 'signal task:1', 'keys']],
  ])('%s may do what its row of the table says', async (role, granted) => {
    const as = token({ sub: 'someone', role })
    const client = await tap(urls[0]!, { auth: { token: as } })
    const tried: [string, Promise<boolean>][] = [
      ...['*', 'inbox:someone', 'inbox:other'].map((topic): [string, Promise<boolean>] => [`subscribe ${topic}`, client.call('subscribe', { topics: [topic] }).then(({ ok }) => ok)]),
      ['publish task.progress', client.call('publish', { type: 'task.progress', data: { taskId: 'role', progress: 1 } }).then(({ ok }) => ok)],
      ['publish system.alert', client.call('publish', { type: 'system.alert', data: { severity: 'low', message: 'role' } }).then(({ ok }) => ok)],
      ['signal task:1', client.call('signal', { topic: 'task:1', name: 'role' }).then(({ ok }) => ok)],
      ['keys', ask(`${urls[0]!}/api/v1/keys`, { as }).then(({ status }) => status === 200)],
    ]
    const done = await Promise.all(tried.map(async ([what, may]) => ((await may) ? what : '')))
    expect(done.filter(Boolean)).toEqual(granted)
    client.close()
  })

  test('agent speaks only for itself', async () => {
    const client = await tap(urls[0]!, { auth: { token: token({ sub: 'coder', role: 'agent' }) } })
    await service.must('subscribe', { topics: ['agent:coder'] })
    const inputs = [
      { type: 'agent.heartbeat', data: { agentId: 'tester' } }, { type: 'task.progress', data: { taskId: '1', progress: 1, agentId: 'tester' } },
      ...['agent:tester', 'inbox:tester', 'inbox:coder'].map((topic) => ({ type: 'custom.note', data: {}, topics: [topic] })),
    ]
    expect((await Promise.all(inputs.map((input) => client.call('publish', input)))).map((answer) => (answer.ok ? 'ok' : answer.error.code))).toEqual(inputs.map(() => 'INSUFFICIENT_PERMISSIONS'))
    await client.must('publish', { id: 'own-voice', type: 'agent.heartbeat', data: {}, metadata: { source: '/hub/forged' } })
    expect(await service.hears('own-voice')).toMatchObject({ data: { agentId: 'coder' }, metadata: { source: '/agents/coder' } })
    client.close()
  })
})

describe('revoked while connected', () => {
  const everywhere = (auth: object) => Promise.all(urls.map((url) => tap(url, { auth })))
  const subscribeAll = (clients: Tap[]) => Promise.all(clients.map((client) => client.must('subscribe', { topics: ['task:revoked'] })))

  /** Ends exactly `lost`, with the reason, and lets nobody of them in again. */
  async function endsOn(lost: Tap[], kept: Tap[], credential: string): Promise<void> {
    await eventually(() => lost.every(({ endings }) => endings.length === 1), 'the end of the revoked', REVOKED_WITHIN)
    expect(lost.map((client) => [codes(client), client.endings])).toEqual(lost.map(() => [['AUTH_REVOKED'], ['io server disconnect']]))
    const id = await publish('revoked')
    await Promise.all(kept.map((client) => client.hears(id)))
    expect(lost.flatMap((client) => client.ids()).includes(id)).toBe(false)
    const again = await everywhere({ token: credential })
    expect(again.map(({ refusals }) => refusals)).toEqual(urls.map(() => ['AUTH_REVOKED']))
    for (const url of urls) expect((await ask(`${url}/api/v1/history?topics=*`, { as: credential })).body.error?.code).toBe('AUTH_REVOKED')
    for (const client of [...lost, ...kept, ...again]) client.close()
  }

  test('a key\'s connections end on every worker within 5 s, and no others', async () => {
    const make = async () => (await ask(`${urls[1]!}/api/v1/keys`, { as: token(), json: { subject: 'machine', role: 'viewer' } })).body as unknown as { key: string; id: string }
    const [revoked, spared] = [await make(), await make()]
    const [lost, kept] = [await everywhere({ apiKey: revoked.key }), await everywhere({ apiKey: spared.key })]
    await subscribeAll([...lost, ...kept])
    expect((await ask(`${urls[1]!}/api/v1/keys/${revoked.id}`, { as: token(), method: 'DELETE' })).status).toBe(200)
    await endsOn(lost, kept, revoked.key)
  })

  test('a subject\'s connections end on every worker within 5 s, and a token of later gets in', async () => {
    const old = token({ sub: 'leaver', role: 'viewer', iat: inSeconds(-60) })
    const [lost, kept] = [await everywhere({ token: old }), await everywhere({ token: token({ sub: 'stayer', role: 'viewer' }) })]
    await subscribeAll([...lost, ...kept])
    expect((await ask(`${urls[2]!}/api/v1/revocations`, { as: token(), json: { subject: 'leaver' } })).status).toBe(201)
    await endsOn(lost, kept, old)
    const later = await tap(urls[0]!, { auth: { token: token({ sub: 'leaver', role: 'viewer', iat: inSeconds(1) }) } })
    expect(later.refusals).toEqual([])
    later.close()
  })

  test('a request that waits for events gets none of those that come after its credential ended', async () => {
    const waiting = (as: string) => ask(`${urls[1]!}/api/v1/history?topics=task:waited&wait=20`, { as })
    const [revoked, expired, valid] = [token({ sub: 'poller', role: 'viewer', iat: inSeconds(-60) }), token({ sub: 'late', role: 'viewer', exp: inSeconds(2) }), token({ sub: 'patient', role: 'viewer' })]
    // A socket of the same credential says when it has ended.
    const witness = await tap(urls[1]!, { auth: { token: expired } })
    const asked = [revoked, expired, valid].map(waiting)
    expect((await ask(`${urls[1]!}/api/v1/revocations`, { as: token(), json: { subject: 'poller' } })).status).toBe(201)
    await eventually(() => witness.endings.length === 1, 'the end of the short token')
    const id = await publish('waited')
    const [ofRevoked, ofExpired, ofValid] = await Promise.all(asked)
    expect([ofRevoked!.body.error?.code, ofExpired!.body.error?.code, ofValid!.text.includes(id)]).toEqual(['AUTH_REVOKED', 'AUTH_TOKEN_EXPIRED', true])
    expect([ofRevoked, ofExpired].some((answer) => answer!.text.includes(id))).toBe(false)
  })

  test('a session cannot be resumed with what was revoked', async () => {
    const old = token({ sub: 'returner', role: 'viewer', iat: inSeconds(-60) })
    const client = await tap(urls[0]!, { auth: { token: old } })
    await client.must('subscribe', { topics: ['task:revoked'] })
    const { pid } = JSON.parse(client.packets[0]!.slice(1)) as { pid: string }
    await publish('revoked')
    await eventually(() => client.events.length === 1, 'an event')
    expect((await ask(`${urls[1]!}/api/v1/revocations`, { as: token(), json: { subject: 'returner' } })).status).toBe(201)
    // On the worker that wrote it the revocation counts at once.
    const back = await tap(urls[1]!, { auth: { token: old, pid, offset: client.events[0]!.cursor } })
    expect([back.refusals, back.packets.length]).toEqual([['AUTH_REVOKED'], 1])
    for (const one of [client, back]) one.close()
  })
})

describe('the end of a token', () => {
  const short = (more: Claims = {}) => token({ sub: 'short', role: 'viewer', exp: inSeconds(3), ...more })

  test('ends its connections on either transport, and auth.refresh keeps one open in place', async () => {
    const auth = { token: short() }
    const ending = await Promise.all([tap(urls[0]!, { auth }), tap(urls[1]!, { auth, transports: ['polling'] })])
    const renewed = await tap(urls[0]!, { auth })
    await renewed.must('subscribe', { topics: ['task:renewed', 'task:lost'] })
    const until = inSeconds(3600)
    expect(await renewed.must('auth.refresh', { token: token({ sub: 'short', role: 'viewer', exp: until }) })).toEqual({ ok: true, expiresAt: until * 1000 })
    await eventually(() => ending.every(({ endings }) => endings.length === 1), 'the end of both')
    expect(ending.map((client) => [codes(client), client.endings])).toEqual(ending.map(() => [['AUTH_TOKEN_EXPIRED'], ['io server disconnect']]))
    // Theirs has expired, so has the one that it came with.
    await renewed.hears(await publish('renewed'))
    expect([renewed.endings, renewed.complaints]).toEqual([[], []])
    expect((await tap(urls[2]!, { auth })).refusals).toEqual(['AUTH_TOKEN_EXPIRED'])
    renewed.close()
  })

  test('is not put off by a refresh that is refused, or that brings an end as near', async () => {
    const client = await tap(urls[0]!, { auth: { token: short() } })
    const refused: [string, object][] = [
      ['AUTH_INVALID_TOKEN', { token: token({ sub: 'somebody-else', role: 'viewer' }) }], ['AUTH_INVALID_TOKEN', { token: token({ sub: 'short' }, 'another secret, longer than 32 characters too') }],
      ['AUTH_TOKEN_EXPIRED', { token: token({ sub: 'short', exp: inSeconds(-10) }) }], ['WRONG_PROJECT', { token: token({ sub: 'short', project: 'other' }) }], ['AUTH_INVALID_FORMAT', { token: 'nonsense' }], ['AUTH_MISSING_TOKEN', {}],
      ['AUTH_INVALID_TOKEN', { token: token({ sub: 'other', role: 'admin' }) }],
    ]
    for (const [code, auth] of refused) expect([code, refusalCode(await client.call('auth.refresh', auth))]).toEqual([code, code])
    expect((await client.call('auth.refresh', { token: short() })).ok).toBe(true)
    await eventually(() => client.endings.length === 1, 'its end')
    expect(codes(client)).toEqual(['AUTH_TOKEN_EXPIRED'])
  })

  test('a refresh that grants less takes away what it no longer grants', async () => {
    const client = await tap(urls[0]!, { auth: { token: token({ sub: 'shrinking', role: 'service' }) } })
    await client.must('subscribe', { topics: ['task:kept'] })
    await client.must('subscribe', { topics: ['task:lost'] })
    await client.must('auth.refresh', { token: token({ sub: 'shrinking', role: 'service', permissions: ['subscribe:task:kept'] }) })
    const lost = await publish('lost')
    await service.must('signal', { topic: 'task:lost', name: 'too-late' })
    await client.hears(await publish('kept'))
    expect(client.packets.filter((packet) => packet.includes(lost) || packet.includes('too-late'))).toEqual([])
    expect(refusalCode(await client.call('publish', { type: 'task.progress', data: { taskId: '1', progress: 1 } }))).toBe('INSUFFICIENT_PERMISSIONS')
    expect(await client.must('unsubscribe', {})).toEqual({ ok: true, activeSubscriptions: 0 })
    client.close()
  })

  test('a session that is resumed with less gets only what is still granted', async () => {
    const client = await tap(urls[0]!, { auth: { token: token({ sub: 'returning', role: 'viewer' }) } })
    await client.must('subscribe', { topics: ['task:kept'] })
    await client.must('subscribe', { topics: ['task:lost'] })
    const first = await publish('kept')
    await client.hears(first)
    const { pid } = JSON.parse(client.packets[0]!.slice(1)) as { pid: string }
    client.socket.io.engine.close()
    const lost = await publish('lost')
    const back = await tap(urls[1]!, { auth: { token: token({ sub: 'returning', role: 'viewer', permissions: ['subscribe:task:kept'] }), pid, offset: client.events.at(-1)!.cursor } })
    await back.hears(await publish('kept'))
    expect([(JSON.parse(back.packets[0]!.slice(1)) as { pid: string }).pid, back.packets.some((packet) => packet.includes(lost))]).toEqual([pid, false])
    back.close()
  })
})

function refusalCode(answer: Answer<object>): Failure['code'] | 'ok' {
  return answer.ok ? 'ok' : answer.error.code
}
