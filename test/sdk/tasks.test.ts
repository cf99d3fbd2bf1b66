import { connect, type Client } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import { HubError } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { WireHub } from './wire-hub.js'

const reconnect = { minMs: 1, maxMs: 5 }

describe('tasks through the fake hub', () => {
  let hub: FakeHub
  let client: Client
  beforeEach(() => {
    hub = createFakeHub()
    client = hub.client({ reconnect })
  })
  afterEach(() => client.close())

  it('are created, looked up and listed', async () => {
    const { id, status, taskType, parameters } = await client.tasks.create({ type: 'review', parameters: { depth: 1 }, pipelineId: 'p' })
    expect([id, status, taskType, parameters]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), 'pending', 'review', { depth: 1 }])
    await client.tasks.create({ id: 'own', type: 'build', streamId: 's' })
    await expect(client.tasks.get('own')).resolves.toMatchObject({ id: 'own', taskType: 'build' })
    await expect(client.tasks.get('none')).resolves.toBeUndefined()
    await expect(client.tasks.get('no topic')).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
    await expect(client.tasks.get('*')).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
    const ids = async (filter?: object): Promise<string[]> => (await client.tasks.list(filter)).map((task) => task.id)
    expect(await ids()).toEqual([id, 'own'])
    expect([await ids({ pipelineId: 'p' }), await ids({ streamId: 's' }), await ids({ type: 'build' })]).toEqual([[id], ['own'], ['own']])
    expect([await ids({ status: 'completed' }), await ids({ status: ['pending', 'failed'] }), await ids({ agentId: 'a' })]).toEqual([[], [id, 'own'], []])
  })

  it('are waited for until they are finished, over a lost connection', async () => {
    client.agent({ id: 'a' }).onTask(async (task) => {
      await new Promise<void>((resolve) => hub.onCommand('go', () => resolve()))
      return `${task.id} done`
    })
    await client.tasks.create({ id: 'T', type: 'x' })
    const waiting = client.tasks.wait('T')
    hub.delegate('a', { id: 'T' })
    await eventually(() => client.command('go').then(() => true))
    hub.disconnect()
    hub.reconnect()
    await expect(waiting).resolves.toMatchObject({ id: 'T', status: 'completed', result: 'T done' })
    await expect(client.tasks.wait('T')).resolves.toMatchObject({ status: 'completed' })
  })

  it('are not waited for in vain', async () => {
    await expect(client.tasks.wait('none')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
    await client.tasks.create({ id: 'T', type: 'x' })
    await expect(client.tasks.wait('T', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(client.tasks.wait('T', { signal: AbortSignal.abort(new Error('bored')) })).rejects.toThrow('bored')
    const stop = new AbortController()
    const bored = client.tasks.wait('T', { signal: stop.signal })
    await client.snapshot('task:T')
    stop.abort(new Error('bored later'))
    await expect(bored).rejects.toThrow('bored later')
    const forgotten = client.tasks.wait('T')
    await client.snapshot('task:T')
    hub.emit('task.forgotten', { taskId: 'T' }, { topics: ['task:T'] })
    await expect(forgotten).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
    await client.tasks.create({ id: 'U', type: 'x' })
    const closed = client.tasks.wait('U')
    await client.snapshot('task:U')
    client.close()
    await expect(closed).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('are cancelled, whoever holds them', async () => {
    const agent = hub.client()
    const reasons: unknown[] = []
    const stopped = ({ reason }: AbortSignal): unknown => reasons.push((reason as HubError).message)
    agent.agent({ id: 'a' }).onTask((_task, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(stopped(signal)))))
    await client.tasks.create({ id: 'idle', type: 'x' })
    await expect(client.tasks.cancel('idle')).resolves.toMatchObject({ status: 'cancelled' })
    const delegation = hub.delegate('a', { id: 'busy' })
    await eventually(() => delegation.reports.length === 1)
    await expect(client.tasks.cancel('busy', 'a better idea')).resolves.toMatchObject({ id: 'busy', status: 'cancelled' })
    expect(reasons).toEqual(['a better idea'])
    await expect(client.tasks.cancel('none', { reason: 'x', timeoutMs: 1000 })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
    agent.close()
  })
})

describe('tasks over Socket.IO', () => {
  let hub: WireHub
  let client: Client
  beforeEach(async () => {
    hub = new WireHub()
    client = connect(await hub.listen(), { reconnect })
  })
  afterEach(async () => {
    client.close()
    await hub.close()
  })
  const commands = () => hub.asked.filter(([name]) => name === 'command').map(([, payload]) => payload as { command: string; payload: { id: string } })

  it('are handed in again under the same id when the answer is lost or comes to nothing for now', async () => {
    let asked = 0
    const refusal = { ok: false, error: new HubError('UNAVAILABLE').toJSON() }
    hub.answers.set('command', ({ payload }: { payload: { id: string } }) => (++asked === 2 ? refusal : { commandId: 'c', result: { id: payload.id } }))
    await client.ready()
    hub.losses = 1
    const task = await client.tasks.create({ type: 'x' })
    expect(commands()).toHaveLength(3)
    expect(new Set(commands().map(({ command, payload }) => `${command} ${payload.id}`))).toEqual(new Set([`task.start ${task.id}`]))
  })

  it('reject with what the hub refuses for good', async () => {
    hub.answers.set('command', () => ({ ok: false, error: new HubError('TASK_EXISTS').toJSON() }))
    await expect(client.tasks.create({ id: 'T', type: 'x' })).rejects.toMatchObject({ code: 'TASK_EXISTS' })
    expect(commands()).toHaveLength(1)
  })
})
