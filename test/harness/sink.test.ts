import type { Answer, HubEvent, SubscribeRequest, SubscribeResult } from '@hubbub/protocol'
import { createServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { stockClient } from './sink.js'

const event = (seq: number): HubEvent => ({
  id: `coder:${seq}`, type: 'task.progress', timestamp: 1, project: 'default', topics: ['task:1'], data: { producer: 'coder', seq }, metadata: { version: '1.0', source: '/agents/coder', recordedAt: 1 },
})

describe('the recording stock client', () => {
  let http: HttpServer
  let io: Server
  let url: string
  let requests: SubscribeRequest[]

  beforeEach(async () => {
    requests = []
    http = createServer()
    io = new Server(http)
    io.on('connection', (socket) => {
      socket.on('subscribe', (request: SubscribeRequest, answer: (answer: Answer<SubscribeResult>) => void) => {
        requests.push(request)
        const base = { ok: true as const, topics: request.topics, activeSubscriptions: 1 }
        if (request.since === 'all') return answer({ ...base, cursor: 'e1.1-0', events: [{ event: event(0), cursor: 'e1.1-0' }], more: true })
        answer({ ...base, subscriptionId: 's1', cursor: 'e1.2-0', events: request.since ? [{ event: event(1), cursor: 'e1.2-0' }] : undefined })
        socket.emit('hub.cursor', 'e1.2-0')
        socket.emit('task.progress', event(2), 'e1.3-0')
        socket.emit('gap', { from: 'e0.1-0', to: 'e1.1-0', reason: 'epoch' })
      })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  })
  afterEach(() => io.close())

  test('asks on while there is more, then records what comes live, apart from bookmarks and gaps', async () => {
    const sink = await stockClient(url, { topics: ['task:1'], since: 'all' })
    await sink.holds(3)
    expect(sink.receipts().map(({ id, offset, seq }) => [id, offset, seq])).toEqual([['coder:0', 'e1.1-0', 0], ['coder:1', 'e1.2-0', 1], ['coder:2', 'e1.3-0', 2]])
    expect(requests.map(({ since }) => since)).toEqual(['all', 'e1.1-0'])
    expect([sink.bookmarks, sink.connections.length, sink.connections[0]!.recovered]).toEqual([['e1.2-0'], 1, false])
    sink.close()
  })

  test('subscribes anew on a connection that was not recovered', async () => {
    const sink = await stockClient(url, { topics: ['task:1'] })
    await sink.holds(1)
    sink.socket.io.engine.close()
    await sink.holds(2)
    expect(sink.connections).toHaveLength(2)
    sink.close()
  })

  test('says how many came when the rest does not', async () => {
    const sink = await stockClient(url, { topics: ['task:1'] })
    await sink.holds(1)
    await expect(sink.holds(2, 50)).rejects.toThrow('waited 50 ms for 2 events (there are 1, 1 connections, errors: none)')
    sink.close()
  })
})
