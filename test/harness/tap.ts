/**
 * A stock client that writes down every packet as it came over the wire: what must not be there is looked for in all that was
 * sent, and not only where a handler listens.
 */
import type { Answer, Failure, HubEvent } from '@hubbub/protocol'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { eventually } from './eventually.js'

export type StockOptions = Partial<ManagerOptions & SocketOptions>

export interface Tap {
  socket: Socket
  /** Payloads of engine.io messages, in order: `0{...}`, `2["task.progress",...]`, `44{...}`. */
  packets: string[]
  /** Codes of `connect_error`, the message where it had none. */
  refusals: string[]
  /** Of `hub.error`. */
  complaints: Failure[]
  /** Reasons of disconnections. */
  endings: string[]
  events: { event: HubEvent; cursor: string }[]
  ids(): string[]
  call<T extends object = Record<string, unknown>>(name: string, ...args: unknown[]): Promise<Answer<T>>
  /** A call that must succeed. */
  must<T extends object = Record<string, unknown>>(name: string, ...args: unknown[]): Promise<T>
  /** Waits for the event of that id. */
  hears(id: string): Promise<HubEvent>
  close(): void
}

const NOT_EVENTS = new Set(['hub.cursor', 'hub.error', 'hub.draining', 'gap', 'signal'])
const ANSWER_MS = 15_000
const open = new Set<Socket>()
afterAll(() => {
  for (const socket of open) socket.disconnect()
})

/** Resolves when it is connected or refused, whichever comes first; it does not come back by itself unless `reconnection` says so. */
export async function tap(url: string, options: StockOptions = {}): Promise<Tap> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, reconnectionDelay: 50, reconnectionDelayMax: 200, autoConnect: false, ...options })
  open.add(socket)
  const tapped: Tap = {
    socket,
    packets: [],
    refusals: [],
    complaints: [],
    endings: [],
    events: [],
    ids: () => tapped.events.map(({ event }) => event.id),
    call: (name, ...args) => socket.timeout(ANSWER_MS).emitWithAck(name, ...args),
    async must(name, ...args) {
      const answer = await tapped.call(name, ...args)
      if (!answer.ok) throw new Error(`${name} was refused: ${JSON.stringify(answer.error)}`)
      return answer as never
    },
    async hears(id) {
      const found = await eventually(() => tapped.events.find(({ event }) => event.id === id), `${id} to arrive; there are ${tapped.ids().join(' ')}`)
      return found.event
    },
    close: () => void socket.disconnect(),
  }
  listen(tapped)
  const settled = new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('connect_error', () => resolve())
  })
  socket.connect()
  await settled
  return tapped
}

/** Whether the text stands in anything that the client was sent. */
export function wasTold({ packets }: Tap, text: string): boolean {
  return packets.some((packet) => packet.includes(text))
}

function listen(tapped: Tap): void {
  const { socket } = tapped
  socket.io.on('open', () => {
    socket.io.engine.on('packet', ({ type, data }) => {
      if (type === 'message') tapped.packets.push(String(data))
    })
  })
  socket.on('connect_error', (error: Error & { data?: Failure }) => tapped.refusals.push(error.data?.code ?? error.message))
  socket.on('disconnect', (reason) => tapped.endings.push(reason))
  socket.on('hub.error', (failure: Failure) => tapped.complaints.push(failure))
  socket.onAny((name: string, ...args: unknown[]) => {
    if (!NOT_EVENTS.has(name)) tapped.events.push({ event: args[0] as HubEvent, cursor: String(args.at(-1)) })
  })
}
