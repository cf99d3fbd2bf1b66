/**
 * Who watches a topic, across workers: joins and leaves as signals, once each, whatever ways a client comes and goes, and for no more commands
 * and signals than there are joins.
 */
import type { Answer, PresenceChange, PresenceResult } from '@hubbub/protocol'
import { createClient } from 'redis'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token, type Claims } from '../harness/token.js'

let cluster: Cluster
const open: Sink[] = []
let topics = 0

beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_GRACE_MS: '800', HUBBUB_PRESENCE_MS: '100', HUBBUB_WORKER_MS: '1500', HUBBUB_LOG_LEVEL: 'error' } })
}, 60_000)
afterEach(() => {
  for (const sink of open.splice(0)) sink.close()
})
afterAll(() => cluster.stop(), 60_000)

const freshTopic = () => `task:presence-${++topics}`

async function connect(worker: number, sub: string, subscribed?: string[], claims: Claims = {}): Promise<Sink> {
  const sink = await stockClient(cluster.workers[worker]!.url, { token: token({ sub, ...claims }), topics: subscribed })
  open.push(sink)
  return sink
}

async function ask(sink: Sink, topic: string, watch?: boolean): Promise<Answer<PresenceResult>> {
  return (await sink.socket.timeout(10_000).emitWithAck('presence', { topic, ...(watch !== undefined && { watch }) })) as Answer<PresenceResult>
}

async function watchersOf(sink: Sink, topic: string): Promise<string[]> {
  const answer = await ask(sink, topic)
  if (!answer.ok) throw new Error(answer.error.code)
  return answer.watchers.map(({ subject }) => subject).sort()
}

const sees = (sink: Sink, topic: string, ...subjects: string[]) =>
  eventually(async () => JSON.stringify(await watchersOf(sink, topic)) === JSON.stringify(subjects.sort()), `${subjects.join(', ') || 'nobody'} watching ${topic}`)

/** `+subject` for each that joined, `-subject` for each that left, in the order of the signals. */
function heard(sink: Sink, topic: string): string[] {
  return sink.signals
    .filter((signal) => signal.name === 'presence.changed' && signal.topic === topic && signal.source === '/hub')
    .flatMap(({ data }) => [...(data as PresenceChange).joined.map((subject) => `+${subject}`), ...(data as PresenceChange).left.map((subject) => `-${subject}`)])
}

const hears = (sink: Sink, topic: string, word: string) => eventually(() => heard(sink, topic).includes(word), `${word} (heard: ${heard(sink, topic).join(' ')})`)

test('whoever subscribes to exactly the topic is seen from every worker, with role and since, and joins and leaves are told', async () => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  expect(await ask(observer, topic)).toEqual({ ok: true, topic, watchers: [] })
  const ann = await connect(1, 'ann', [topic, 'task:other'], { role: 'viewer' })
  await hears(observer, topic, '+ann')
  await connect(2, 'everything', ['*', 'task:*'])
  const ben = await connect(2, 'ben', [topic])
  await hears(observer, topic, '+ben')
  const answer = await ask(observer, topic)
  expect(answer).toEqual({ ok: true, topic, watchers: [{ subject: 'ann', role: 'viewer', since: expect.any(String) }, { subject: 'ben', role: 'admin', since: expect.any(String) }] })
  await ann.socket.emitWithAck('unsubscribe', {})
  ben.close()
  await hears(observer, topic, '-ann')
  await hears(observer, topic, '-ben')
  expect(await watchersOf(observer, topic)).toEqual([])
  expect(heard(observer, topic).sort()).toEqual(['+ann', '+ben', '-ann', '-ben'])
})

test('a client finds itself, at once', async () => {
  const topic = freshTopic()
  const sink = await connect(0, 'me', [topic])
  expect(await watchersOf(sink, topic)).toEqual(['me'])
})

test('a subject counts once, on however many connections and workers; leaving one is no leave', async () => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  await ask(observer, topic)
  const first = await connect(1, 'ann', [topic])
  const second = await connect(1, 'ann', [topic])
  const third = await connect(2, 'ann', [topic])
  await hears(observer, topic, '+ann')
  expect(await watchersOf(observer, topic)).toEqual(['ann'])
  first.close()
  third.close()
  const marker = await connect(2, 'marker', [topic])
  await hears(observer, topic, '+marker')
  marker.close()
  // Gone later than the others, so that their leaves would have been told by then.
  await hears(observer, topic, '-marker')
  expect(await watchersOf(observer, topic)).toEqual(['ann'])
  second.close()
  await hears(observer, topic, '-ann')
  expect(heard(observer, topic).filter((word) => word.endsWith('ann'))).toEqual(['+ann', '-ann'])
})

test.each([['the same worker', 1], ['another worker', 2]])('a client that comes back to %s within the grace has neither left nor joined', async (_where, to) => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  await ask(observer, topic)
  const before = await connect(1, 'ann', [topic])
  const marker = await connect(1, 'marker', [topic])
  await hears(observer, topic, '+ann')
  await hears(observer, topic, '+marker')
  before.close()
  await connect(to, 'ann', [topic])
  marker.close()
  await hears(observer, topic, '-marker')
  expect(await watchersOf(observer, topic)).toEqual(['ann'])
  expect(heard(observer, topic).filter((word) => word.endsWith('ann'))).toEqual(['+ann'])
})

test('a worker that ends in order takes nobody with it who goes to another one', async () => {
  const topic = freshTopic()
  const ending = await cluster.addWorker()
  const observer = await connect(0, 'observer')
  await ask(observer, topic)
  const mover = await connect(cluster.workers.length - 1, 'ann', [topic])
  const marker = await connect(1, 'marker', [topic])
  for (const word of ['+ann', '+marker']) await hears(observer, topic, word)
  mover.socket.io.reconnection(false)
  const gone = new Promise((resolve) => mover.socket.once('disconnect', resolve))
  const ended = ending.stop()
  await gone
  await connect(1, 'ann', [topic])
  expect(await ended).toBe(0)
  marker.close()
  await hears(observer, topic, '-marker')
  expect(await watchersOf(observer, topic)).toEqual(['ann'])
  expect(heard(observer, topic)).toEqual(expect.arrayContaining(['+ann', '+marker', '-marker']))
  expect(heard(observer, topic)).toHaveLength(3)
})

test('a hub without Redis tells the same', async () => {
  const hub = await startHub({ env: { HUBBUB_GRACE_MS: '100', HUBBUB_PRESENCE_MS: '50', HUBBUB_PRESENCE_NAMES: '1', HUBBUB_PRESENCE_WATCHERS: '1' } })
  const topic = freshTopic()
  const [observer, ann, ben] = await Promise.all([[], [topic], [topic]].map((subscribed, n) =>
    stockClient(hub.url, { token: token({ sub: ['observer', 'ann', 'ben'][n] }), topics: subscribed.length > 0 ? subscribed : undefined }))) as [Sink, Sink, Sink]
  open.push(observer, ann, ben)
  expect(await ask(observer, topic)).toMatchObject({ ok: true, more: 1, watchers: [{ role: 'admin' }] })
  ann.close()
  ben.close()
  const named = () => observer.signals.map(({ data }) => data as PresenceChange).reduce((sum, { left, more = 0 }) => sum + left.length + more, 0)
  await eventually(async () => named() >= 2 && (await watchersOf(observer, topic)).length === 0, 'both having left')
  for (const { data } of observer.signals) expect((data as PresenceChange).left.length).toBeLessThanOrEqual(1)
  expect(await hub.stop()).toBe(0)
})

test('only those who asked are told, until they say that they do not watch any more', async () => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  const former = await connect(1, 'former')
  const bystander = await connect(2, 'bystander', [topic, 'task:*', '*'])
  await sees(observer, topic, 'bystander')
  await ask(former, topic)
  await connect(1, 'ann', [topic])
  await hears(former, topic, '+ann')
  expect(await ask(former, topic, false)).toMatchObject({ ok: true })
  const told = heard(former, topic).length
  await connect(2, 'ben', [topic])
  await hears(observer, topic, '+ben')
  // What the hub sent before this answer has come.
  await ask(former, topic, false)
  await ask(bystander, freshTopic())
  expect(heard(former, topic)).toHaveLength(told)
  expect(bystander.signals).toEqual([])
})

test('without permission to subscribe there is no answer and no signal, and of another project nothing is seen (I6)', async () => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  const stranger = await connect(0, 'stranger', undefined, { role: 'viewer', permissions: ['subscribe:agent:*'] })
  const abroad = await connect(1, 'abroad', [topic], { project: 'elsewhere' })
  expect(await ask(stranger, topic)).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS', details: { topic, needed: `subscribe:${topic}` } } })
  for (const wrong of ['task:*', 'inbox:stranger', 'nonsense']) expect(await ask(stranger, wrong)).toMatchObject({ ok: false, error: { code: 'INVALID_TOPIC' } })
  expect(await watchersOf(observer, topic)).toEqual([])
  expect(await watchersOf(abroad, topic)).toEqual(['abroad'])
  await connect(2, 'ann', [topic])
  await hears(observer, topic, '+ann')
  await connect(2, 'ben', [topic], { project: 'elsewhere' })
  await hears(abroad, topic, '+ben')
  expect(heard(abroad, topic).filter((word) => word !== '+abroad')).toEqual(['+ben'])
  expect(heard(observer, topic)).toEqual(['+ann'])
  expect(stranger.signals).toEqual([])
})

test('a credential that no longer grants the topic ends the signals', async () => {
  const topic = freshTopic()
  const observer = await connect(0, 'observer')
  await ask(observer, topic)
  const reduced = await connect(0, 'reduced', undefined, { role: 'viewer' })
  await ask(reduced, topic)
  await connect(1, 'ann', [topic])
  await hears(reduced, topic, '+ann')
  expect(await reduced.socket.emitWithAck('auth.refresh', { token: token({ sub: 'reduced', role: 'viewer', permissions: ['subscribe:agent:*'] }) })).toMatchObject({ ok: true })
  await connect(1, 'ben', [topic])
  await hears(observer, topic, '+ben')
  await ask(reduced, 'agent:a')
  expect(heard(reduced, topic)).toEqual(['+ann'])
})

test('a hundred who join cost an observer fewer signals than joins, and the store a command for many of them', async () => {
  const counted = await countCommands(async () => {
    const topic = freshTopic()
    const observer = await connect(0, 'observer')
    await ask(observer, topic)
    const names = Array.from({ length: 100 }, (_, n) => `crowd-${n}`)
    // All of them observe, too: with a signal for each join and leave to each of them it would be thousands.
    const crowd = await Promise.all(names.map((name, n) => connect(n % 3, name, [topic])))
    await Promise.all(crowd.map((sink) => ask(sink, topic)))
    await eventually(() => heard(observer, topic).length >= names.length, 'all joins')
    expect(new Set(heard(observer, topic))).toEqual(new Set(names.map((name) => `+${name}`)))
    await sees(observer, topic, ...names)
    for (const sink of crowd) sink.close()
    await eventually(() => heard(observer, topic).filter((word) => word.startsWith('-')).length >= names.length, 'all leaves')
    expect(await watchersOf(observer, topic)).toEqual([])
    expect(observer.signals.length).toBeLessThan(names.length)
    return crowd.reduce((sum, { signals }) => sum + signals.length, 0)
  })
  expect(counted.result).toBeLessThan(100 * 20)
  expect(counted.updates).toBeLessThan(100)
  expect(counted.updates).toBeGreaterThan(0)
}, 60_000)

test('what the store lost of the roster is written again by whoever is connected', async () => {
  const topic = freshTopic()
  const sinks = [await connect(0, 'ann', [topic]), await connect(1, 'ben', [topic])]
  await sees(sinks[0]!, topic, 'ann', 'ben')
  const client = await createClient({ url: cluster.redis.url }).connect()
  const keys = (await client.keys(`hubbub:*:*:watch default/${topic}`)).sort()
  expect(keys).toEqual([expect.stringContaining(':holders:'), expect.stringContaining(':roster:')])
  await client.del(keys)
  client.destroy()
  await sees(sinks[0]!, topic, 'ann', 'ben')
})

test('the watchers of a worker that is killed vanish, and each is told once; those of a frozen one come back with it', async () => {
  const topic = freshTopic()
  const doomed = await cluster.addWorker()
  const place = cluster.workers.length - 1
  const observers = [await connect(0, 'left-hand'), await connect(2, 'right-hand')]
  for (const observer of observers) await ask(observer, topic)
  const survivor = await connect(1, 'ann', [topic])
  for (const subject of ['ann', 'ben', 'cat']) (await connect(place, subject, [topic])).socket.io.reconnection(false)
  for (const observer of observers) await hears(observer, topic, '+cat')
  await doomed.kill('SIGSTOP')
  // Asked while it is frozen, and answered all the same.
  expect(await watchersOf(observers[0]!, topic)).toEqual(['ann', 'ben', 'cat'])
  for (const observer of observers) await hears(observer, topic, '-ben')
  await sees(observers[0]!, topic, 'ann')
  await doomed.kill('SIGCONT')
  await eventually(() => heard(observers[1]!, topic).filter((word) => word === '+ben').length === 2, 'ben coming back with the worker')
  await sees(observers[0]!, topic, 'ann', 'ben', 'cat')
  const before = observers.map((observer) => heard(observer, topic).length)
  await doomed.kill('SIGKILL')
  for (const observer of observers) {
    await hears(observer, topic, '-cat')
    await eventually(() => heard(observer, topic).filter((word) => word === '-ben').length === 2, 'ben vanishing')
  }
  survivor.close()
  for (const observer of observers) await hears(observer, topic, '-ann')
  expect(observers.map((observer, n) => heard(observer, topic).slice(before[n]).sort())).toEqual([['-ann', '-ben', '-cat'], ['-ann', '-ben', '-cat']])
}, 60_000)

/** Updates of the roster that Redis was given meanwhile. */
async function countCommands<T>(run: () => Promise<T>): Promise<{ result: T; updates: number }> {
  const client = await createClient({ url: cluster.redis.url }).connect()
  const monitor = await client.duplicate().connect()
  let updates = 0
  await monitor.monitor((line) => {
    // A sweep has no number behind the time to live, and what a script does itself is no EVALSHA.
    if (/"evalsha" "[0-9a-f]+" "2" "[^"]*roster:watch /i.test(line) && /"3600000" "\d+" /.test(line)) updates++
  })
  try {
    return { result: await run(), updates }
  } finally {
    monitor.destroy()
    client.destroy()
  }
}
