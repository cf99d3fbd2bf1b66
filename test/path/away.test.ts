/**
 * Agents that were away: what is delegated to them meanwhile waits in their mail and comes once each, in order, to a fresh client and
 * to a resumed session, on another worker. A minute is really a minute here, with the hub's own times: waiting is the subject. Whoever
 * is away for longer than he may has lost the delegation, and cannot take it any more.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, HubEvent, PublishResult, Task } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { ended, leash } from '../harness/leash.js'
import { startProxy } from '../harness/proxy.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const AWAY_MS = 60_000
const STEPS = new Set(['task.delegated', 'task.lease_lost', 'task.accepted', 'task.rejected', 'task.result', 'task.completed'])

let cluster: Cluster
const [here, there] = [() => cluster.workers[0]!, () => cluster.workers[1]!]
async function start(env: Record<string, string> = {}): Promise<void> {
  cluster = await startCluster({ workers: 2, processors: 1, env: { HUBBUB_LOG_LEVEL: 'warn', ...env } })
}

const SERVICE = token({ sub: 'engine', role: 'service' })
const tokenOf = (agent: string) => token({ sub: agent, role: 'agent' })

type Delegation = HubEvent<{ taskId: string; agentId: string; attempt: number; leaseToken: string }>

/** Mail as it came: type, and the task or the letter. */
const mail = (sink: Sink) => sink.events.map(({ type, event }) => `${type} ${(event.data as { taskId?: string }).taskId ?? event.id}`)
const delegations = (sink: Sink) => sink.events.filter(({ type }) => type === 'task.delegate').map(({ event }) => event as Delegation)
const say = (sink: Sink, type: string, data: object) => sink.socket.timeout(15_000).emitWithAck(type, data) as Promise<Answer<PublishResult>>

async function must(sink: Sink, type: string, data: object): Promise<void> {
  expect(await say(sink, type, data)).toMatchObject({ ok: true })
}

async function get<T>(path: string): Promise<T> {
  return (await ask(`${there().url}/api/v1/${path}`, { as: token() })).body as T
}

const taskAt = (id: string) => get<Task & Record<string, unknown>>(`tasks/${id}`)

async function historyOf(topic: string): Promise<HubEvent[]> {
  return (await get<{ events: { event: HubEvent }[] }>(`history?topics=${topic}&since=all`)).events.map(({ event }) => event)
}

/** Names its agent; resolves when it was offered to it. */
async function order(id: string, agentId: string): Promise<void> {
  const told = await ask(`${there().url}/api/v1/tasks`, { as: SERVICE, json: { id, type: 'fix', agentId } })
  expect([told.status, told.text]).toEqual([201, expect.any(String)])
  await eventually(async () => (await taskAt(id)).status === 'delegated', `the delegation of ${id}`)
}

async function write(agent: string, id: string): Promise<void> {
  const letter = { id: `${agent}-${id}`, type: 'custom.letter', data: {}, topics: [`inbox:${agent}`] }
  const told = await ask(`${there().url}/api/v1/events`, { as: SERVICE, json: letter })
  expect(told.status).toBe(201)
}

/** The hub knows that nobody reads its mail now. */
async function away(agent: string): Promise<void> {
  await eventually(async () => (await get<{ connections?: string[] }>(`agents/${agent}`)).connections?.length === 0, `the end of ${agent}'s connection`)
}

/** An agent on the stock client that registers, prints what it is sent, and can be killed. */
const PROGRAM = `
import { io } from 'socket.io-client'
const socket = io(process.env.AGENT_URL, { auth: { token: process.env.AGENT_TOKEN }, transports: ['websocket'] })
socket.onAny((type) => console.log(type))
socket.on('connect', async () => console.log((await socket.emitWithAck('agent.register', {})).ok ? 'registered' : 'refused'))
`

async function startAgent(url: string, agent: string): Promise<{ child: ChildProcess; prints(word: string): Promise<unknown> }> {
  const env = { ...process.env, NODE_OPTIONS: '', AGENT_URL: url, AGENT_TOKEN: tokenOf(agent) }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  leash(child)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const prints = (word: string) => eventually(() => output.includes(word), `${word} of ${agent}`)
  await Promise.race([prints('registered'), once(child, 'exit')])
  return { child, prints }
}

describe('two tasks that name an agent which is away for a minute', () => {
  beforeAll(() => start(), 60_000)
  afterAll(() => cluster?.stop('kill'), 60_000)

  test('come to it when it is back on another worker, once each and in order, to a fresh client and to a resumed session alike', async () => {
    const killed = await startAgent(here().url, 'killed')
    const way = await startProxy({ port: here().port })
    const cut = await stockClient(`http://127.0.0.1:${way.port}`, { token: tokenOf('cut') })
    await must(cut, 'agent.register', {})
    // What they had before is not to come again.
    for (const agent of ['killed', 'cut']) await write(agent, 'early')
    await killed.prints('custom.letter')
    await cut.holds(1)

    killed.child.kill('SIGKILL')
    await ended(killed.child)
    way.refuse(true)
    way.cut('reset')
    const left = Date.now()
    for (const agent of ['killed', 'cut']) await away(agent)
    for (const agent of ['killed', 'cut']) await order(`${agent}-1`, agent)
    await pause(AWAY_MS / 2)
    for (const agent of ['killed', 'cut']) await order(`${agent}-2`, agent)
    await pause(left + AWAY_MS - Date.now())
    for (const agent of ['killed', 'cut']) for (const n of [1, 2]) expect(await taskAt(`${agent}-${n}`)).toMatchObject({ status: 'delegated', agentId: agent, attempt: 1 })

    const fresh = await stockClient(there().url, { token: tokenOf('killed') })
    await must(fresh, 'agent.register', {})
    way.retarget(there().port)
    way.refuse(false)
    await work(fresh, 'killed')
    await work(cut, 'cut')
    expect(mail(fresh)).toEqual(['task.delegate killed-1', 'task.delegate killed-2', 'custom.letter killed-end'])
    expect(mail(cut)).toEqual(['custom.letter cut-early', 'task.delegate cut-1', 'task.delegate cut-2', 'custom.letter cut-end'])
    expect(fresh.connections.map(({ recovered }) => recovered)).toEqual([false])
    expect(cut.connections.map(({ recovered }) => recovered)).toEqual([false, true])
    expect([...fresh.gaps, ...cut.gaps]).toEqual([])
    fresh.close()
    cut.close()
    await way.close()
  }, AWAY_MS + 60_000)

  /** Takes both tasks and delivers, as their delegations say. */
  async function work(sink: Sink, agent: string): Promise<void> {
    await eventually(() => delegations(sink).length >= 2, `both delegations of ${agent}; there are ${mail(sink).join(', ')}`)
    for (const { data } of delegations(sink)) {
      const { taskId, leaseToken } = data
      expect(data).toMatchObject({ agentId: agent, attempt: 1 })
      await must(sink, 'task.accepted', { taskId, leaseToken })
      await must(sink, 'task.result', { taskId, leaseToken, result: { by: agent } })
      expect(await taskAt(taskId)).toMatchObject({ status: 'completed', agentId: agent, leaseToken, attempt: 1, tries: [], result: { by: agent } })
      const told = (await historyOf(`task:${taskId}`)).map(({ type }) => type)
      expect(told.filter((type) => STEPS.has(type))).toEqual(['task.delegated', 'task.accepted', 'task.result', 'task.completed'])
    }
    // Whatever was under way stands before it.
    await write(agent, 'end')
    await eventually(() => mail(sink).includes(`custom.letter ${agent}-end`), 'the last letter')
  }
})

describe('a task that names an agent which is away for longer than it may be', () => {
  const SOON = { HUBBUB_HEARTBEAT_MS: '500', HUBBUB_STALE_MS: '1500', HUBBUB_OFFLINE_MS: '3000', HUBBUB_ACCEPT_MS: '1000', HUBBUB_RETRY_MS: '500', HUBBUB_TASK_TRIES: '50' }
  beforeAll(() => start(SOON), 60_000)
  afterAll(() => cluster?.stop('kill'), 60_000)

  test('is lost to it: the mail that it finds cannot be accepted any more, and says so; what is delegated anew can', async () => {
    const before = await stockClient(here().url, { token: tokenOf('late') })
    await must(before, 'agent.register', {})
    before.close()
    await away('late')
    await order('missed', 'late')
    const { leaseToken: first } = await taskAt('missed')
    await eventually(async () => (await historyOf('task:missed')).some(({ type }) => type === 'task.lease_lost'), 'the end of its lease')

    const back = await stockClient(there().url, { token: tokenOf('late') })
    await eventually(() => back.events.some(({ type }) => type === 'execution.cancel'), 'the mail')
    // Nobody else is named: there may be further delegations behind these.
    expect(mail(back).slice(0, 2)).toEqual(['task.delegate missed', 'execution.cancel missed'])
    const found = back.events.slice(0, 2).map(({ event }) => event.data)
    expect(found).toMatchObject([{ attempt: 1, leaseToken: first }, { leaseToken: first, agentId: 'late', reason: 'not accepted in time' }])
    for (const report of ['task.accepted', 'task.progress', 'task.result']) {
      const answer = await say(back, report, { taskId: 'missed', leaseToken: first, progress: 1, result: {} })
      expect(answer).toMatchObject({ ok: false, error: { code: 'STALE_LEASE', retryable: false } })
    }

    // It gets the task anew, and beats meanwhile, lest it count as lost again.
    const { attempt, leaseToken } = await eventually(async () => {
      await must(back, 'agent.heartbeat', {})
      const latest = delegations(back).at(-1)!.data
      return latest.attempt > 1 && (await say(back, 'task.accepted', { taskId: 'missed', leaseToken: latest.leaseToken })).ok && latest
    }, 'a delegation that can be accepted', 20_000, 100)
    await must(back, 'task.result', { taskId: 'missed', leaseToken, result: {} })
    const task = await taskAt('missed')
    expect(task).toMatchObject({ status: 'completed', agentId: 'late', attempt })
    expect(task.tries[0]).toMatchObject({ attempt: 1, agentId: 'late', reason: 'not accepted in time' })
    expect(task.tries).toHaveLength(attempt - 1)
    const changes = (await historyOf('agent:late')).filter(({ type }) => type === 'agent.status_changed')
    const statuses = changes.map(({ data }) => (data as { status: string }).status).filter((status) => status !== 'stale')
    expect(statuses.slice(0, 2)).toEqual(['offline', 'idle'])
    back.close()
  }, 60_000)
})
