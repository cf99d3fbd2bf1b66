/**
 * An agent's mail across workers (I2, I8): what was written while it was away is there when it comes back, to its session or to a fresh
 * one, on whatever worker, in order. Real processes, a real Redis.
 */
import { createClient } from 'redis'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

/** Trims soon, and marks soon. */
const ENV = { HUBBUB_RETENTION_MS: '1000', HUBBUB_RETENTION_COUNT: '300', HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_LOG_LEVEL: 'error' }

let cluster: Cluster
let redis: ReturnType<typeof createClient>
let planner: Sink
let names = 0

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, processors: 1, partitions: 1, env: ENV })
  redis = createClient({ url: cluster.redis.url })
  redis.on('error', () => {})
  await redis.connect()
  planner = await stockClient(cluster.workers[0]!.url, { token: token({ sub: 'planner', role: 'service' }) })
}, 60_000)
afterAll(async () => {
  planner?.close()
  redis?.destroy()
  await cluster?.stop()
}, 60_000)

interface Coder {
  name: string
  connect(worker: { url: string }, client?: Parameters<typeof stockClient>[1]): Promise<Sink>
  /** Mail, by the planner; answers the offset of the last. */
  write(...ids: string[]): Promise<string>
  /** Until its mark stands at the offset or behind it. */
  marked(offset: string): Promise<void>
}

function coder(): Coder {
  const name = `coder-${++names}`
  const mark = () => redis.get(`hubbub:{p0}:mail:default/${name}`)
  return {
    name,
    connect: (worker, options) => stockClient(worker.url, { token: token({ sub: name, role: 'agent' }), ...options }),
    async write(...ids) {
      let offset = ''
      for (const id of ids) {
        const answer = (await planner.socket.emitWithAck('publish', { id: `${name} ${id}`, type: 'custom.letter', data: {}, topics: [`inbox:${name}`] })) as { offset: string }
        offset = answer.offset
      }
      return offset
    },
    async marked(offset) {
      const number = (text: string) => text.split('-').map(Number) as [number, number]
      await eventually(async () => {
        const [[ms, seq], [wantedMs, wantedSeq]] = [number((await mark())?.split('.')[1] ?? '0-0'), number(offset)]
        return ms > wantedMs || (ms === wantedMs && seq >= wantedSeq)
      }, `the mark of ${name}`)
    },
  }
}

/** The first one lives as long as the cluster. */
const workers = (): [HubProcess, HubProcess] => [cluster.workers[0]!, cluster.workers.at(-1)!]
const letters = (sink: Sink, { name }: Coder) => sink.events.filter(({ type }) => type === 'custom.letter').map(({ event }) => event.id.slice(name.length + 1))
/** Cursors as the stock client heard them, bookmarks included. */
function rises(sink: Sink): void {
  const offsets = sink.events.map(({ cursor }) => cursor.split('.')[1]!.split('-').map(Number) as [number, number])
  const sorted = [...offsets].sort(([a, x], [b, y]) => a - b || x - y)
  expect(offsets).toEqual(sorted)
}

/** Events of nobody's concern, until the journal no longer reaches back to the offset. */
async function pushOut(offset: string): Promise<void> {
  await eventually(async () => {
    await planner.socket.emitWithAck('publish', Array.from({ length: 50 }, () => ({ type: 'custom.filler', data: {} })))
    const first = (await redis.xRange('hubbub:{p0}:journal', '-', '+', { COUNT: 1 }))?.[0]
    return first !== undefined && Number(first.id.split('-')[0]) > Number(offset.split('-')[0])
  }, 'the journal being trimmed')
}

test('two delegations made while an agent was away come once each, in order, to a fresh session on another worker', async () => {
  const agent = coder()
  const [here, there] = workers()
  const before = await agent.connect(here)
  const first = await agent.write('early')
  await before.holds(1)
  before.close()
  await agent.marked(first)
  await agent.write('one', 'two')
  const after = await agent.connect(there)
  await after.holds(2)
  await agent.write('three')
  await after.holds(3)
  expect(letters(after, agent)).toEqual(['one', 'two', 'three'])
  expect(after.gaps).toEqual([])
  rises(after)
  after.close()
})

test('they come once each to a session that is resumed on another worker', async () => {
  const agent = coder()
  const [here, there] = workers()
  const way: Proxy = await startProxy({ port: here.port })
  const sink = await agent.connect({ url: `http://127.0.0.1:${way.port}` })
  await agent.write('early')
  await sink.holds(1)
  way.refuse(true)
  way.cut('reset')
  await agent.write('one', 'two')
  way.retarget(there.port)
  way.refuse(false)
  await sink.holds(3)
  await agent.write('three')
  await sink.holds(4)
  expect(letters(sink, agent)).toEqual(['early', 'one', 'two', 'three'])
  expect(sink.connections.map(({ recovered }) => recovered)).toEqual([false, true])
  expect(sink.gaps).toEqual([])
  rises(sink)
  sink.close()
  await way.close()
})

test('a mark moves on while the agent is connected, with mail and without; a killed worker costs a repetition at most, never a loss', async () => {
  const agent = coder()
  const [, there] = workers()
  const before = await agent.connect(there)
  const offset = await agent.write('handed over')
  await before.holds(1)
  await agent.marked(offset)
  // Nothing for this agent: its mark follows all the same, or it would be trimmed past.
  const { offset: later } = (await planner.socket.emitWithAck('publish', { type: 'custom.filler', data: {} })) as { offset: string }
  await agent.marked(later)
  before.socket.disconnect()
  const again = await agent.connect(there)
  await agent.write('last')
  await again.holds(1)
  await there.kill('SIGKILL')
  expect(letters(again, agent)).toEqual(['last'])
  again.close()
  await cluster.addWorker()
  await agent.write('one', 'two')
  const after = await agent.connect(workers()[1])
  await eventually(() => letters(after, agent).includes('two'), 'the last mail')
  expect([['one', 'two'], ['last', 'one', 'two']]).toContainEqual(letters(after, agent))
  after.close()
}, 60_000)

test('mail that was trimmed before the agent came back may be lost: it is told of a gap, and only then', async () => {
  const agent = coder()
  const [here, there] = workers()
  const before = await agent.connect(here)
  const offset = await agent.write('early')
  await before.holds(1)
  await agent.marked(offset)
  before.close()
  await pushOut(await agent.write('lost'))
  await agent.write('kept')
  const after = await agent.connect(there)
  await after.holds(1)
  expect(letters(after, agent)).toEqual(['kept'])
  expect(after.gaps.map(({ reason }) => reason)).toEqual(['trimmed'])
  after.close()

  // An agent that nobody knew cannot have lost anything that it was promised.
  const stranger = await coder().connect(there)
  expect(stranger.gaps).toEqual([])
  stranger.close()
})

test('a wildcard subscription made while old mail is read counts from then on, and cursors only rise', async () => {
  const agent = coder()
  const [here, there] = workers()
  const before = await agent.connect(here)
  const first = await agent.write('early')
  await before.holds(1)
  before.close()
  await agent.marked(first)
  await agent.write(...Array.from({ length: 20 }, (_, n) => `old ${n}`))
  await planner.socket.emitWithAck('publish', { id: `${agent.name} aside`, type: 'custom.aside', data: {}, topics: ['task:1'] })
  const after = await agent.connect(there, { topics: ['*'] })
  await agent.write('new')
  await planner.socket.emitWithAck('publish', { id: `${agent.name} heard`, type: 'custom.aside', data: {}, topics: ['task:1'] })
  await eventually(() => after.ids().includes(`${agent.name} heard`), 'the last event')
  expect(letters(after, agent)).toEqual([...Array.from({ length: 20 }, (_, n) => `old ${n}`), 'new'])
  expect(after.ids()).not.toContain(`${agent.name} aside`)
  expect(new Set(after.ids()).size).toBe(after.ids().length)
  rises(after)
  after.close()
})

test('many fresh sessions, each with mail of before, all get theirs and nobody another\'s (I6)', async () => {
  const agents = Array.from({ length: 30 }, coder)
  await Promise.all(agents.map((agent) => agent.write('one', 'two')))
  const sinks = await Promise.all(agents.map((agent, place) => agent.connect(workers()[place % 2]!)))
  await Promise.all(sinks.map((sink) => sink.holds(2)))
  await Promise.all(agents.map((agent) => agent.write('three')))
  await Promise.all(sinks.map((sink) => sink.holds(3)))
  for (const [place, agent] of agents.entries()) expect(sinks[place]!.ids()).toEqual(['one', 'two', 'three'].map((id) => `${agent.name} ${id}`))
  for (const sink of sinks) sink.close()
})
