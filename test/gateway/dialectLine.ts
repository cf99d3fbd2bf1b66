/** A plain WebSocket in a dialect of typed messages: what it is told by type, and the answers to what it says. */
import type { RunningHub } from '../../server/src/hub.js'
import { eventually } from '../harness/eventually.js'
import { token, type Claims } from '../harness/token.js'
import { plainClient, type PlainClient } from './plainClient.js'

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

export class Line {
  constructor(private readonly client: PlainClient) {}

  get told(): Told[] {
    return this.client.told as Told[]
  }

  say(message: object | string): void {
    this.client.say(message)
  }

  of(type: string): Told[] {
    return this.told.filter((message) => message.type === type)
  }

  /** The message of that type, of those that fit, at that place among them: whether it is there already or comes. */
  async hears(type: string, fits: (message: Told) => boolean = () => true, place = 0): Promise<Told> {
    return await eventually(() => this.of(type).filter(fits)[place], `a message ${type}; there are ${JSON.stringify(this.told).slice(-600)}`)
  }

  /** Says something, and waits for the next message that fits. */
  async ask(message: object | string, fits: (answer: Told) => boolean): Promise<Told> {
    const before = this.told.length
    this.say(message)
    return await eventually(() => this.told.slice(before).find(fits), `an answer to ${JSON.stringify(message).slice(0, 300)}`)
  }

  close(): void {
    this.client.close()
  }

  /** Without a word. */
  drop(): void {
    this.client.socket.terminate()
  }

  ends(): Promise<{ code: number; reason: string }> {
    return this.client.end()
  }
}

/** @param path of the address, with its query; @param as the claims of the token in the header, or none */
export async function line(running: Pick<RunningHub, 'url'>, path: string, as?: Claims, headers: Record<string, string> = {}): Promise<Line> {
  return new Line(await plainClient(running.url, path, { ...(as && { as: token(as) }), headers }))
}
