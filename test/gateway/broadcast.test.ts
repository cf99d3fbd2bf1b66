/** A signal to agents chosen by what they are and what they watch, over three workers. */
import type { BroadcastResult, Signal } from '@hubbub/protocol'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'

interface Listener extends Tap {
  heard: Signal[]
}

let cluster: Cluster
let sender: Tap
let agents: Record<'coder' | 'tester' | 'planner' | 'writer', Listener>
let others: Record<'viewer' | 'service' | 'stranger', Listener>

async function listener(worker: number, claims: Claims, topics: string[] = []): Promise<Listener> {
  const heard: Signal[] = []
  const connected = await tap(cluster.workers[worker]!.url, { auth: { token: token(claims) } })
  connected.socket.on('signal', (signal: Signal) => heard.push(signal))
  if (topics.length > 0) await connected.must('subscribe', { topics })
  return Object.assign(connected, { heard })
}

const agent = (worker: number, sub: string, claims: Claims, topics?: string[]) => listener(worker, { sub, role: 'agent', ...claims }, topics)
const send = (request: object) => sender.must<BroadcastResult>('broadcast', request)

/** Sends it, and answers the count and who heard it; whoever is to hear nothing hears what is sent to all of them afterwards. */
async function heardBy(request: { name: string } & Record<string, unknown>): Promise<{ reached: number; by: string[] }> {
  const { reached, complete } = await send(request)
  expect(complete).toBe(true)
  await send({ name: `after ${request.name}`.replace(/ /g, '.') })
  const all = Object.entries({ ...agents, ...others })
  await eventually(() => Object.values(agents).every(({ heard }) => heard.at(-1)?.name === `after.${request.name}`), 'the signal to everybody')
  return { reached, by: all.filter(([, { heard }]) => heard.some(({ name }) => name === request.name)).map(([name]) => name).sort() }
}

beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_MESSAGE_RATE: '10000', HUBBUB_MESSAGE_BURST: '10000', HUBBUB_WORKER_MS: '20000' } })
  sender = await tap(cluster.workers[0]!.url, { auth: { token: token({ sub: 'engine', role: 'service' }) } })
  agents = {
    coder: await agent(0, 'coder', { agentType: 'coder', capabilities: ['typescript', 'rust'] }, ['pipeline:p1']),
    tester: await agent(1, 'tester', { agentType: 'tester', capabilities: ['typescript'] }, ['pipeline:p1:stage:2']),
    planner: await agent(2, 'planner', { agentType: 'planner', capabilities: ['planning'] }, ['pipeline:*']),
    writer: await agent(2, 'writer', {}, ['task:t1']),
  }
  others = {
    viewer: await listener(1, { sub: 'dashboard', role: 'viewer' }, ['*']),
    service: await listener(1, { sub: 'engine-2', role: 'service', agentType: 'coder' }, ['*']),
    stranger: await agent(1, 'coder', { project: 'other', agentType: 'coder', capabilities: ['typescript'] }, ['*']),
  }
}, 60_000)
afterAll(async () => await cluster?.stop('kill'))

test('without a filter it reaches every agent of the project on every worker, and is counted', async () => {
  expect(await heardBy({ name: 'pause', data: { forMs: 5 } })).toEqual({ reached: 4, by: ['coder', 'planner', 'tester', 'writer'] })
  expect(agents.tester.heard[0]).toEqual({ topic: 'project', name: 'pause', data: { forMs: 5 }, source: '/services/engine', timestamp: expect.any(Number) })
})

test('it goes by type and by capability, of which one is enough', async () => {
  expect(await heardBy({ name: 'types', to: { agentTypes: ['coder', 'planner'] } })).toEqual({ reached: 2, by: ['coder', 'planner'] })
  expect(await heardBy({ name: 'skills', to: { capabilities: ['rust', 'planning'] } })).toEqual({ reached: 2, by: ['coder', 'planner'] })
  expect(await heardBy({ name: 'both', to: { agentTypes: ['tester', 'planner'], capabilities: ['typescript'] } })).toEqual({ reached: 1, by: ['tester'] })
  expect(await heardBy({ name: 'nobody', to: { agentTypes: ['painter'] } })).toEqual({ reached: 0, by: [] })
})

test('what an agent registered counts, whatever its token says', async () => {
  const late = await agent(1, 'late', { agentType: 'coder', capabilities: ['typescript'] })
  await late.must('agent.register', { agentType: 'painter', capabilities: ['drawing'] })
  const reached = async (to: object) => (await send({ name: 'registered', to })).reached
  expect(await reached({ agentTypes: ['painter'] })).toBe(1)
  expect(await reached({ capabilities: ['drawing'] })).toBe(1)
  expect(await reached({ agentTypes: ['coder'] })).toBe(1)
  late.close()
  await eventually(async () => (await reached({ agentTypes: ['painter'] })) === 0)
})

test('it goes to those who watch a pipeline, or its stage, by name or by pattern', async () => {
  expect(await heardBy({ name: 'pipeline', to: { pipelineId: 'p1' } })).toEqual({ reached: 2, by: ['coder', 'planner'] })
  expect(await heardBy({ name: 'stage', to: { pipelineId: 'p1', stage: 2 } })).toEqual({ reached: 2, by: ['planner', 'tester'] })
  expect(await heardBy({ name: 'elsewhere', to: { pipelineId: 'p2' } })).toEqual({ reached: 1, by: ['planner'] })
})

test('a connection can be left out', async () => {
  expect(await heardBy({ name: 'without', exceptConnection: agents.coder.socket.id })).toEqual({ reached: 3, by: ['planner', 'tester', 'writer'] })
})

test('another project hears nothing, and reaches nobody here (I6)', async () => {
  expect(others.stranger.heard).toEqual([])
  const foreign = await tap(cluster.workers[0]!.url, { auth: { token: token({ role: 'service', project: 'other' }) } })
  expect(await foreign.must<BroadcastResult>('broadcast', { name: 'foreign' })).toMatchObject({ reached: 1, complete: true })
  await eventually(() => others.stranger.heard.length === 1)
  await heardBy({ name: 'own' })
  for (const { heard } of Object.values(agents)) expect(heard.map(({ name }) => name)).not.toContain('foreign')
})

test('who may not signal the project is refused, and so is a filter that is none', async () => {
  const narrow = await tap(cluster.workers[0]!.url, { auth: { token: token({ role: 'service', permissions: ['signal:task:*'] }) } })
  expect(await narrow.call('broadcast', { name: 'x' })).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS', details: { needed: 'signal:project' } } })
  for (const request of [{}, { name: '1' }, { name: 'x', to: { agentType: ['coder'] } }, { name: 'x', to: { agentTypes: [] } }, { name: 'x', to: { stage: 1 } }]) {
    expect([request, await sender.call('broadcast', request)]).toEqual([request, expect.objectContaining({ ok: false, error: expect.objectContaining({ code: 'INVALID_MESSAGE' }) })])
  }
})

test('a frozen worker is not waited for: the count is then said to be the least', async () => {
  await cluster.workers[2]!.kill('SIGSTOP')
  expect(await send({ name: 'who.is.there' })).toEqual({ ok: true, reached: 2, complete: false })
  await cluster.workers[2]!.kill('SIGCONT')
  await eventually(async () => (await send({ name: 'again' })).complete)
})
