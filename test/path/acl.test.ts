/**
 * A hub under the least privilege that is shipped (`k8s/redis/users.acl`): a life of everything that reaches Redis, on each adapter, and
 * Redis refused nothing of it.
 */
import type { CommandCall } from '@hubbub/protocol'
import { startReceiver, type Receiver } from '../gateway/sinksReceiver.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { stockClient } from '../harness/sink.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { startAclRedis, type AclRedis } from '../store/redis/aclRedis.js'

const ENV = {
  HUBBUB_LOG_LEVEL: 'debug', HUBBUB_SINK_PRIVATE: 'allow', HUBBUB_SINK_HTTP: 'allow', HUBBUB_RETENTION_COUNT: '10', HUBBUB_RETENTION_MS: '500', HUBBUB_SEEN_MS: '1000', HUBBUB_SEEN_COUNT: '1000', HUBBUB_WORKER_MS: '1500',
  HUBBUB_HEARTBEAT_MS: '500', HUBBUB_STALE_MS: '1000', HUBBUB_OFFLINE_MS: '1500', HUBBUB_GITHUB_SECRET: 'secret', HUBBUB_ACCEPT_MS: '500', HUBBUB_FINISHED_COUNT: '1', HUBBUB_GRACE_MS: '100', HUBBUB_MESSAGE_RATE: '10000',
}
const ADMIN = token({ sub: 'ann', projects: ['*'], project: 'default' })
const SERVICE = token({ sub: 'engine', role: 'service' })

let acl: AclRedis
let hubs: HubProcess[] = []
let receiver: Receiver

beforeAll(async () => {
  acl = await startAclRedis()
  receiver = await startReceiver()
})
afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.kill('SIGKILL')))
})
afterAll(async () => {
  await receiver?.shut()
  await acl?.stop()
})

/** Answers the body; whatever is refused ends the test. */
async function call(path: string, json?: object, method?: string, as = SERVICE): Promise<Record<string, unknown>> {
  const told = await ask(`${hubs[0]!.url}/api/v1${path}`, { as, json, method })
  if (told.status >= 400) throw new Error(`${path}: ${told.status} ${told.text}`)
  return told.body
}

async function publishAndRead(): Promise<void> {
  const sink = await stockClient(hubs[1]!.url, { token: ADMIN, topics: ['task:*'], since: 'all' })
  const before = sink.events.length
  for (let n = 0; n < 40; n++) await call('/events', { type: 'task.progress', data: { taskId: 't', progress: n } })
  await sink.holds(before + 40)
  // Comes back by its session, and asks for the past.
  sink.socket.io.engine.close()
  await eventually(() => sink.connections.length > 1, 'the connection coming back')
  await call('/history?topics=task:t&since=all')
  await call('/history?topics=task:*&last=5')
  await call('/snapshot?topics=task:*')
  const { id } = sink.events.at(-1)!.event
  await call(`/trace/${id}`, undefined, 'GET', ADMIN)
  await acl.send('hubbub-writer', 'XADD', 'hubbub:{p0}:source:workflows', '*', 'event', '{"broken"')
  await eventually(async () => ((await call('/dead', undefined, 'GET', ADMIN))['letters'] as unknown[])?.length > 0, 'a dead letter')
}

async function signalAndCommand(): Promise<void> {
  const [near, far] = await Promise.all(hubs.map(({ url }) => tap(url, { auth: { token: ADMIN } })))
  const heard: unknown[] = []
  far!.socket.on('signal', (signal) => heard.push(signal))
  await far!.must('subscribe', { topics: ['task:room'] })
  far!.socket.on('command', (_call: CommandCall, answer: (told: unknown) => void) => answer({ ok: true, result: 1 }))
  await far!.must('command.handle', { commands: ['build'] })
  await near!.must('presence', { topic: 'task:room', watch: true })
  await eventually(async () => {
    await near!.must('signal', { topic: 'task:room', name: 'hello' })
    return heard.length > 0
  }, 'a signal from the other worker')
  expect(await near!.must('command', { command: 'build' })).toMatchObject({ result: 1 })
  await call('/broadcasts', { name: 'all', data: {} })
  await call('/signals', { topic: 'task:room', name: 'by-http' })
  near!.close()
  far!.close()
}

async function workAndDeliver(): Promise<void> {
  const agent = await tap(hubs[0]!.url, { auth: { token: token({ sub: 'coder', role: 'agent' }) } })
  await agent.must('publish', { type: 'agent.registered', data: { agentType: 'coder', capabilities: ['test'] } })
  await call('/tasks', { type: 'test', requires: ['test'] })
  await call('/tasks', { type: 'test', requires: ['nobody'], deadline: new Date(Date.now() + 300).toISOString() })
  const { id } = await call('/sinks', { url: receiver.url, topics: ['project', 'task:*'] })
  const before = receiver.taken.length
  await call('/events', { type: 'task.progress', data: { taskId: 't2', progress: 1 } })
  await receiver.holds(before + 1)
  await call(`/sinks/${String(id)}/pause`, {})
  await call(`/sinks/${String(id)}/resume`, {})
  await call(`/sinks/${String(id)}`, undefined, 'DELETE')
  agent.close()
}

async function administer(): Promise<void> {
  const { id } = await call('/keys', { subject: 'bot', role: 'viewer', projects: ['default'] }, 'POST', ADMIN)
  await call('/keys', undefined, 'GET', ADMIN)
  await call(`/keys/${String(id)}`, undefined, 'DELETE', ADMIN)
  await call('/revocations', { subject: 'gone' }, 'POST', ADMIN)
  const { id: tapId } = await call('/taps', { topic: 'task:t', seconds: 60 }, 'POST', ADMIN)
  await call(`/taps/${String(tapId)}`, undefined, 'DELETE', ADMIN)
  const [letter] = (await call('/dead', undefined, 'GET', ADMIN))['letters'] as { partition: number; id: string }[]
  await call(`/dead/${letter!.partition}/${letter!.id}/replay`, {}, 'POST', ADMIN)
  await call('/overview', undefined, 'GET', ADMIN)
  await call('/status')
}

async function start(adapter: string): Promise<void> {
  hubs = await Promise.all([0, 1].map(() => startHub({ redis: acl.urlOf('hubbub'), args: ['--adapter', adapter, '--partitions', '2'], env: ENV })))
}

async function endsUnrefused(): Promise<void> {
  expect(await Promise.all(hubs.map((hub) => hub.stop()))).toEqual([0, 0])
  expect(await acl.denials()).toEqual([])
  for (const hub of hubs) expect(hub.stdout() + hub.stderr()).not.toMatch(/NOPERM|can't run this command|can't access/)
}

test('with the adapter that is the default: events, replay, signals, commands, work, sinks, administration, housekeeping', async () => {
  await start('sharded')
  await publishAndRead()
  await signalAndCommand()
  await workAndDeliver()
  await administer()
  // Trimmed, rotated, timed out, given up: what housekeeping and clocks do.
  const kept = () => Promise.all([0, 1].map((partition) => acl.send('admin', 'XLEN', `hubbub:{p${partition}}:journal`) as Promise<number>))
  await eventually(async () => Math.max(...(await kept())) <= 20, 'trimming', 15_000)
  await eventually(async () => (await call('/agents/coder'))['status'] === 'offline', 'the agent being given up', 15_000)
  await endsUnrefused()
}, 60_000)

test.each(['pubsub', 'streams'])('with the adapter %s: signals and commands between workers', async (adapter) => {
  await start(adapter)
  await signalAndCommand()
  await endsUnrefused()
}, 30_000)
