/** Agents, tasks, commands and state as users have them: the SDK on a real hub. */
import { connect, HubError, type AgentOptions, type Client, type EntityView, type TaskHandler } from '@hubbub/client'
import { createHub, signToken, type Hub } from '@hubbub/server'
import { silent } from '../../server/src/observe/log.js'
import { eventually } from '../harness/eventually.js'

const secret = 'of this test only, but long enough to be one'

describe('the SDK on a real hub', () => {
  let hub: Hub
  const clients: Client[] = []

  const open = (sub: string, role: 'agent' | 'service' | 'viewer'): Client => {
    const client = connect(hub.url, { token: signToken(secret, { sub, role }, '1h'), reconnect: { minMs: 10, maxMs: 100 } })
    clients.push(client)
    return client
  }
  const hire = async (id: string, options: AgentOptions, handler: TaskHandler): Promise<Client> => {
    const client = open(id, 'agent')
    await client.agent({ id, ...options }).onTask(handler).ready()
    return client
  }

  beforeAll(async () => {
    hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: secret, heartbeatMs: 200, retryMs: 50, cancelMs: 5000 } })
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })
  afterAll(() => hub.close())

  it('gives a task to an agent that can do it, and its result to whoever waits', async () => {
    await hire('writer', { type: 'writer', capabilities: ['prose'] }, () => 'a page')
    await hire('coder', { type: 'coder', capabilities: ['ts'] }, async (task, { progress }) => {
      await progress(50, 'half')
      return { done: task.parameters['what'] }
    })
    const boss = open('boss', 'service')
    const task = await boss.tasks.create({ type: 'code', requires: ['ts'], parameters: { what: 'tests' } })
    await expect(boss.tasks.wait(task.id)).resolves.toMatchObject({ status: 'completed', agentId: 'coder', result: { done: 'tests' }, managed: true })
    expect(await boss.tasks.list({ status: 'completed', agentId: 'coder' })).toMatchObject([{ id: task.id }])
  })

  it('tells why a task failed', async () => {
    await hire('clumsy', { capabilities: ['juggling'] }, () => {
      throw new Error('dropped it')
    })
    const boss = open('boss', 'service')
    const { id } = await boss.tasks.create({ type: 'juggle', requires: ['juggling'] })
    await expect(boss.tasks.wait(id)).resolves.toMatchObject({ status: 'failed', error: expect.stringContaining('dropped it') })
  })

  it('has an agent stop what is cancelled', async () => {
    let stopped: unknown
    await hire('patient', { capabilities: ['waiting'] }, (_task, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve((stopped = signal.reason)))))
    const boss = open('boss', 'service')
    const { id } = await boss.tasks.create({ type: 'wait', requires: ['waiting'] })
    const live = await boss.watch(`task:${id}`)
    await eventually(() => live.get('task', id)?.status === 'accepted')
    await expect(boss.tasks.cancel(id, 'enough')).resolves.toMatchObject({ id, status: 'cancelled' })
    expect(stopped).toBeInstanceOf(HubError)
  })

  it('works off more than an agent takes at once, each task once', async () => {
    const done: string[] = []
    await hire('busy', { capabilities: ['bulk'], concurrency: 3 }, async (task, { progress }) => {
      await progress(10)
      done.push(task.id)
      return task.id
    })
    const boss = open('boss', 'service')
    const live = await boss.watch('pipeline:bulk')
    const tasks = await Promise.all(Array.from({ length: 30 }, (_, n) => boss.tasks.create({ id: `bulk-${n}`, type: 'bulk', requires: ['bulk'], pipelineId: 'bulk' })))
    await eventually(() => live.list('task').filter(({ status }) => status === 'completed').length === tasks.length, 'all 30 completed', 20_000)
    expect([...done].sort()).toEqual(tasks.map(({ id }) => id).sort())
    // The same by two ways: folded here from the events, and by the hub.
    const byId = (views: readonly EntityView[]) => Object.fromEntries(views.map((view) => [`${view.kind} ${view.id}`, view]))
    await eventually(async () => {
      const { entities } = await boss.snapshot('pipeline:bulk')
      expect(byId([...live.list('task'), ...live.list('pipeline')])).toEqual(byId(entities))
      return true
    }, 'live state and snapshot are the same')
  })

  it('finds a task for an agent that was away when it was given', async () => {
    const boss = open('boss', 'service')
    const { id } = await boss.tasks.create({ type: 'late', agentId: 'sleeper' })
    const waiting = boss.tasks.wait(id)
    await hire('sleeper', {}, (task) => `${task.attempt}`)
    await expect(waiting).resolves.toMatchObject({ status: 'completed', agentId: 'sleeper', result: '1' })
  })

  it('gives the work of an agent that drains to another one', async () => {
    const first = open('one', 'agent')
    let release: (() => void) | undefined
    const agent = first.agent({ id: 'one', capabilities: ['pairs'], queue: 1 }).onTask(() => new Promise<string>((resolve) => (release = () => resolve('by one'))))
    await agent.ready()
    const boss = open('boss', 'service')
    const inHand = await boss.tasks.create({ type: 'x', requires: ['pairs'] })
    await eventually(() => release)
    const drained = agent.drain()
    const next = await boss.tasks.create({ type: 'x', requires: ['pairs'] })
    await hire('two', { capabilities: ['pairs'] }, () => 'by two')
    await expect(boss.tasks.wait(next.id)).resolves.toMatchObject({ result: 'by two' })
    release!()
    await drained
    await expect(boss.tasks.wait(inHand.id)).resolves.toMatchObject({ result: 'by one' })
  })

  it('has commands carried out by a client, and tells who nobody handles', async () => {
    const executor = open('executor', 'service')
    executor.handle('git.create_branch', (payload, { by }) => ({ payload, by }))
    const boss = open('boss', 'service')
    const result = await eventually(() => boss.command('create_branch', { name: 'fix' }))
    expect(result).toEqual({ payload: { name: 'fix' }, by: expect.stringContaining('boss') })
    executor.handle('fail', () => Promise.reject(new Error('cannot')))
    const failure = await eventually(() => boss.command('fail').catch((error: HubError) => error.code !== 'NO_EXECUTOR' && error))
    expect(failure).toMatchObject({ code: 'COMMAND_FAILED' })
    await expect(boss.command('unheard_of')).rejects.toMatchObject({ code: 'NO_EXECUTOR' })
  })

  it('reaches agents by what they are, and says who watches', async () => {
    const coder = await hire('caller', { capabilities: ['hearing'] }, () => null)
    const heard: unknown[] = []
    coder.onSignal(({ name, data }) => heard.push([name, data]))
    const boss = open('boss', 'service')
    await boss.ready()
    await expect(boss.broadcast({ name: 'pause', data: 1, to: { capabilities: ['hearing'] } })).resolves.toMatchObject({ reached: 1 })
    await eventually(() => heard.length === 1)
    const viewer = open('eve', 'viewer')
    await viewer.subscribe('task:watched')
    const watchers = await eventually(async () => {
      const found = await boss.presence('task:watched', { watch: false })
      return found.watchers.length > 0 && found.watchers
    })
    expect(watchers).toMatchObject([{ subject: 'eve', role: 'viewer' }])
  })

  it('refuses with the hub\'s codes', async () => {
    const viewer = open('eve', 'viewer')
    await expect(viewer.agent({ id: 'eve' }).ready()).rejects.toMatchObject({ code: expect.stringMatching(/AGENT_NOT_IDENTIFIED|INSUFFICIENT_PERMISSIONS/) })
    await expect(viewer.tasks.create({ type: 'x' })).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(viewer.command('anything')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(viewer.snapshot('inbox:coder')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(open('thief', 'agent').agent({ id: 'somebody-else' }).ready()).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
  })
})
