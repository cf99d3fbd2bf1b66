/**
 * A client as cheap as can be that does what the stock one does: it comes back after 1 to 5 s with jitter, presents its session and the last
 * cursor it heard, and subscribes again where it was not recovered. What a worker that stops says of it, it does not understand.
 */
import { WebSocket } from 'ws'
import type { ClientRecord } from './record.js'

/** socket.io-client's own defaults, ms. */
const RECONNECT = { least: 1000, most: 5000, jitter: 0.5 }
const CONNECT_MS = 20_000

const EVENT = '42["task.progress",'

export class RawSocket {
  private socket?: WebSocket
  private attempts = 0
  private pid?: string
  private offset?: string
  private timer?: NodeJS.Timeout
  /** A hub that says nothing for so long is gone, ms. */
  private silenceMs = CONNECT_MS
  private isClosed = false
  private isSubscribed = false
  private onOpen?: () => void

  /** @param url `ws://host:port` */
  constructor(private readonly url: string, private readonly token: string, private readonly record: ClientRecord) {}

  /** Resolves when it is subscribed for the first time. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.onOpen = resolve
      this.connect()
    })
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
    this.socket?.terminate()
  }

  private connect(): void {
    const socket = new WebSocket(`${this.url}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false, skipUTF8Validation: true })
    this.socket = socket
    this.silenceMs = CONNECT_MS
    this.listen()
    socket.on('message', (data: Buffer) => this.heard(data))
    socket.on('error', () => undefined)
    socket.on('close', () => this.ended())
  }

  private ended(): void {
    clearTimeout(this.timer)
    if (this.isClosed) return
    this.record.left()
    const { least, most, jitter } = RECONNECT
    const ms = least * 2 ** this.attempts++
    const chance = Math.random()
    const deviation = chance * jitter * ms
    this.timer = setTimeout(() => this.connect(), Math.min(most, Math.floor(chance * 10) % 2 === 0 ? ms - deviation : ms + deviation))
  }

  private listen(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.socket?.terminate(), this.silenceMs)
  }

  private heard(data: Buffer): void {
    const text = data.toString('utf8')
    const [engine, kind] = text
    if (engine === '4' && kind === '2') return this.told(text)
    if (engine === '2') {
      this.socket!.send('3')
      this.listen()
    } else if (engine === '0') this.opened(JSON.parse(text.slice(1)) as { pingInterval: number; pingTimeout: number })
    else if (engine === '4' && kind === '0') this.connected(JSON.parse(text.slice(2)) as { pid: string })
    else if (engine === '4' && kind === '3') this.answered(text)
    else if (engine === '4' && kind === '4') this.record.refusals.push(text.slice(2, 200))
  }

  private opened({ pingInterval, pingTimeout }: { pingInterval: number; pingTimeout: number }): void {
    this.attempts = 0
    this.silenceMs = pingInterval + pingTimeout
    this.listen()
    this.socket!.send(`40${JSON.stringify({ token: this.token, ...(this.pid !== undefined && { pid: this.pid, offset: this.offset }) })}`)
  }

  private connected({ pid }: { pid: string }): void {
    const isRecovered = pid === this.pid
    this.pid = pid
    // A session that was lost before it was answered may have nothing to recover.
    if (isRecovered && this.isSubscribed) return this.record.back()
    if (this.record.isAway && this.isSubscribed) this.record.fresh++
    this.socket!.send(`420${JSON.stringify(['subscribe', { topics: [this.record.subscription] }])}`)
  }

  private answered(text: string): void {
    if (!text.includes('"ok":true')) return void this.record.refusals.push(text.slice(0, 200))
    this.isSubscribed = true
    this.record.back()
    this.onOpen?.()
    this.onOpen = undefined
  }

  /** Parsed by hand: there are tens of thousands a second. */
  private told(text: string): void {
    if (!text.startsWith(EVENT)) {
      const args = JSON.parse(text.slice(2)) as unknown[]
      if (args[0] === 'gap') this.record.faults.gaps++
      const last = args.at(-1)
      if (args.length > 1 && typeof last === 'string') this.offset = last
      return
    }
    const end = text.lastIndexOf('"')
    this.offset = text.slice(text.lastIndexOf('"', end - 1) + 1, end)
    this.record.heard(numberBehind(text, '"taskId":"T-'), numberBehind(text, '"seq":'), this.offset)
  }
}

function numberBehind(text: string, mark: string): number {
  return Number.parseInt(text.slice(text.indexOf(mark) + mark.length, text.indexOf(mark) + mark.length + 12), 10)
}
