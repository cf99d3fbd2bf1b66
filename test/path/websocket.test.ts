/** Plain WebSockets on hubs as operators run them: another worker, a cut, a kill, a stop; and clients that do not read (I1, I2, I7, I8). */
import type { EventInput } from '@hubbub/protocol'
import { plainClient, type PlainClient, type Told } from '../gateway/plainClient.js'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { startProxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'

const MB = 1024 * 1024
const SERVICE = token({ sub: 'engine', role: 'service' })
const VIEWER = token({ sub: 'viewer', role: 'viewer' })

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ workers: 2, processors: 1, env: { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_WINDOW_BYTES: String(2 * MB), HUBBUB_PRESENCE_MS: '50', HUBBUB_GRACE_MS: '50', HUBBUB_REVOCATION_POLL_MS: '200' } })
}, 60_000)
afterAll(() => cluster?.stop('kill'))

const worker = (at: number): HubProcess => cluster.workers[at]!

async function publish(url: string, inputs: EventInput[]): Promise<void> {
  const { body } = await ask(`${url}/api/v1/events`, { as: SERVICE, json: inputs })
  expect((body['results'] as { ok: boolean }[]).every(({ ok }) => ok)).toBe(true)
}

interface Placed {
  id: string
  cursor: string
  name?: string
}
const payloadOf = ({ payload }: Told) => payload as Placed & Record<string, unknown>
const placed = ({ told }: PlainClient): Placed[] => told.filter(({ type }) => type === 'event').map(payloadOf)
const ids = (client: PlainClient) => placed(client).map(({ id }) => id)
const answerTo = (id: string) => (message: Told) => message['id'] === id

/** Numbered from 0 in the order of their publishing. */
function series(name: string, size = 0) {
  let next = 0
  const input = (): EventInput => ({ id: `${name}-${next++}`, type: 'task.progress', data: { taskId: name, progress: 1, ...(size > 0 && { message: 'x'.repeat(size) }) } })
  return {
    take: (count: number) => Array.from({ length: count }, input),
    all: () => Array.from({ length: next }, (_, at) => `${name}-${at}`),
  }
}

/** What any client of `/ws` does: it comes back with its topics and the last cursor that it was told. */
class Returning {
  private readonly clients: PlainClient[] = []

  constructor(private readonly topic: string) {}

  async come(url: string): Promise<PlainClient> {
    const since = this.cursor()
    const client = await plainClient(url, `/ws?topics=${this.topic}${since === undefined ? '' : `&since=${since}`}`, { as: VIEWER })
    this.clients.push(client)
    return client
  }

  ids(): string[] {
    return this.clients.flatMap(ids)
  }

  gaps(): Told[] {
    return this.clients.flatMap((client) => client.all(({ type }) => type === 'gap'))
  }

  private cursor(): string | undefined {
    return this.clients.flatMap(({ told }) => told.filter(({ type }) => type === 'event' || type === 'cursor').map((message) => payloadOf(message).cursor)).at(-1)
  }
}

test('signals, presence and revocation reach it on another worker', async () => {
  const [one, two] = [await plainClient(worker(0).url, '/ws?topics=task:far', { as: token({ sub: 'ann', role: 'service' }) }), await plainClient(worker(1).url, '/ws?topics=task:far', { as: token({ sub: 'ben', role: 'service', iat: Math.floor(Date.now() / 1000) - 5 }) })]
  const project = await plainClient(worker(1).url, '/ws/default', { as: VIEWER })
  const task = await plainClient(worker(1).url, '/ws/tasks/far', { as: VIEWER })
  one.say({ type: 'signal', id: 's', payload: { topic: 'task:far', name: 'blink', data: 7 } })
  expect(await one.hears(answerTo('s'))).toMatchObject({ type: 'answer' })
  expect(await two.hears(({ type }) => type === 'signal')).toMatchObject({ payload: { name: 'blink', data: 7 } })
  expect(await project.hears(({ type }) => type === 'signal')).toMatchObject({ signal: { name: 'blink' } })
  expect(await task.hears((message) => message['event_type'] === 'signal')).toMatchObject({ data: { name: 'blink' } })

  await eventually(async () => {
    one.say({ type: 'presence', id: 'p', payload: { topic: 'task:far', watch: true } })
    const { watchers } = payloadOf(await one.hears(answerTo('p'))) as unknown as { watchers: { subject: string }[] }
    return ['ann', 'ben', 'viewer'].every((name) => watchers.some(({ subject }) => subject === name))
  }, 'all three in the presence')
  expect((await ask(`${worker(0).url}/api/v1/revocations`, { as: token(), json: { subject: 'ben' } })).body.ok).toBe(true)
  expect(await two.end()).toMatchObject({ code: 1008 })
  await one.hears((message) => payloadOf(message)?.name === 'presence.changed' && JSON.stringify(message).includes('"left":["ben"]'))
})

test('what it misses while it is cut off comes on another worker, in order and once', async () => {
  const proxy = await startProxy({ port: worker(0).port })
  const client = new Returning('task:cut')
  const events = series('cut')
  try {
    await client.come(`http://127.0.0.1:${proxy.port}`)
    for (let round = 0; round < 6; round++) {
      await publish(worker(1).url, events.take(20))
      const cutting = publish(worker(1).url, events.take(50))
      proxy.cut('reset')
      await publish(worker(0).url, events.take(20))
      await cutting
      proxy.retarget(worker(round % 2 === 0 ? 1 : 0).port)
      await client.come(`http://127.0.0.1:${proxy.port}`)
    }
    await publish(worker(0).url, events.take(10))
    await eventually(() => client.ids().length >= events.all().length, 'all that was published')
    expect([...client.ids()].sort()).toEqual([...events.all()].sort())
    // Within a batch the order is the producer's; between the two producers of a round it is the journal's.
    const history = await ask(`${worker(0).url}/api/v1/history?topics=task:cut&since=all&limit=1000`, { as: VIEWER })
    expect(client.ids()).toEqual((history.body['events'] as { event: { id: string } }[]).map(({ event }) => event.id))
    expect(client.gaps()).toEqual([])
  } finally {
    await proxy.close()
  }
}, 40_000)

test('a client that does not read falls back to the journal: the worker holds little for it, and it gets all', async () => {
  const events = series('slow', 50_000)
  const slow = await Promise.all(Array.from({ length: 10 }, () => plainClient(worker(1).url, '/ws?topics=task:slow', { as: VIEWER })))
  const quick = await plainClient(worker(1).url, '/ws?topics=task:slow', { as: VIEWER })
  await publish(worker(0).url, events.take(20))
  await eventually(() => [...slow, quick].every((client) => ids(client).length === 20), 'the first events')
  for (const { socket } of slow) socket.pause()
  const before = await residentMb(worker(1))
  for (let round = 0; round < 40; round++) await publish(worker(0).url, events.take(20))
  await eventually(() => ids(quick).length === 820, 'what the quick one gets', 20_000)
  expect(await metric(worker(1), 'hubbub_catchups_total{cause="slow"}')).toBeGreaterThanOrEqual(10)
  // 41 MB for each of them would be 410.
  expect((await residentMb(worker(1))) - before).toBeLessThan(120)
  for (const { socket } of slow) socket.resume()
  await eventually(() => slow.every((client) => ids(client).length === 820), 'all, for the slow ones', 30_000)
  for (const client of slow) expect(ids(client)).toEqual(events.all())
}, 90_000)

test('one that asks for all that was and does not read costs a page, and gets all when it reads', async () => {
  const events = series('past', 50_000)
  for (let round = 0; round < 20; round++) await publish(worker(0).url, events.take(20))
  const slow = await Promise.all(Array.from({ length: 20 }, () => plainClient(worker(1).url, '/ws', { as: VIEWER })))
  const before = await residentMb(worker(1))
  for (const client of slow) {
    client.socket.pause()
    client.say({ type: 'subscribe', id: 'all', payload: { topics: ['task:past'], since: 'all' } })
  }
  // Something new passes behind what they asked for.
  await publish(worker(0).url, events.take(20))
  const quick = await plainClient(worker(1).url, '/ws?topics=task:past&since=all', { as: VIEWER })
  await eventually(() => ids(quick).length === 420, 'all, for the quick one', 60_000)
  // 20 MB for each of them would be 400.
  expect((await residentMb(worker(1))) - before).toBeLessThan(150)
  for (const { socket } of slow) socket.resume()
  await Promise.all(slow.map((client) => client.hears(answerTo('all'))))
  await eventually(() => slow.every((client) => ids(client).length === 420), 'all, for the slow ones', 60_000)
  for (const client of slow) expect(ids(client)).toEqual(events.all())
}, 180_000)

test('one that asks on and on and does not read is not heard meanwhile, and then answered', async () => {
  await publish(worker(0).url, Array.from({ length: 16 }, (_, at): EventInput => ({ type: 'task.created', data: { taskId: `large-${at}`, title: 'x'.repeat(50_000) }, topics: ['pipeline:large'] })))
  const asking = await plainClient(worker(1).url, '/ws', { as: VIEWER })
  asking.say({ type: 'snapshot', id: 'first', payload: { topics: ['task:large-*'] } })
  expect(JSON.stringify(await asking.hears(answerTo('first'))).length).toBeGreaterThan(0.75 * MB)
  asking.socket.pause()
  const before = await residentMb(worker(1))
  for (let at = 0; at < 400; at++) asking.say({ type: 'snapshot', id: `q${at}`, payload: { topics: ['task:large-*'] } })
  const other = await plainClient(worker(1).url, '/ws', { as: VIEWER })
  // Answered behind all that are worked on.
  other.say({ type: 'snapshot', id: 'behind', payload: { topics: ['task:large-*'] } })
  await other.hears(answerTo('behind'))
  // 400 answers would be 300 MB.
  expect((await residentMb(worker(1))) - before).toBeLessThan(150)
  asking.socket.resume()
  await eventually(() => asking.all(({ id }) => /^q\d+$/.test(String(id))).length === 400, 'all the answers', 40_000)
}, 90_000)

test('a worker that stops closes with 1012, one that is killed says nothing: either way nothing is lost', async () => {
  const client = new Returning('task:moving')
  const events = series('moving')
  const spare = await cluster.addWorker()
  const doomed = await cluster.addWorker()
  const first = await client.come(spare.url)
  await publish(worker(0).url, events.take(30))
  const stopping = spare.stop()
  await publish(worker(0).url, events.take(30))
  expect(await first.end()).toEqual({ code: 1012, reason: 'Server shutting down' })
  expect(await stopping).toBe(0)
  const second = await client.come(doomed.url)
  const during = publish(worker(0).url, events.take(100))
  await doomed.kill('SIGKILL')
  await during
  expect(await second.end()).toMatchObject({ code: 1006 })
  await client.come(worker(1).url)
  await publish(worker(0).url, events.take(10))
  await eventually(() => client.ids().length >= 170, 'all that was published')
  expect(client.ids()).toEqual(events.all())
  expect(client.gaps()).toEqual([])
}, 60_000)

async function metric({ url }: HubProcess, name: string): Promise<number> {
  const { text } = await ask(`${url}/metrics`)
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}

async function residentMb(hub: HubProcess): Promise<number> {
  return (await metric(hub, 'process_resident_memory_bytes')) / MB
}
