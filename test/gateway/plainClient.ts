/** A client of plain WebSockets on the stock `ws`, which writes down all that it is told. */
import { WebSocket } from 'ws'
import { eventually } from '../harness/eventually.js'

export type Told = Record<string, unknown>

export interface PlainClient {
  socket: WebSocket
  told: Told[]
  /** Code and reason, once it is closed. */
  closed?: { code: number; reason: string }
  say(message: unknown): void
  /** The next message that matches, from where the last `hears` left off. */
  hears(what: (message: Told) => boolean, about?: string): Promise<Told>
  all(what: (message: Told) => boolean): Told[]
  /** The hub knows that it has all events up to here. Of dialects that ask for that: a ping with a mark comes behind events. */
  settled(): Promise<void>
  end(): Promise<{ code: number; reason: string }>
  close(): void
}

const open = new Set<PlainClient>()
afterEach(() => {
  for (const client of open) client.socket.terminate()
  open.clear()
})

/** Rejects with the status with which the upgrade was refused. */
export async function plainClient(url: string, path: string, options: { as?: string; headers?: Record<string, string> } = {}): Promise<PlainClient> {
  const { as, headers } = options
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers: { ...(as !== undefined && { authorization: `Bearer ${as}` }), ...headers } })
  let at = 0
  let asked = 0
  const client: PlainClient = {
    socket,
    told: [],
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async hears(what, about = 'a message') {
      const found = await eventually(() => {
        const index = client.told.findIndex((message, place) => place >= at && what(message))
        return index >= 0 && { index }
      }, `${about}; there are ${JSON.stringify(client.told.slice(at)).slice(0, 600)}`)
      at = found.index + 1
      return client.told[at - 1]!
    },
    all: (what) => client.told.filter(what),
    async settled() {
      await eventually(() => asked > client.told.findLastIndex(({ event_id: id }) => id !== undefined), 'being asked what it has')
      await new Promise<void>((resolve) => {
        socket.once('pong', () => resolve())
        socket.ping()
      })
    },
    end: () => eventually(() => client.closed, 'the end of the connection'),
    close: () => socket.close(),
  }
  socket.on('ping', (mark) => (asked = mark.length > 0 ? client.told.length : asked))
  socket.on('message', (data) => client.told.push(JSON.parse((data as Buffer).toString('utf8')) as Told))
  socket.on('close', (code, reason) => (client.closed = { code, reason: reason.toString('utf8') }))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')))
      response.on('end', () => reject(new Error(`${response.statusCode} ${text}`)))
    })
  })
  open.add(client)
  return client
}
