import type { Agent, AgentOptions, AgentTask, Client, HubError, TaskContext } from '@hubbub/client'
import { createFakeHub, type FakeDelegation, type FakeHub } from '@hubbub/client/testing'
import { eventually } from '../harness/eventually.js'

describe('an agent on the fake hub', () => {
  let hub: FakeHub
  let client: Client
  let errors: HubError[]

  const start = (options: AgentOptions = {}): Agent => client.agent({ id: 'coder-1', type: 'coder', capabilities: ['ts'], ...options })
  const said = (type: string) => hub.published.filter((request) => request.type === type).map(({ data }) => data as Record<string, unknown>)
  const kinds = ({ reports }: FakeDelegation): string[] => reports.map(({ type }) => type)

  /** A handler whose tasks wait for the test's word. */
  function desk() {
    const open = new Map<string, { task: AgentTask; context: TaskContext; resolve: (result?: unknown) => void; reject: (error: unknown) => void }>()
    const begun: string[] = []
    return {
      begun,
      handler: (task: AgentTask, context: TaskContext): Promise<unknown> => {
        begun.push(task.id)
        return new Promise((resolve, reject) => open.set(task.id, { task, context, resolve, reject }))
      },
      at: (id: string) => eventually(() => open.get(id), `work on ${id}`),
    }
  }

  beforeEach(() => {
    hub = createFakeHub()
    client = hub.client({ reconnect: { minMs: 1, maxMs: 5 } })
    errors = []
    client.onError((error) => errors.push(error))
  })
  afterEach(() => client.close())

  it('registers what it is, and again on every connection', async () => {
    const agent = start({ concurrency: 3 })
    expect(agent.state).toBe('registering')
    await expect(agent.ready()).resolves.toMatchObject({ agentId: 'coder-1', heartbeat: { intervalMs: 30_000 } })
    expect([agent.state, [...hub.agents.values()]]).toEqual(['active', [{ agentId: 'coder-1', agentType: 'coder', capabilities: ['ts'], maxTasks: 3 }]])
    hub.disconnect()
    expect(hub.agents.size).toBe(0)
    hub.reconnect()
    await eventually(() => hub.agents.has('coder-1'))
  })

  it('beats with its tasks and metrics, and a metric that throws does not stop it', async () => {
    const work = desk()
    let count = 0
    start({ metrics: () => ({ beats: ++count }) }).onTask(work.handler)
    await eventually(() => said('agent.heartbeat').length === 1)
    expect(said('agent.heartbeat')).toEqual([{ agentId: 'coder-1', currentTasks: [], systemMetrics: { beats: 1 } }])
    hub.delegate('coder-1', { id: 'T' })
    await work.at('T')
    hub.disconnect()
    hub.reconnect()
    await eventually(() => said('agent.heartbeat').length === 2)
    expect(said('agent.heartbeat')[1]).toMatchObject({ currentTasks: ['T'], systemMetrics: { beats: 2 } })
    const other = hub.client()
    const trouble: HubError[] = []
    other.onError((error) => trouble.push(error))
    other.agent({
      id: 'broken',
      metrics: () => {
        throw new Error('no gauge')
      },
    })
    await eventually(() => said('agent.heartbeat').length === 3)
    expect(said('agent.heartbeat')[2]).toEqual({ agentId: 'broken', currentTasks: [] })
    expect(trouble).toMatchObject([{ message: expect.stringContaining('no gauge') }])
    other.close()
  })

  it('tells a refused registration to whoever asks, and is over', async () => {
    hub.refuse('agent.register', 'DUPLICATE_AGENT')
    const agent = start()
    await expect(agent.ready()).rejects.toMatchObject({ code: 'DUPLICATE_AGENT' })
    expect([agent.state, errors.map(({ code }) => code)]).toEqual(['closed', ['DUPLICATE_AGENT']])
    await expect(client.agent({ id: 'coder-2' }).ready()).resolves.toMatchObject({ agentId: 'coder-2' })
  })

  it('tries again what the hub refuses for now', async () => {
    hub.refuse('agent.register', 'RATE_LIMITED', { times: 2 })
    await expect(start().ready()).resolves.toBeDefined()
  })

  it('is one a client, with one handler, and with options that make sense', () => {
    const agent = start().onTask(() => 1)
    expect(() => start()).toThrow('a client of its own')
    expect(() => agent.onTask(() => 2)).toThrow('already')
    const other = hub.client()
    expect(() => other.agent({ concurrency: 0 })).toThrow('concurrency: 0 is not allowed')
    expect(() => other.agent({ queue: -1 })).toThrow(RangeError)
    other.close()
  })

  it('accepts, reports and delivers, in order, under the lease of the delegation', async () => {
    const delegation = hub.delegate('coder-1', { id: 'T', type: 'review', title: 'Look', parameters: { depth: 2 }, pipelineId: 'p', stage: 1 })
    const seen: AgentTask[] = []
    start().onTask(async (task, { progress, log }) => {
      seen.push(task)
      await progress(40, 'nearly half')
      await log('hm', 'warn')
      return { lines: 3 }
    })
    expect(await delegation.outcome()).toEqual({ type: 'task.result', data: { taskId: 'T', leaseToken: delegation.leaseToken, result: { lines: 3 } } })
    expect(seen).toMatchObject([{ id: 'T', type: 'review', title: 'Look', parameters: { depth: 2 }, pipelineId: 'p', stage: 1, attempt: 1, leaseToken: delegation.leaseToken }])
    expect(delegation.reports.slice(0, -1)).toEqual([
      { type: 'task.accepted', data: { taskId: 'T', leaseToken: delegation.leaseToken } },
      { type: 'task.progress', data: { taskId: 'T', leaseToken: delegation.leaseToken, progress: 40, message: 'nearly half' } },
    ])
    expect(said('agent.log')).toEqual([{ agentId: 'coder-1', taskId: 'T', level: 'warn', message: 'hm' }])
    expect(hub.published.find(({ type }) => type === 'task.result')!.id).toBe(`T:${delegation.leaseToken}:result`)
    expect(hub.get('task', 'T')).toMatchObject({ status: 'completed', result: { lines: 3 } })
  })

  it('reports what its handler throws, at once or later', async () => {
    start({ concurrency: 2 }).onTask((task) => {
      if (task.id === 'now') throw new TypeError('no such file')
      return Promise.reject(Object.assign(new Error('disk is full'), { code: 'ENOSPC' }))
    })
    const outcomes = await Promise.all([hub.delegate('coder-1', { id: 'now' }).outcome(), hub.delegate('coder-1', { id: 'later' }).outcome()])
    expect(outcomes).toMatchObject([
      { type: 'task.failed', data: { taskId: 'now', error: 'no such file' } },
      { type: 'task.failed', data: { taskId: 'later', error: 'disk is full', code: 'ENOSPC' } },
    ])
  })

  it('works on so many at once, keeps some waiting and refuses the rest', async () => {
    const work = desk()
    const agent = start({ concurrency: 2, queue: 1 }).onTask(work.handler)
    await agent.ready()
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => hub.delegate('coder-1', { id })) as [FakeDelegation, FakeDelegation, FakeDelegation, FakeDelegation]
    expect(await d.outcome()).toMatchObject({ type: 'task.rejected', data: { reason: 'busy' } })
    await work.at('b')
    expect([work.begun, agent.tasks, kinds(c)]).toEqual([['a', 'b'], ['a', 'b'], []])
    ;(await work.at('a')).resolve(1)
    await a.outcome()
    await work.at('c')
    expect(work.begun).toEqual(['a', 'b', 'c'])
    expect(kinds(b)).toEqual(['task.accepted'])
  })

  it('handles a delegation once that it hears twice', async () => {
    const work = desk()
    start({ concurrency: 2 }).onTask(work.handler)
    const delegation = hub.delegate('coder-1', { id: 'T' })
    await work.at('T')
    const mail = { taskId: 'T', agentId: 'coder-1', attempt: 1, leaseToken: delegation.leaseToken }
    hub.emit('task.delegate', mail, { topics: ['inbox:coder-1'] })
    ;(await work.at('T')).resolve()
    await delegation.outcome()
    hub.emit('task.delegate', mail, { topics: ['inbox:coder-1'] })
    await client.publish('custom.done', {})
    expect([work.begun, kinds(delegation)]).toEqual([['T'], ['task.accepted', 'task.result']])
  })

  it('leaves mail of others alone', async () => {
    const work = desk()
    start().onTask(work.handler)
    await client.subscribe('inbox:*')
    hub.emit('task.delegate', { taskId: 'X', agentId: 'coder-2', leaseToken: 'l' }, { topics: ['inbox:coder-2'] })
    await client.publish('custom.done', {})
    expect(work.begun).toEqual([])
  })

  it('drops a task whose acceptance is refused', async () => {
    const work = desk()
    const delegation = hub.delegate('coder-1', { id: 'late' })
    delegation.expire()
    start().onTask(work.handler)
    const next = hub.delegate('coder-1', { id: 'next' })
    await work.at('next')
    expect([work.begun, kinds(delegation), kinds(next)]).toEqual([['next'], [], ['task.accepted']])
    expect(errors).toMatchObject([{ code: 'STALE_LEASE' }])
  })

  it('stops when the task is cancelled, and confirms it in place of a result', async () => {
    const work = desk()
    start().onTask(work.handler)
    const delegation = hub.delegate('coder-1', { id: 'T' })
    const { context, resolve } = await work.at('T')
    delegation.cancel('not wanted')
    expect([context.signal.aborted, (context.signal.reason as HubError).message]).toEqual([true, 'not wanted'])
    resolve('too late')
    expect(await delegation.outcome()).toEqual({ type: 'task.cancelled', data: { taskId: 'T', leaseToken: delegation.leaseToken } })
    expect(hub.get('task', 'T')).toMatchObject({ status: 'cancelled' })
  })

  it('confirms at once what is cancelled before its turn', async () => {
    const work = desk()
    start().onTask(work.handler)
    hub.delegate('coder-1', { id: 'first' })
    await work.at('first')
    const second = hub.delegate('coder-1', { id: 'second' })
    second.cancel()
    expect(await second.outcome()).toMatchObject({ type: 'task.cancelled' })
    expect(work.begun).toEqual(['first'])
  })

  it('stops when a report says that the task is not its own any more, and reports nothing further', async () => {
    const work = desk()
    start().onTask(work.handler)
    const delegation = hub.delegate('coder-1', { id: 'T' })
    const { context, resolve } = await work.at('T')
    delegation.expire()
    await context.progress(50)
    expect([context.signal.aborted, (context.signal.reason as HubError).code]).toEqual([true, 'STALE_LEASE'])
    resolve('nobody wants it')
    await work.at('T')
    await client.publish('custom.done', {})
    expect(kinds(delegation)).toEqual(['task.accepted'])
  })

  it('ends the older work when the same task is delegated anew', async () => {
    const work = desk()
    start({ concurrency: 2 }).onTask(work.handler)
    hub.delegate('coder-1', { id: 'T' })
    const first = await work.at('T')
    const second = hub.delegate('coder-1', { id: 'T' })
    await eventually(() => work.begun.length === 2)
    expect([first.context.signal.aborted, second.attempt]).toEqual([true, 2])
    first.resolve('old')
    ;(await work.at('T')).resolve('new')
    expect(await second.outcome()).toMatchObject({ data: { result: 'new', leaseToken: second.leaseToken } })
  })

  it('lets a task fail whose result the hub does not take', async () => {
    const work = desk()
    start().onTask(work.handler)
    const delegation = hub.delegate('coder-1', { id: 'T' })
    const { resolve } = await work.at('T')
    hub.refuse('publish', 'RESULT_INVALID')
    resolve({ odd: true })
    expect(await delegation.outcome()).toMatchObject({ type: 'task.failed', data: { code: 'RESULT_INVALID' } })
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const next = hub.delegate('coder-1', { id: 'U' })
    ;(await work.at('U')).resolve(circular)
    expect(await next.outcome()).toMatchObject({ type: 'task.failed', data: { code: 'INVALID_MESSAGE' } })
  })

  it('delivers a result that was ready without a connection, once', async () => {
    const work = desk()
    start().onTask(work.handler)
    const delegation = hub.delegate('coder-1', { id: 'T' })
    const { resolve } = await work.at('T')
    hub.disconnect()
    resolve('kept')
    expect(kinds(delegation)).toEqual(['task.accepted'])
    hub.reconnect()
    expect(await delegation.outcome()).toMatchObject({ data: { result: 'kept' } })
    hub.disconnect()
    hub.reconnect()
    await client.ready()
    expect(kinds(delegation)).toEqual(['task.accepted', 'task.result'])
  })

  it('reads mail that came before it had a handler', async () => {
    const agent = start()
    await agent.ready()
    const delegation = hub.delegate('coder-1', { id: 'T' })
    agent.onTask(() => 'done')
    expect(await delegation.outcome()).toMatchObject({ type: 'task.result' })
  })
})
