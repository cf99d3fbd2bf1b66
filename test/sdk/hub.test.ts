/** What only a real hub can show of the client: credentials that end, signals, refusals, history. */
import { connect, type Client, type HubError, type Signal } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'

describe('a client on a real hub', () => {
  let hub: HubProcess
  let client: Client
  let errors: HubError[]

  const open = (options: Parameters<typeof connect>[1]): Client => {
    client = connect(hub.url, { reconnect: { minMs: 20, maxMs: 200 }, ...options })
    errors = []
    client.onError((error) => errors.push(error))
    return client
  }

  beforeAll(async () => {
    hub = await startHub({ env: { HUBBUB_REVOCATION_POLL_MS: '100', HUBBUB_MAX_SUBSCRIPTIONS: '5' } })
  })
  afterEach(() => client.close())
  afterAll(() => hub.stop())

  it('stays on one connection beyond the end of its first token', async () => {
    const given: number[] = []
    open({
      token: () => {
        const exp = Math.floor(Date.now() / 1000) + 3
        given.push(exp)
        return token({ exp })
      },
    })
    await client.ready()
    const states: string[] = []
    client.onState((state) => states.push(state))
    const heard: string[] = []
    client.on('custom.*', (event) => heard.push(event.id))
    await client.subscribe('task:1')
    await eventually(() => Date.now() / 1000 > given[0]! + 0.5, 'the end of the first token')
    await client.publish('custom.late', {}, { id: 'late', topics: ['task:1'] })
    await eventually(() => heard.includes('late'))
    expect(given.length).toBeGreaterThan(1)
    expect([states.includes('offline'), errors]).toEqual([false, []])
  })

  it('is closed, with the reason, when a token that cannot be renewed ends', async () => {
    open({ token: token({ exp: Math.floor(Date.now() / 1000) + 2 }) })
    await client.ready()
    const subscription = await client.subscribe('task:1')
    const reading = subscription[Symbol.asyncIterator]().next()
    await expect(reading).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
    expect(client.state).toBe('closed')
    await expect(client.publish('custom.x', {})).rejects.toMatchObject({ code: expect.stringMatching(/AUTH_TOKEN_EXPIRED|UNAVAILABLE/) })
  })

  it('is closed when its key is revoked', async () => {
    const call = async (method: string, path: string, body?: object): Promise<{ key: string; id: string }> => {
      const answer = await fetch(`${hub.url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token({ projects: ['*'] })}` }, ...(body && { body: JSON.stringify(body) }) })
      return (await answer.json()) as { key: string; id: string }
    }
    const { key, id } = await call('POST', '/keys', { subject: 'bot', role: 'viewer' })
    open({ apiKey: key })
    await client.ready()
    await call('DELETE', `/keys/${id}`)
    await eventually(() => client.state === 'closed')
    expect(errors.at(-1)).toMatchObject({ code: 'AUTH_REVOKED' })
  })

  it('is refused with the hub\'s codes', async () => {
    open({ token: token({ role: 'viewer' }) })
    await client.ready()
    await expect(client.publish('custom.x', {})).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(client.signal('task:1', 'stop')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(client.subscribe('inbox:other')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    await expect(client.subscribe('nonsense')).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
    await expect(client.subscribe({ topics: ['*'], since: 'e.9-9' })).resolves.toBeDefined()
    for (let n = 0; n < 4; n++) await client.subscribe(`task:${n}`)
    await expect(client.subscribe('task:5')).rejects.toMatchObject({ code: 'SUBSCRIPTION_LIMIT' })
  })

  it('refuses what JSON cannot carry and what is no address, and stays connected', async () => {
    open({ token: token() })
    await client.ready()
    const states: string[] = []
    client.onState((state) => states.push(state))
    await expect(client.signal('task:1', 'count', { n: 1n })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await client.signal('task:1', 'count', { n: 1 })
    expect(states).toEqual([])
    for (const url of ['localhost:4000', '127.0.0.1:4000', 'nonsense']) expect(() => connect(url)).toThrow(RangeError)
  })

  it('gives up subscriptions for good, and takes others in their place', async () => {
    open({ token: token() })
    for (let n = 0; n < 12; n++) {
      const subscription = await client.subscribe(`task:${n}`)
      await subscription.unsubscribe()
    }
    expect(client.state).toBe('live')
  })

  it('filters as the hub does', async () => {
    open({ token: token() })
    const heard: unknown[][] = [[], []]
    const by = await client.subscribe({ topics: ['task:f'], filter: { 'data.deep.n': 1, tags: 'a' } })
    const all = await client.subscribe('task:f')
    by.on((event) => heard[0]!.push(event.id))
    all.on((event) => heard[1]!.push(event.id))
    const data = [{ deep: { n: 1 }, tags: ['a', 'b'] }, { deep: { n: 2 }, tags: ['a'] }, { deep: { n: 1 }, tags: ['b'] }, {}]
    for (const [n, one] of data.entries()) await client.publish('custom.f', one, { id: `f${n}`, topics: ['task:f'] })
    await eventually(() => heard[1]!.length === 4)
    expect(heard[0]).toEqual(['f0'])
  })

  it('hears large and gathered events as they were published, in order', async () => {
    open({ token: token() })
    const heard: unknown[] = []
    const subscription = await client.subscribe({ topics: ['task:large'], batchMs: 100 })
    subscription.on((event) => heard.push(event.data))
    client.on('custom.*', (event) => expect(event.metadata).not.toHaveProperty('compressed'))
    const data = Array.from({ length: 20 }, (_, n) => ({ n, text: `${n} ä€`.repeat(n % 2 ? 2000 : 1) }))
    await Promise.all(data.map((one) => client.publish('custom.large', one, { topics: ['task:large'] })))
    await eventually(() => heard.length === data.length)
    expect(heard).toEqual(data)
    expect(errors).toEqual([])
  })

  it('hears signals', async () => {
    open({ token: token({ sub: 'boss' }) })
    const signals: Signal[] = []
    client.onSignal((signal) => signals.push(signal))
    await client.subscribe('task:*')
    await client.signal('task:9', 'pause', { for: '1m' })
    await eventually(() => signals.length === 1)
    expect(signals).toMatchObject([{ topic: 'task:9', name: 'pause', data: { for: '1m' }, source: '/users/boss' }])
  })

  it('publishes faster than it may, and only takes longer for it', async () => {
    open({ token: token({ sub: 'busy', role: 'agent' }) })
    await client.ready()
    const results = await Promise.all(Array.from({ length: 3000 }, (_, n) => client.publish('custom.busy', { n }, { topics: ['task:busy'] })))
    expect(new Set(results.map(({ offset }) => offset)).size).toBe(3000)
    const heard: number[] = []
    const history = await client.subscribe({ topics: ['task:busy'], since: 'all' })
    history.on((event) => heard.push((event.data as { n: number }).n))
    await history.live()
    // Between two of a message, the hub's rates may refuse one and take the next: each is there once, not all in order.
    expect(heard.sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, n) => n))
  })
})
