/** The ways to a real hub, through a network that blocks some of them: down the ladder, and up again (I1, I2, I3). */
import { connect, type Client, type ConnectOptions, type Gap, type HubError, type Transport } from '@hubbub/client'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { token } from '../harness/token.js'
import { startBlockade, type Blockade } from './blockade.js'

describe('a client behind a network', () => {
  let hub: HubProcess
  let network: Blockade
  let errors: HubError[]
  const clients: Client[] = []

  const open = (options: ConnectOptions = {}, url = network.url): Client => {
    const client = connect(url, { token: token({ sub: 'tester', role: 'service' }), reconnect: { minMs: 20, maxMs: 200 }, ...options })
    clients.push(client)
    errors = []
    client.onError((error) => errors.push(error))
    return client
  }

  beforeAll(async () => {
    hub = await startHub({ env: { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_GRACE_MS: '100', HUBBUB_PRESENCE_MS: '50' } })
  })
  beforeEach(async () => {
    network = await startBlockade({ port: hub.port })
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await network.close()
  })
  afterAll(() => hub.stop())

  it('that blocks WebSockets comes over polling', async () => {
    network.block('websocket')
    const client = open()
    await client.ready()
    expect(client.transport).toBe('polling')
    const heard: string[] = []
    client.on('custom.*', (event) => heard.push(event.id))
    await client.subscribe('task:w')
    await client.publish('custom.x', {}, { id: 'w1', topics: ['task:w'] })
    await eventually(() => heard.length === 1)
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
  })

  it('that blocks all of Socket.IO comes over HTTP', async () => {
    network.block('socketio')
    const client = open()
    await client.ready()
    expect(client.transport).toBe('http')
    const heard: string[] = []
    client.on('custom.*', (event) => heard.push(event.id))
    const own: string[] = []
    const subscription = await client.subscribe('task:h')
    subscription.on((event) => own.push(event.id))
    await client.publish('custom.x', {}, { id: 'h1', topics: ['task:h'] })
    await eventually(() => heard.length === 1)
    await Promise.all(['h2', 'h3', 'h4'].map((id) => client.publish('custom.x', {}, { id, topics: ['task:h'] })))
    await eventually(() => heard.length === 4)
    const again = await client.subscribe({ topics: ['task:h'], since: 'all', types: ['custom.*'], filter: { 'data.none': 'x' } })
    await again.live()
    expect([heard, own]).toEqual([['h1', 'h2', 'h3', 'h4'], ['h1', 'h2', 'h3', 'h4']])
  })

  it('that lets pass again climbs to the best way, and no event is lost or repeated', async () => {
    network.block('socketio')
    const client = open({ climbMs: 600 })
    const ids: string[] = []
    const states: string[] = []
    await client.subscribe('task:c')
    client.on('custom.*', (event) => ids.push(event.id))
    client.onState((state) => states.push(state))
    expect(client.transport).toBe('http')
    const published: Promise<unknown>[] = []
    const publish = (): void => void published.push(client.publish('custom.x', {}, { id: `c${published.length}`, topics: ['task:c'] }))
    publish()
    network.block('websocket')
    await eventually(() => (publish(), client.transport === 'polling'), 'polling')
    network.block('nothing')
    await eventually(() => (publish(), client.transport === 'websocket'), 'websocket')
    publish()
    await Promise.all(published)
    await eventually(() => ids.length >= published.length)
    expect(ids).toEqual(published.map((_, n) => `c${n}`))
    expect(states).not.toContain('offline')
  })

  it('that swallows WebSockets comes over polling within three times the time to connect', async () => {
    network.block('websocket', 'swallow')
    const begun = Date.now()
    const client = open({ connectTimeoutMs: 300 })
    await client.ready()
    expect(client.transport).toBe('polling')
    expect(Date.now() - begun).toBeLessThan(1500)
  })

  it('that blocks everything says so, and comes as soon as it lets something pass', async () => {
    network.block('everything')
    const client = open()
    await eventually(() => errors.find(({ message }) => message.includes('no transport')))
    expect(errors.at(-1)).toMatchObject({ code: 'UNAVAILABLE' })
    expect(client.state).not.toBe('closed')
    network.block('nothing')
    await client.ready()
    await eventually(() => client.transport === 'websocket', 'the best way')
  })

  it.each<Transport>(['websocket', 'polling', 'http'])('that blocks nothing is closed at once with a bad token: %s', async (transport) => {
    const client = open({ token: 'no.such.token', transports: [transport] })
    await expect(client.ready()).rejects.toMatchObject({ code: 'AUTH_INVALID_TOKEN' })
    expect(client.state).toBe('closed')
    expect(network.requests.filter((request) => !request.includes('sid='))).toHaveLength(1)
  })

  it('that loses an answer publishes over HTTP once all the same', async () => {
    const client = open({ transports: ['http'] })
    const heard: string[] = []
    client.on('custom.*', (event) => heard.push(event.id))
    await client.subscribe('task:l')
    network.loseAnswer('POST', '/api/v1/events')
    await expect(client.publish('custom.x', {}, { id: 'l1', topics: ['task:l'] })).resolves.toMatchObject({ id: 'l1', duplicate: true })
    await client.publish('custom.x', {}, { id: 'l2', topics: ['task:l'] })
    await eventually(() => heard.length >= 2)
    expect(heard).toEqual(['l1', 'l2'])
  })

  it('that blocks now this and now that, and cuts ten times, hears 5,000 of 5,000 events, in order, none twice', async () => {
    const coder = createProducer({ name: 'coder', send: overHttp(() => hub.url, token({ sub: 'coder', role: 'agent' })) })
    const client = open({ climbMs: 1200 })
    const all: Receipt[] = []
    const own: Receipt[] = []
    const gaps: Gap[] = []
    const used = new Set<Transport>()
    client.onState(() => client.transport && used.add(client.transport))
    client.onGap((gap) => gaps.push(gap))
    client.on('task.*', (event, { cursor }) => all.push(receiptOf(event, cursor)))
    await client.subscribe('task:f-0')
    await client.subscribe({ topics: ['task:f-1'], types: ['task.progress'] })
    const both = await client.subscribe('task:f-*')
    both.on((event, { cursor }) => own.push(receiptOf(event, cursor)))
    const plan = ['websocket', 'nothing', 'socketio', 'socketio', 'websocket', 'nothing', 'socketio', 'nothing', 'websocket', 'nothing'] as const
    for (const blocked of plan) {
      const before = all.length
      const underWay = coder.publish(500, 'f-0', 'f-1', 'f-2')
      await eventually(() => all.length >= before + 50, 'events under way')
      network.cut()
      network.block(blocked)
      await underWay
      await eventually(() => all.length >= before + 500, `what was missed with ${blocked} blocked`)
    }
    await eventually(() => client.transport === 'websocket', 'the best way again')
    for (const held of [all, own]) expect(problems(held, coder.acked.keys())).toEqual([])
    expect([coder.acked.size, gaps, [...used].sort()]).toEqual([5000, [], ['http', 'polling', 'websocket']])
  }, 90_000)

  it('that blocks all of Socket.IO works as an agent over HTTP, and on whatever comes after', async () => {
    network.block('socketio')
    const boss = open({}, hub.url)
    const worker = open({ token: token({ sub: 'worker-1', role: 'agent' }), climbMs: 1000 })
    const worked: string[] = []
    const agent = worker.agent({ id: 'worker-1', capabilities: ['http'] }).onTask(async (task, { progress }) => {
      worked.push(task.id)
      await progress(50)
      return { by: worker.transport }
    })
    await agent.ready()
    const first = await boss.tasks.create({ id: 'over-http', type: 'x', requires: ['http'] })
    await expect(boss.tasks.wait(first.id, { timeoutMs: 10_000 })).resolves.toMatchObject({ status: 'completed', result: { by: 'http' } })
    network.block('nothing')
    await eventually(() => worker.transport === 'websocket', 'the climb')
    const second = await boss.tasks.create({ id: 'over-websocket', type: 'x', requires: ['http'] })
    await expect(boss.tasks.wait(second.id, { timeoutMs: 10_000 })).resolves.toMatchObject({ status: 'completed', result: { by: 'websocket' } })
    expect(worked).toEqual(['over-http', 'over-websocket'])
  })

  it('finishes on the way before what was asked there, when it has a better one', async () => {
    network.block('websocket')
    const alone = token({ sub: 'tester', role: 'service', project: 'alone' })
    const executor = open({ climbMs: 1000, token: alone })
    const boss = open({ climbMs: 1000, token: alone })
    let finish: (() => void) | undefined
    executor.handle('build', () => new Promise((resolve) => (finish = () => resolve('built'))))
    await Promise.all([executor.ready(), boss.ready()])
    expect([executor.transport, boss.transport]).toEqual(['polling', 'polling'])
    const built = eventually(() => boss.command('build').catch((error: HubError) => error.code !== 'NO_EXECUTOR' && error.code))
    await eventually(() => finish, 'the command')
    network.block('nothing')
    await eventually(() => executor.transport === 'websocket' && boss.transport === 'websocket', 'the climb of both')
    finish!()
    await expect(built).resolves.toBe('built')
    const connections = async (): Promise<number> => {
      const answer = await fetch(`${hub.url}/api/v1/websocket/status`, { headers: { authorization: `Bearer ${alone}` } })
      return ((await answer.json()) as { total: number }).total
    }
    await eventually(async () => (await connections()) === 2, 'the ways before are given up')
  })

  it('reads more topics over HTTP than one request takes, in the order of the journal', async () => {
    const client = open({ transports: ['http'] })
    const all: Receipt[] = []
    const late: Receipt[] = []
    client.on('task.*', (event, { cursor }) => all.push(receiptOf(event, cursor)))
    const tasks = Array.from({ length: 130 }, (_, n) => `many-${n}-${'x'.repeat(100)}`)
    for (let from = 0; from < tasks.length; from += 45) await client.subscribe(tasks.slice(from, from + 45).map((task) => `task:${task}`))
    const coder = createProducer({ name: 'many', send: overHttp(() => hub.url, token({ sub: 'many', role: 'agent' })) })
    await coder.publish(1300, ...tasks)
    await eventually(() => all.length >= 1300, 'all of them', 20_000)
    const again = await client.subscribe({ topics: tasks.slice(0, 50).map((task) => `task:${task}`), since: 'all' })
    again.on((event, { cursor }) => late.push(receiptOf(event, cursor)))
    await again.live()
    expect(problems(all, coder.acked.keys())).toEqual([])
    expect([problems(late, coder.acked.keys(), { more: true }).filter((line) => !line.includes('missing')), late.length]).toEqual([[], 500])
  })

  it('is told who came and left while it had no connection, and of changes after that', async () => {
    const client = open()
    const told: unknown[] = []
    client.onSignal(({ topic, name, data }) => told.push([topic, name, data]))
    const others = ['ann', 'ben', 'cem'].map((sub) => open({ token: token({ sub, role: 'viewer' }) }, hub.url))
    const [ann, ben, cem] = others as [Client, Client, Client]
    await ann.subscribe('task:p')
    await client.ready()
    await eventually(async () => (await client.presence('task:p')).watchers.length === 1)
    network.block('everything')
    await eventually(() => client.state !== 'live')
    ann.close()
    await ben.subscribe('task:p')
    await eventually(async () => (await ben.presence('task:p', { watch: false })).watchers.map(({ subject }) => subject).join() === 'ben')
    told.length = 0
    network.block('nothing')
    await eventually(() => told.length > 0)
    expect(told).toEqual([['task:p', 'presence.changed', { joined: ['ben'], left: ['ann'] }]])
    await eventually(() => client.transport === 'websocket')
    await cem.subscribe('task:p')
    await eventually(() => told.length === 2)
    expect(told[1]).toMatchObject(['task:p', 'presence.changed', { joined: ['cem'], left: [] }])
    await client.presence('task:p', { watch: false })
  })

  it('has commands answered over HTTP, and carried out as soon as there is a connection', async () => {
    network.block('socketio')
    const executor = open({ climbMs: 1000 })
    executor.handle('greet', (payload) => `hello ${String(payload)}`)
    await executor.ready()
    await eventually(() => errors.some(({ code, message }) => code === 'UNAVAILABLE' && message.includes('carry out a command')))
    await expect(executor.command('greet', 'you')).rejects.toMatchObject({ code: 'NO_EXECUTOR' })
    await expect(executor.tasks.create({ id: 'made-over-http', type: 'x' })).resolves.toMatchObject({ id: 'made-over-http' })
    await executor.signal('task:1', 'pause')
    await expect(executor.broadcast({ name: 'pause' })).resolves.toMatchObject({ reached: 0 })
    await expect(executor.presence('task:1')).resolves.toMatchObject({ topic: 'task:1', watchers: [] })
    expect((await executor.snapshot('task:made-over-http')).get('task', 'made-over-http')).toMatchObject({ status: 'pending' })
    network.block('nothing')
    await eventually(() => executor.transport === 'websocket', 'the climb')
    await expect(eventually(() => executor.command('greet', 'you').catch(() => false))).resolves.toBe('hello you')
  })
})
