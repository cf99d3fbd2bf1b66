import type { Client, Gap, HubError, HubEvent, Signal } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import { eventually } from '../harness/eventually.js'

const topics = ['task:1']

describe('a client on the fake hub', () => {
  let hub: FakeHub
  let client: Client
  const ids = (events: HubEvent[]): string[] => events.map((event) => event.id)

  beforeEach(async () => {
    hub = createFakeHub()
    client = hub.client({ reconnect: { minMs: 1, maxMs: 5 } })
    await client.ready()
  })
  afterEach(() => client.close())

  it('hears what it subscribed to, by type and pattern, and nothing else', async () => {
    const heard: string[] = []
    client.on('task.progress', (event) => heard.push(`exact ${event.data.progress}`))
    client.on('task.*', (event) => heard.push(`family ${event.type}`))
    client.on('*', (event) => heard.push(`all ${event.type}`))
    await client.subscribe('task:1')
    hub.emit('task.progress', { taskId: '1', progress: 50 }, { topics })
    hub.emit('task.progress', { taskId: '2', progress: 60 }, { topics: ['task:2'] })
    expect(heard).toEqual(['exact 50', 'family task.progress', 'all task.progress'])
  })

  it('hears an event of two subscriptions once at the client, and once at each of them', async () => {
    const all: HubEvent[] = []
    const [one, two]: HubEvent[][] = [[], []]
    client.on('*', (event) => all.push(event))
    const first = await client.subscribe('task:*')
    const second = await client.subscribe({ topics, types: ['task.progress'], filter: { progress: 2 } })
    first.on((event) => one!.push(event))
    second.on((event) => two!.push(event))
    for (const progress of [1, 2, 3]) hub.emit('task.progress', { progress }, { topics, id: String(progress) })
    expect([ids(all), ids(one!), ids(two!)]).toEqual([['1', '2', '3'], ['1', '2', '3'], ['2']])
  })

  it('gets what it missed after a reconnect, in order and once, with all subscriptions', async () => {
    const all: HubEvent[] = []
    client.on('*', (event) => all.push(event))
    await client.subscribe('task:1')
    await client.subscribe('task:2')
    await client.subscribe('task:*')
    hub.emit('task.progress', {}, { topics, id: '1' })
    hub.disconnect()
    expect(client.state).toBe('offline')
    for (const n of [2, 3, 4, 5]) hub.emit('task.progress', {}, { topics: [`task:${1 + (n % 3)}`], id: String(n) })
    hub.reconnect()
    expect(client.state).toBe('catching-up')
    await eventually(() => client.state === 'live', 'live again')
    hub.emit('task.progress', {}, { topics, id: '6' })
    expect(ids(all)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('reads history in pages, each event once, and then live', async () => {
    for (let n = 0; n < 2500; n++) hub.emit('task.progress', {}, { topics, id: String(n) })
    const all: HubEvent[] = []
    client.on('*', (event) => all.push(event))
    const subscription = await client.subscribe({ topics, since: 'all' })
    const own: HubEvent[] = []
    subscription.on((event) => own.push(event))
    await subscription.live()
    hub.emit('task.progress', {}, { topics, id: '2500' })
    await eventually(() => all.length === 2501)
    const expected = Array.from({ length: 2501 }, (_, n) => String(n))
    expect(ids(all)).toEqual(expected)
    expect(ids(own)).toEqual(expected)
  })

  it('is read by a loop, which ends with the subscription', async () => {
    for (const n of [1, 2, 3]) hub.emit('task.progress', {}, { topics, id: String(n) })
    const subscription = await client.subscribe({ topics, since: { last: 2 } })
    const read: string[] = []
    for await (const event of subscription) {
      read.push(event.id)
      if (read.length === 2) hub.emit('task.progress', {}, { topics, id: '4' })
      if (event.id === '4') break
    }
    expect(read).toEqual(['2', '3', '4'])
    await expect(subscription.live()).resolves.toBeUndefined()
    hub.emit('task.progress', {}, { topics, id: '5' })
    expect(read).toHaveLength(3)
  })

  it('says where its consumer stands, not what waits for it', async () => {
    const subscription = await client.subscribe('task:1')
    const reader = subscription[Symbol.asyncIterator]()
    hub.emit('task.progress', {}, { topics, id: '1' })
    hub.emit('task.progress', {}, { topics, id: '2' })
    await reader.next()
    const again = await client.subscribe({ topics, since: subscription.cursor! })
    expect((await again[Symbol.asyncIterator]().next()).value).toMatchObject({ id: '2' })
  })

  it('ends a loop that is too slow, clearly', async () => {
    const slow = hub.client({ bufferLimit: 10 })
    const subscription = await slow.subscribe('task:1')
    const reader = subscription[Symbol.asyncIterator]()
    const first = reader.next()
    hub.emit('task.progress', {}, { topics })
    await first
    for (let n = 0; n < 20; n++) hub.emit('task.progress', {}, { topics })
    await expect(reader.next()).rejects.toMatchObject({ code: 'QUEUE_FULL', message: expect.stringContaining('10 events behind') })
    slow.close()
  })

  it('keeps what came before the first handler', async () => {
    const subscription = await client.subscribe('task:1')
    hub.emit('task.progress', {}, { topics, id: '1' })
    const heard: HubEvent[] = []
    subscription.on((event) => heard.push(event))
    hub.emit('task.progress', {}, { topics, id: '2' })
    expect(ids(heard)).toEqual(['1', '2'])
  })

  it('is told of a gap, live and after a reconnect, once', async () => {
    const gaps: Gap[] = []
    const own: Gap[] = []
    client.onGap((gap) => gaps.push(gap))
    const subscription = await client.subscribe('task:1')
    await client.subscribe('task:2')
    subscription.onGap((gap) => own.push(gap))
    hub.gap()
    expect([gaps.length, own.length]).toEqual([1, 1])
    hub.disconnect()
    hub.gap()
    hub.emit('task.progress', {}, { topics, id: 'left' })
    const heard: string[] = []
    client.on('*', (event) => heard.push(event.id))
    hub.reconnect()
    await eventually(() => client.state === 'live')
    await eventually(() => heard.length === 1)
    expect([gaps.length, own.length]).toEqual([2, 2])
    expect(gaps[1]).toMatchObject({ reason: 'trimmed', from: gaps[0]!.to })
  })

  it('rejects what the hub refuses', async () => {
    await expect(client.subscribe('nonsense')).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
    hub.refuse('subscribe', 'SUBSCRIPTION_LIMIT')
    await expect(client.subscribe('task:1')).rejects.toMatchObject({ code: 'SUBSCRIPTION_LIMIT' })
    hub.refuse('signal', 'INSUFFICIENT_PERMISSIONS')
    await expect(client.signal('task:1', 'stop')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
  })

  it('carries signals to whoever is there', async () => {
    const heard: Signal[] = []
    client.onSignal((signal) => heard.push(signal))
    await client.subscribe('task:*')
    await client.signal('task:1', 'pause', { why: 'lunch' })
    await client.signal('agent:1', 'pause')
    expect(heard).toMatchObject([{ topic: 'task:1', name: 'pause', data: { why: 'lunch' } }])
    hub.disconnect()
    await expect(client.signal('task:1', 'pause')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('reports a handler that throws, and goes on', async () => {
    const errors: HubError[] = []
    const heard: string[] = []
    client.onError((error) => errors.push(error))
    client.on('*', () => {
      throw new Error('mine')
    })
    client.on('*', (event) => heard.push(event.id))
    await client.subscribe('task:1')
    hub.emit('task.progress', {}, { topics, id: '1' })
    hub.emit('task.progress', {}, { topics, id: '2' })
    expect(heard).toEqual(['1', '2'])
    expect(errors).toMatchObject([{ cause: { message: 'mine' } }, { cause: { message: 'mine' } }])
  })

  it('hears nothing more after close, and its loops end', async () => {
    const subscription = await client.subscribe('task:1')
    const next = subscription[Symbol.asyncIterator]().next()
    client.close()
    expect(await next).toMatchObject({ done: true })
    expect(client.state).toBe('closed')
    await expect(client.ready()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(client.publish('task.progress', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
