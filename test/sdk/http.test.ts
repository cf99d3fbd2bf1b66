/** HTTP as the last way: against a server that is no hub, but answers as one behind a network with habits of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type Client, type ClientState, type ConnectOptions, type HubError } from '@hubbub/client'
import { HubError as Refusal, type HubEvent } from '@hubbub/protocol'
import { portions } from '../../client-sdk/typescript/src/history.js'
import { choiceOf } from '../../client-sdk/typescript/src/http-calls.js'
import { eventually } from '../harness/eventually.js'

const at = (n: number): string => `e.1-${n}`
const event = (n: number): HubEvent => ({ id: String(n), type: 'custom.x', timestamp: 0, project: 'default', topics: ['task:1'], data: {}, metadata: { version: '1.0', source: '/x', recordedAt: 0 } })

describe('a client over HTTP', () => {
  let client: Client
  let errors: HubError[]
  let states: ClientState[]
  let heard: string[]
  let requests: { path: string; query: URLSearchParams; headers: IncomingMessage['headers']; at: number }[]
  let head: number
  /** What becomes of a poll; true: it was seen to. */
  let poll: (response: ServerResponse, query: URLSearchParams) => boolean
  let refuse: (request: IncomingMessage) => Refusal | undefined
  const answer = (response: ServerResponse, body: object, status = 200): void => void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  const server = createServer((request, response) => {
    const { pathname, searchParams: query } = new URL(request.url!, 'http://hub')
    const path = pathname.replace('/hub/v1/', '')
    requests.push({ path, query, headers: request.headers, at: Date.now() })
    const refusal = refuse(request)
    if (refusal) return answer(response, { ok: false, error: refusal.toJSON() }, refusal.status)
    if (path === 'websocket/status') return answer(response, { ok: true, total: 0 })
    if (path === 'snapshot') return answer(response, { ok: true, cursor: at(head), entities: [] })
    if (query.has('wait') && poll(response, query)) return
    const from = Number(query.get('since')!.split('-')[1])
    const events = Array.from({ length: head - from }, (_, n) => ({ event: event(from + n + 1), cursor: at(from + n + 1) }))
    answer(response, { ok: true, events, cursor: at(head), more: false })
  })
  const polls = () => requests.filter(({ query }) => query.has('wait'))

  const start = async (options: ConnectOptions = {}): Promise<void> => {
    client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { transports: ['http'], apiPath: '/hub/v1', reconnect: { minMs: 5, maxMs: 40 }, ...options })
    client.onError((error) => errors.push(error))
    client.onState((state) => states.push(state))
    client.on('*', (one) => heard.push(one.id))
    await client.ready()
  }

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  beforeEach(() => {
    errors = []
    states = []
    heard = []
    requests = []
    head = 0
    poll = () => false
    refuse = () => undefined
  })
  afterEach(() => client.close())
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('looks now and then where nobody lets it wait', async () => {
    await start({ pollMs: 150 })
    await client.subscribe('task:1')
    await eventually(() => polls().length === 2)
    head = 3
    await eventually(() => heard.length === 3)
    await eventually(() => polls().length === 6)
    const times = polls().map((one) => one.at)
    // The third found events, and the next came soon behind it.
    expect(times[1]! - times[0]!).toBeGreaterThan(120)
    expect(times[5]! - times[4]!).toBeGreaterThan(120)
    expect(heard).toEqual(['1', '2', '3'])
    expect([errors, states]).toEqual([[], ['catching-up', 'live']])
  })

  it('asks again, as if nothing was, when its waiting is cut short', async () => {
    let cut = 0
    poll = (response) => {
      if (++cut > 1) return cut > 2
      setTimeout(() => response.socket?.destroy(), 1100)
      return true
    }
    await start({ pollMs: 60_000 })
    await client.subscribe('task:1')
    head = 2
    await eventually(() => heard.length === 2)
    expect([errors, states.includes('offline')]).toEqual([[], false])
  })

  it('waits as long as the hub asks for when there are too many requests, and goes on when its poll is refused for good', async () => {
    const refusals = [new Refusal('RATE_LIMITED', undefined, { retryAfterMs: 100 }), new Refusal('INSUFFICIENT_PERMISSIONS')]
    refuse = (request) => (request.url!.includes('wait=') ? refusals.shift() : undefined)
    await start({ pollMs: 50 })
    await client.subscribe('task:1')
    await eventually(() => states.includes('offline'))
    head = 1
    await eventually(() => heard.length === 1)
    expect(polls()[1]!.at - polls()[0]!.at).toBeGreaterThanOrEqual(99)
    expect(errors.map(({ code }) => code)).toEqual(['RATE_LIMITED', 'INSUFFICIENT_PERMISSIONS'])
  })

  it('sends its credentials, a new token when the hub takes the old one no more, and says when there is none', async () => {
    const tokens = ['old', 'new', 'none']
    let accepted = 'old'
    refuse = (request) => (request.headers.authorization === `Bearer ${accepted}` ? undefined : new Refusal('AUTH_TOKEN_EXPIRED'))
    await start({ token: () => tokens.shift() ?? 'none', project: 'p', pollMs: 20 })
    expect(requests.find(({ headers }) => headers['x-hubbub-project'] !== undefined)!.headers).toMatchObject({ authorization: 'Bearer old', 'x-hubbub-project': 'p' })
    accepted = 'new'
    await eventually(() => requests.some(({ headers }) => headers.authorization === 'Bearer new'))
    await eventually(() => client.state === 'live')
    accepted = 'another'
    await eventually(() => client.state === 'closed')
    expect(errors.at(-1)).toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
  })

  it('asks for fewer topics at once where the hub takes fewer', async () => {
    refuse = (request) => {
      const { searchParams } = new URL(request.url!, 'http://hub')
      return searchParams.getAll('topic').length > 3 ? new Refusal('INVALID_MESSAGE') : undefined
    }
    await start({ pollMs: 50 })
    for (const n of [0, 1, 2]) await client.subscribe([`task:${n}a`, `task:${n}b`, 'task:1'])
    head = 4
    await eventually(() => heard.length === 4)
    expect(heard).toEqual(['1', '2', '3', '4'])
    expect(client.state).toBe('live')
  })
})

describe('requests for history', () => {
  it('hold as many topics as a hub takes, and no more than fits into the head of a request', () => {
    const names = (count: number, length: number): string[] => Array.from({ length: count }, (_, n) => `task:${String(n).padEnd(length, '€')}`)
    expect(portions(names(50, 3)).map((part) => part.length)).toEqual([50])
    expect(portions(names(101, 3)).map((part) => part.length)).toEqual([50, 50, 1])
    const parts = portions(names(40, 200))
    expect(parts.flat()).toEqual(names(40, 200))
    for (const part of parts) expect(choiceOf({ topics: part }).toString().length).toBeLessThan(8000)
    expect(portions([])).toEqual([[]])
  })

  it('say what is a text and what is not', () => {
    const query = choiceOf({ topics: ['task:a,b'], types: ['task.*'], filter: { a: '3', b: 3, c: 'say "x"', d: null, e: true }, since: { last: 5 } })
    expect([...query]).toEqual([['topic', 'task:a,b'], ['types', 'task.*'], ['filter.a', '"3"'], ['filter.b', '3'], ['filter.c', '"say "x""'], ['filter.d', 'null'], ['filter.e', 'true'], ['since', 'last:5']])
  })
})
