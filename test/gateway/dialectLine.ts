/** A connection over a plain WebSocket, with everything it was told, in order. */
import { WebSocket } from 'ws'
import type { RunningHub } from '../../server/src/hub.js'
import { eventually } from '../harness/eventually.js'
import { token, type Claims } from '../harness/token.js'

export interface Told {
  type: string
  id?: string
  event_id?: string
  timestamp: number | string
  data: Record<string, unknown>
  payload: Record<string, unknown>
  metadata: Record<string, unknown>
  [field: string]: unknown
}

const open = new Set<Line>()
afterEach(() => {
  for (const line of open) line.socket.terminate()
  open.clear()
})

export class Line {
  readonly told: Told[] = []
  ending?: { code: number; reason: string }

  constructor(readonly socket: WebSocket) {
    open.add(this)
    socket.on('message', (data) => this.told.push(JSON.parse((data as Buffer).toString('utf8')) as Told))
    socket.on('close', (code, reason) => (this.ending = { code, reason: reason.toString() }))
    socket.on('error', () => undefined)
  }

  say(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  of(type: string): Told[] {
    return this.told.filter((message) => message.type === type)
  }

  /** The message of that type with that place among them; of those that fit. */
  async hears(type: string, fits: (message: Told) => boolean = () => true, place = 0): Promise<Told> {
    return await eventually(() => this.of(type).filter(fits)[place], `a message ${type}`)
  }

  /** What comes of a message that says something new: the next message that fits. */
  async ask(message: object | string, fits: (answer: Told) => boolean): Promise<Told> {
    const before = this.told.length
    this.say(message)
    return await eventually(() => this.told.slice(before).find(fits), 'an answer')
  }

  ends(): Promise<{ code: number; reason: string }> {
    return eventually(() => this.ending, 'the end')
  }
}

/** @param path of the address, with its query; @param as the claims of the token in the header, or none */
export async function line(running: Pick<RunningHub, 'url'>, path: string, as?: Claims, headers: Record<string, string> = {}): Promise<Line> {
  const authorization = as && { authorization: `Bearer ${token(as)}` }
  const opened = new Line(new WebSocket(`${running.url.replace('http', 'ws')}${path}`, { headers: { ...authorization, ...headers } }))
  await eventually(() => opened.socket.readyState !== opened.socket.CONNECTING, 'the connection')
  return opened
}
