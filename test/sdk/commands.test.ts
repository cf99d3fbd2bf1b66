import { connect, type Client, type CommandContext, type HubError } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import { HubError as Refusal } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { WireHub } from './wire-hub.js'

const reconnect = { minMs: 1, maxMs: 5 }

describe('commands through the fake hub', () => {
  let hub: FakeHub
  let client: Client
  let errors: HubError[]
  beforeEach(async () => {
    hub = createFakeHub()
    client = hub.client({ reconnect })
    errors = []
    client.onError((error) => errors.push(error))
    await client.ready()
  })
  afterEach(() => client.close())

  it('are answered by whoever carries them out', async () => {
    hub.onCommand('deploy', (payload) => ({ deployed: payload }))
    await expect(client.command('deploy', { to: 'staging' })).resolves.toEqual({ deployed: { to: 'staging' } })
    await expect(client.command('nobody')).rejects.toMatchObject({ code: 'NO_EXECUTOR', retryable: true })
    hub.onCommand('break', () => {
      throw new Error('it broke')
    })
    await expect(client.command('break')).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: 'it broke' })
  })

  it('wait for a connection no longer than they may take, and are not repeated when it ends', async () => {
    hub.disconnect()
    await expect(client.command('deploy', null, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    let carriedOut = 0
    hub.onCommand('deploy', () => new Promise(() => carriedOut++))
    const given = client.command('deploy')
    hub.reconnect()
    await eventually(() => carriedOut === 1)
    hub.disconnect()
    await expect(given).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    hub.reconnect()
    await client.snapshot('task:1')
    expect(carriedOut).toBe(1)
    const closed = client.command('deploy')
    await eventually(() => carriedOut === 2)
    client.close()
    await expect(closed).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await expect(client.command('deploy')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('are carried out by a handler, under any spelling, and no more when it is taken away', async () => {
    const off = client.handle('create_branch', (payload, { by, command, commandId }) => ({ payload, by, command, commandId }))
    const result = await eventually(() => hub.command('git.create_branch', { name: 'fix' }))
    expect(result).toMatchObject({ payload: { name: 'fix' }, by: '/services/fake', command: 'git.create_branch' })
    await expect(hub.command('create_branch', 1)).resolves.toMatchObject({ payload: 1 })
    expect(() => client.handle('git.create_branch', () => 1)).toThrow('already')
    off()
    await eventually(async () => hub.command('create_branch').then(() => false, (error: HubError) => error.code === 'NO_EXECUTOR'))
    off()
  })

  it('may have no result, fail with a code, or answer what is none', async () => {
    client.handle('quiet', () => undefined)
    client.handle('no', () => {
      throw Object.assign(new Error('not today'), { code: 'CLOSED' })
    })
    client.handle('odd', () => () => 1)
    await expect(eventually(() => hub.command('quiet').then((result) => [result]))).resolves.toEqual([null])
    await expect(hub.command('no')).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: 'not today', details: { code: 'CLOSED' } })
    await expect(hub.command('odd')).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('JSON') })
  })

  it('are handled on the next connection, too, and a lost executor is told', async () => {
    let signal: AbortSignal | undefined
    client.handle('slow', (_payload, context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    const lost = eventually(async () => hub.command('slow').catch((error: HubError) => error.code === 'EXECUTOR_LOST'))
    await eventually(() => signal)
    hub.disconnect()
    await expect(lost).resolves.toBe(true)
    expect(signal!.reason).toMatchObject({ code: 'EXECUTOR_LOST' })
    client.handle('quick', () => 'here')
    hub.reconnect()
    await expect(eventually(() => hub.command('quick'))).resolves.toBe('here')
  })

  it('that the hub lets nobody handle are told as an error', async () => {
    hub.refuse('command.handle', 'RATE_LIMITED')
    client.handle('a', () => 1)
    await expect(eventually(() => hub.command('a'))).resolves.toBe(1)
    hub.refuse('command.handle', 'INSUFFICIENT_PERMISSIONS')
    client.handle('b', () => 1)
    await eventually(() => errors.some(({ code }) => code === 'INSUFFICIENT_PERMISSIONS'))
    await expect(hub.command('b')).rejects.toMatchObject({ code: 'NO_EXECUTOR' })
  })

  it('have neighbours: a broadcast reaches agents by what they are, and needs a connection as presence does', async () => {
    const heard: unknown[] = []
    const agent = hub.client()
    agent.onSignal((signal) => heard.push([signal.name, signal.data]))
    await agent.agent({ id: 'a', type: 'coder', capabilities: ['ts', 'go'] }).ready()
    await expect(client.broadcast({ name: 'pause', data: 1, to: { capabilities: ['go', 'c'] } })).resolves.toEqual({ reached: 1, complete: true })
    await expect(client.broadcast({ name: 'pause', data: 2, to: { agentTypes: ['tester'] } })).resolves.toMatchObject({ reached: 0 })
    expect(heard).toEqual([['pause', 1]])
    await expect(client.presence('task:1', { watch: false })).resolves.toEqual({ topic: 'task:1', watchers: [] })
    hub.disconnect()
    await expect(client.presence('task:1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(client.broadcast({ name: 'pause' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    agent.close()
  })
})

describe('commands and mail over Socket.IO', () => {
  let hub: WireHub
  let client: Client
  let url: string
  beforeEach(async () => {
    hub = new WireHub()
    url = await hub.listen()
  })
  afterEach(async () => {
    client.close()
    await hub.close()
  })
  const asked = (name: string): unknown[] => hub.asked.filter(([one]) => one === name).map(([, payload]) => payload)

  it('are asked with an acknowledgement, and answered once', async () => {
    hub.answers.set('command.handle', ({ commands }: { commands: string[] }) => ({ commands }))
    client = connect(url, { reconnect })
    const contexts: CommandContext[] = []
    client.handle('sum', (payload, context) => {
      contexts.push(context)
      return (payload as number[]).reduce((sum, one) => sum + one, 0)
    })
    client.handle('fail', () => Promise.reject(new Refusal('RATE_LIMITED', 'slowly')))
    await eventually(() => (asked('command.handle').at(-1) as { commands: string[] } | undefined)?.commands.length === 2)
    const call = { commandId: 'c1', command: 'sum', payload: [1, 2, 3], by: '/users/boss', timeoutMs: 5000 }
    expect(await hub.ask('command', call)).toEqual({ ok: true, result: 6 })
    expect(contexts).toMatchObject([{ commandId: 'c1', command: 'sum', by: '/users/boss' }])
    expect(await hub.ask('command', { ...call, command: 'fail' })).toEqual({ ok: false, error: { code: 'RATE_LIMITED', message: 'slowly' } })
    expect(await hub.ask('command', { ...call, command: 'gone' })).toMatchObject({ ok: false, error: { code: 'NO_EXECUTOR' } })
  })

  it('are aborted for a handler that takes too long, and told to every new connection', async () => {
    hub.answers.set('command.handle', ({ commands }: { commands: string[] }) => ({ commands }))
    client = connect(url, { reconnect })
    client.handle('wait', (_payload, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as HubError))))
    await eventually(() => asked('command.handle').length === 1)
    expect(await hub.ask('command', { commandId: 'c', command: 'wait', payload: null, by: '/x', timeoutMs: 10 })).toMatchObject({ ok: false, error: { code: 'COMMAND_TIMEOUT' } })
    hub.cut()
    await eventually(() => asked('command.handle').length === 2)
    expect(asked('command.handle')).toEqual([{ commands: ['wait'] }, { commands: ['wait'] }])
  })

  it('outlive the time in which anything else is answered', async () => {
    let answers = 0
    hub.answers.set('command', () => ({ commandId: 'c', result: ++answers }))
    client = connect(url, { reconnect, ackTimeoutMs: 5 })
    await client.ready()
    hub.silences = 1
    const states: string[] = []
    client.onState((state) => states.push(state))
    const given = client.command('long', {}, { timeoutMs: 200 })
    await eventually(() => asked('command').length === 1)
    expect(asked('command')).toEqual([{ command: 'long', payload: {}, timeoutMs: 200 }])
    client.close()
    await expect(given).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(states).toEqual(['closed'])
  })

  it('bring an agent its mail without a subscription, to its handler and to whoever listens', async () => {
    const heartbeat = { intervalMs: 60_000, staleMs: 90_000, offlineMs: 120_000 }
    hub.answers.set('agent.register', ({ agentId }: { agentId: string }) => ({ agentId, status: 'registered', registeredAt: '', permissions: [], heartbeat }))
    client = connect(url, { reconnect })
    const heard: string[] = []
    client.on('task.delegate', (event) => heard.push(event.data.taskId))
    const agent = client.agent({ id: 'a' }).onTask(() => 'done')
    await agent.ready()
    hub.mail('task.delegate', 'inbox:a', { taskId: 'T', agentId: 'a', attempt: 1, leaseToken: 'l1' })
    await eventually(() => hub.publishedIds.includes('T:l1:result'))
    expect([heard, hub.publishedIds.filter((id) => id.startsWith('T'))]).toEqual([['T'], ['T:l1:accepted', 'T:l1:result']])
    hub.losses = 1
    hub.mail('task.delegate', 'inbox:a', { taskId: 'U', agentId: 'a', attempt: 1, leaseToken: 'l2' })
    await eventually(() => hub.publishedIds.includes('U:l2:result'))
    expect(hub.publishedIds.filter((id) => id.startsWith('U'))).toEqual(['U:l2:accepted', 'U:l2:result'])
    expect(asked('agent.register').length).toBe(2)
  })
})
