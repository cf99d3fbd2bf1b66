import { connect, type Client, type ClientState, type ConnectOptions, type HubError } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { WireHub } from './wire-hub.js'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenUntil = (ms: number): string => `x.${encode({ exp: ms / 1000 })}.${Math.random()}`

describe('a client over Socket.IO', () => {
  let hub: WireHub
  let url: string
  let client: Client
  let errors: HubError[]
  let heard: string[]

  function start(options: ConnectOptions = {}): void {
    client = connect(url, { reconnect: { minMs: 5, maxMs: 40 }, ...options })
    errors = []
    heard = []
    client.onError((error) => errors.push(error))
    client.on('*', (event) => heard.push(event.id))
  }
  const numbers = (to: number): string[] => Array.from({ length: to }, (_, n) => String(n + 1))
  /** The next time, however short: to be asked for before its cause. */
  const becomes = (wanted: ClientState): Promise<void> =>
    new Promise((resolve) => {
      const off = client.onState((state) => {
        if (state !== wanted) return
        off()
        resolve()
      })
    })
  const isLive = (): boolean => client.state === 'live'

  beforeEach(async () => {
    hub = new WireHub()
    url = await hub.listen()
  })
  afterEach(async () => {
    client.close()
    await hub.close()
  })

  it('connects with its credentials, and tells its states', async () => {
    start({ apiKey: 'key', project: 'p' })
    const states: ClientState[] = []
    client.onState((state) => states.push(state))
    await client.ready()
    await eventually(isLive)
    expect(hub.handshakes).toEqual([{ apiKey: 'key', project: 'p', compress: 'gzip' }])
    expect(client.transport).toBe('websocket')
    client.close()
    expect(states).toEqual(['catching-up', 'live', 'closed'])
    expect(client.transport).toBeUndefined()
  })

  it('misses nothing and repeats nothing over cut connections, with several subscriptions (I1, I2)', async () => {
    start()
    hub.page = 7
    for (const topic of ['task:1', 'task:2', 'task:*']) await client.subscribe(topic)
    const own: string[] = []
    const gaps: unknown[] = []
    client.onGap((gap) => gaps.push(gap))
    const second = await client.subscribe('task:2')
    second.on((event) => own.push(event.id))
    let next = 0
    const more = (count: number): void => {
      for (let n = 0; n < count; n++) hub.emit(String(++next), [`task:${next % 2 ? 1 : 2}`])
    }
    for (let round = 0; round < 5; round++) {
      more(20)
      const offline = becomes('offline')
      hub.cut()
      more(50)
      await offline
      more(3)
      await eventually(isLive)
    }
    more(1)
    await eventually(() => heard.at(-1) === String(next))
    expect(heard).toEqual(numbers(next))
    expect(gaps).toEqual([])
    expect(own).toEqual(numbers(next).filter((id) => Number(id) % 2 === 0))
  })

  it('goes on where it was when a subscription is cut in the middle of its pages', async () => {
    for (const id of numbers(30)) hub.emit(id, ['task:1'])
    start()
    hub.page = 10
    hub.beforeAnswer = () => {
      if (hub.asked.filter(([name]) => name === 'subscribe').length === 2) hub.losses = 1
    }
    const subscription = await client.subscribe({ topics: ['task:1'], since: 'all' })
    await subscription.live()
    await eventually(() => heard.length === 30)
    expect(heard).toEqual(numbers(30))
  })

  it('holds what comes live while a history is read, and loses nothing of it', async () => {
    for (const id of numbers(20)) hub.emit(id, ['task:1'])
    start()
    hub.page = 5
    await client.subscribe('task:2')
    let next = 20
    hub.beforeAnswer = () => {
      hub.emit(String(++next), [next % 2 ? 'task:2' : 'task:1'])
    }
    const subscription = await client.subscribe({ topics: ['task:1'], since: 'all' })
    await subscription.live()
    hub.beforeAnswer = undefined
    hub.emit(String(++next), ['task:1'])
    await eventually(() => heard.length === next)
    expect(heard).toEqual(numbers(next))
  })

  it('holds no more than its limit while a history is read, and reads again what it did not hold', async () => {
    for (const id of numbers(100)) hub.emit(id, ['task:1'])
    start({ bufferLimit: 20 })
    hub.page = 5
    const own: string[] = []
    const live = await client.subscribe('task:2')
    live.on((event) => own.push(event.id))
    let next = 100
    hub.beforeAnswer = () => {
      for (let n = 0; n < 8 && next < 250; n++) hub.emit(String(++next), ['task:2'])
    }
    const history = await client.subscribe({ topics: ['task:1'], since: 'all' })
    await history.live()
    await eventually(() => heard.length === 250 && own.length === 150)
    expect([heard, own]).toEqual([numbers(250), numbers(250).slice(100)])
    expect(hub.asked.filter(([name]) => name === 'unsubscribe').length).toBeGreaterThan(0)
    expect(client.state).toBe('live')
  })

  it('hands on what comes right behind the answer that joined it', async () => {
    start()
    await client.ready()
    let next = 0
    hub.afterAnswer = () => {
      for (let n = 0; n < 5; n++) hub.emit(String(++next), ['task:1'])
    }
    for (const since of [undefined, 'all'] as const) {
      const own: string[] = []
      const subscription = await client.subscribe({ topics: ['task:1'], ...(since && { since }) })
      subscription.on((event) => own.push(event.id))
      await eventually(() => own.at(-1) === String(next))
      expect(own).toEqual(numbers(next))
      await subscription.unsubscribe()
    }
    expect(heard).toEqual(numbers(next))
  })

  it('publishes once what was answered into a cut connection', async () => {
    start()
    await client.ready()
    hub.losses = 1
    const results = await Promise.all(['a', 'b', 'c'].map((id) => client.publish('custom.n', {}, { id })))
    expect(results.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(results[0]!.duplicate).toBe(true)
    expect(hub.publishedIds).toEqual(['a', 'b', 'c'])
  })

  it('waits for a hub that is not there yet, and says so', async () => {
    const { port } = new URL(url)
    await hub.close()
    hub = new WireHub()
    start()
    const queued = client.publish('custom.n', {}, { id: 'early' })
    await eventually(() => errors.length >= 2)
    expect(errors[0]).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('Cannot reach the hub') })
    await hub.listen(Number(port))
    await queued
    expect(hub.publishedIds).toEqual(['early'])
  })

  it('gives up when its credential is refused, and says why', async () => {
    hub.refuseHandshake = () => 'AUTH_INVALID_TOKEN'
    start({ token: 'bad' })
    const outcomes = await Promise.allSettled([client.ready(), client.publish('custom.n', {})])
    expect(outcomes).toMatchObject([{ reason: { code: 'AUTH_INVALID_TOKEN' } }, { reason: { code: 'AUTH_INVALID_TOKEN' } }])
    expect(client.state).toBe('closed')
    expect(hub.handshakes).toHaveLength(1)
  })

  it('asks the token function once more before it gives up', async () => {
    hub.refuseHandshake = ({ token }) => (token === 'good' ? undefined : 'AUTH_TOKEN_EXPIRED')
    const tokens = ['old', 'good']
    start({ token: () => tokens.shift() ?? 'none' })
    await client.ready()
    expect(hub.handshakes).toMatchObject([{ token: 'old' }, { token: 'good' }])
    hub.expel('AUTH_REVOKED')
    await expect(eventually(() => client.state === 'closed')).resolves.toBe(true)
    expect(errors.at(-1)).toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
  })

  it('comes back when the hub closes the connection for a reason that passes, or for none', async () => {
    start()
    await client.subscribe('task:1')
    const offline = becomes('offline')
    hub.expel('UNAVAILABLE')
    await offline
    hub.emit('1', ['task:1'])
    await eventually(() => heard.length === 1)
    expect(errors).toMatchObject([{ code: 'UNAVAILABLE' }])
  })

  it('tries again when the hub is full', async () => {
    let refusals = 2
    hub.refuseHandshake = () => (refusals-- > 0 ? 'CONNECTION_LIMIT' : undefined)
    start()
    await client.ready()
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
  })

  it('renews its token in place before it ends', async () => {
    const tokens: string[] = []
    start({
      token: () => {
        tokens.push(tokenUntil(Date.now() + (tokens.length === 0 ? 400 : 60_000)))
        return tokens.at(-1)!
      },
    })
    await client.ready()
    await eventually(() => hub.asked.length > 0)
    expect(hub.asked).toEqual([['auth.refresh', { token: tokens[1] }]])
    expect(hub.handshakes).toMatchObject([{ token: tokens[0] }])
  })

  it('is told of a gap that opened while it was away, once for all subscriptions', async () => {
    start()
    const gaps: unknown[] = []
    client.onGap((gap) => gaps.push(gap))
    await client.subscribe('task:1')
    await client.subscribe('task:2')
    hub.emit('1', ['task:1'])
    await eventually(() => heard.length === 1)
    hub.emit('lost', ['task:3'])
    hub.gap = { from: 'e.1-1', to: 'e.1-2', reason: 'trimmed' }
    const offline = becomes('offline')
    hub.cut()
    await offline
    hub.emit('2', ['task:1', 'task:2'])
    await eventually(() => heard.length === 2)
    expect(heard).toEqual(['1', '2'])
    expect(gaps).toEqual([hub.gap])
  })

  it('leaves a dead connection on which nothing is answered', async () => {
    start({ ackTimeoutMs: 60 })
    await client.ready()
    hub.silences = 1
    const subscription = await client.subscribe('task:1')
    expect(hub.handshakes).toHaveLength(2)
    expect(errors).toMatchObject([{ code: 'TIMEOUT' }])
    expect(subscription.id).toBeDefined()
  })

  it('carries signals both ways', async () => {
    start()
    await client.ready()
    const signals: unknown[] = []
    client.onSignal((signal) => signals.push(signal))
    await client.signal('task:1', 'pause', { n: 1 })
    expect(signals).toMatchObject([{ topic: 'task:1', name: 'pause', data: { n: 1 } }])
  })
})
