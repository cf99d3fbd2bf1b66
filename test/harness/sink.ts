/**
 * A subscriber with nothing of ours in it: the stock socket.io client, which writes down what it is told. It subscribes
 * at each connection that was not recovered, as every dashboard does, and leaves the rest to the hub.
 */
import type { Answer, Gap, HubEvent, Signal, SubscribeRequest, SubscribeResult } from '@hubbub/protocol'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { receiptOf, type Receipt } from './checker.js'
import { eventually } from './eventually.js'

export interface SinkOptions extends Partial<SubscribeRequest> {
  token?: string
  project?: string
  /** Of socket.io-client: transports, delays, ... */
  client?: Partial<ManagerOptions & SocketOptions>
}

export interface Sink {
  socket: Socket
  /** In order of arrival. `cursor` is the last argument, which the stock client takes for its offset. */
  events: { type: string; event: HubEvent; cursor: string }[]
  /** One for each connection that came about. */
  connections: { id: string; recovered: boolean }[]
  gaps: Gap[]
  signals: Signal[]
  /** Codes of `hub.error` and `connect_error`. */
  errors: string[]
  bookmarks: string[]
  answers: Answer<SubscribeResult>[]
  receipts(): Receipt[]
  ids(): string[]
  /** Waits until so many events are in. */
  holds(count: number, deadlineMs?: number): Promise<void>
  close(): void
}

const open = new Set<Socket>()
// A failed test leaves its sinks connected, and they would reconnect for ever.
afterAll(() => {
  for (const socket of open) socket.disconnect()
})

/** Connects; resolves when the first subscription (if topics are given) is answered. */
export async function stockClient(url: string, options: SinkOptions = {}): Promise<Sink> {
  const { token, project, client, ...request } = options
  const socket = io(url, {
    auth: { token, project },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    timeout: 5000,
    ...client,
  })
  open.add(socket)
  const sink: Sink = {
    socket,
    events: [],
    connections: [],
    gaps: [],
    signals: [],
    errors: [],
    bookmarks: [],
    answers: [],
    receipts: () => sink.events.map(({ event, cursor }) => receiptOf(event, cursor)),
    ids: () => sink.events.map(({ event }) => event.id),
    async holds(count, deadlineMs = 20_000) {
      const outcome = () => `${count} events (there are ${sink.events.length}, ${sink.connections.length} connections, errors: ${sink.errors.join(' ') || 'none'})`
      await eventually(() => sink.events.length >= count, 'the arrival', deadlineMs).catch((error: unknown) => {
        throw new Error(`waited ${deadlineMs} ms for ${outcome()}`, { cause: error })
      })
    },
    close: () => void socket.disconnect(),
  }
  record(sink)
  socket.on('connect', () => {
    sink.connections.push({ id: socket.id!, recovered: socket.recovered ?? false })
    if (socket.recovered || !request.topics) return
    // What a new session of the same page asks for is what comes from now on: `since` counts for the first one.
    subscribe(sink, sink.answers.length === 0 ? request : { ...request, since: undefined })
  })
  const subscribed = () => sink.answers.some((answer) => !answer.ok || !answer.more)
  await eventually(() => (request.topics ? subscribed() : sink.connections.length > 0), `an answer of ${url}`, 15_000).catch((error: unknown) => {
    socket.disconnect()
    throw new Error(`no subscription at ${url}; errors: ${sink.errors.join(' ') || 'none'}`, { cause: error })
  })
  return sink
}

/** Asks again while there is more to have; events of answers stand before the live ones. */
function subscribe(sink: Sink, request: Partial<SubscribeRequest>): void {
  sink.socket.emit('subscribe', request, (answer: Answer<SubscribeResult>) => {
    sink.answers.push(answer)
    if (!answer.ok) return
    if (answer.gap) sink.gaps.push(answer.gap)
    for (const { event, cursor } of answer.events ?? []) sink.events.push({ type: event.type, event, cursor })
    if (answer.more) subscribe(sink, { ...request, since: answer.cursor })
  })
}

function record(sink: Sink): void {
  const { socket } = sink
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) => sink.errors.push(error.data?.code ?? error.message))
  socket.onAny((type: string, ...args: unknown[]) => {
    const last = args.at(-1)
    if (type === 'hub.cursor') sink.bookmarks.push(String(last))
    else if (type === 'hub.error') sink.errors.push((args[0] as { code: string }).code)
    else if (type === 'gap') sink.gaps.push(args[0] as Gap)
    else if (type === 'signal') sink.signals.push(args[0] as Signal)
    else if (type !== 'hub.draining') sink.events.push({ type, event: args[0] as HubEvent, cursor: String(last) })
  })
}
