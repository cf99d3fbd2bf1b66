/** A real Socket.IO server that speaks the hub's protocol from an array, with faults on demand: for the client's connection. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { compareOffsets, formatCursor, HubError, parseCursor, topicMatches, type Answer, type Cursor, type FailureCode, type Gap, type HubEvent, type PlacedEvent, type PublishRequest, type PublishResult, type SubscribeRequest, type UnsubscribeRequest } from '@hubbub/protocol'
import { Server, type Socket } from 'socket.io'

export class WireHub {
  readonly journal: PlacedEvent[] = []
  /** All that was asked: name, payload. */
  readonly asked: [string, unknown][] = []
  readonly handshakes: Record<string, unknown>[] = []
  readonly publishedIds: string[] = []
  /** Events in one answer. */
  page = 1000
  /** Cursors at or before it are answered with a gap. */
  gap: Gap | undefined
  /** Answers that get lost, of the messages to come: the connection is cut instead. */
  losses = 0
  /** Messages to come that are never answered, though the connection stays. */
  silences = 0
  /** Called before each answer of a subscribe. */
  beforeAnswer: (() => void) | undefined
  /** Called right behind each answer of a subscribe, in the same turn. */
  afterAnswer: (() => void) | undefined
  /** Answers to messages that it does not know itself, by name. */
  readonly answers = new Map<string, (payload: never) => Answer<object> | object>()
  refuseHandshake: ((auth: Record<string, unknown>) => FailureCode | undefined) | undefined
  readonly #server = createServer()
  readonly #io = new Server(this.#server, { serveClient: false })
  readonly #topics = new Map<string, Map<string, string[]>>()
  #count = 0

  constructor() {
    this.#io.use((socket, next) => {
      this.handshakes.push(socket.handshake.auth)
      const code = this.refuseHandshake?.(socket.handshake.auth)
      // As the hub does: stock clients take a `connect_error` as final.
      if (code && new HubError(code).retryable) socket.conn.close()
      next(code && Object.assign(new Error(code), { data: new HubError(code).toJSON() }))
    })
    this.#io.on('connection', (socket) => this.#welcome(socket))
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    await this.#io.close()
  }

  get cursor(): Cursor {
    return formatCursor('e', `1-${this.journal.length}`)
  }

  emit(id: string, topics: string[]): void {
    const event: HubEvent = { id, type: 'task.progress', timestamp: 0, project: 'default', topics, data: {}, metadata: { version: '1.0', source: '/x', recordedAt: 0 } }
    this.journal.push({ event, cursor: formatCursor('e', `1-${this.journal.length + 1}`) })
    for (const socket of this.#io.sockets.sockets.values()) if (this.#wants(socket, topics)) socket.emit(event.type, event, this.cursor)
  }

  /** Asks the only client. */
  ask(name: string, payload: unknown): Promise<unknown> {
    const [socket] = this.#io.sockets.sockets.values()
    return socket!.timeout(5000).emitWithAck(name, payload) as Promise<unknown>
  }

  /** Sends an event to everybody, whatever they subscribed to: as mail comes. */
  mail(type: string, topic: string, data: object): void {
    const event: HubEvent = { id: `mail-${this.journal.length + 1}`, type, timestamp: 0, project: 'default', topics: [topic], data, metadata: { version: '1.0', source: '/hub', recordedAt: 0 } }
    this.journal.push({ event, cursor: formatCursor('e', `1-${this.journal.length + 1}`) })
    this.#io.emit(type, event, this.cursor)
  }

  /** A task's progress, to everybody. */
  report(taskId: string, progress: number): void {
    this.mail('task.progress', `task:${taskId}`, { taskId, progress })
  }

  /** As a network does it: no word of good-bye. */
  cut(): void {
    for (const socket of this.#io.sockets.sockets.values()) socket.conn.close()
  }

  /** As the hub ends a connection for a reason. */
  expel(code: FailureCode): void {
    for (const socket of this.#io.sockets.sockets.values()) {
      socket.emit('hub.error', new HubError(code).toJSON())
      socket.disconnect()
    }
  }

  #wants(socket: Socket, topics: string[]): boolean {
    return [...(this.#topics.get(socket.id)?.values() ?? [])].flat().some((pattern) => topics.some((topic) => topicMatches(pattern, topic)))
  }

  #welcome(socket: Socket): void {
    const own = new Map<string, string[]>()
    this.#topics.set(socket.id, own)
    // As the hub does for a client whose session it could not resume.
    if (this.handshakes.length > 1) socket.emit('gap', { from: 'e.1-0', to: this.cursor, reason: 'session' } satisfies Gap)
    socket.emit('hub.cursor', this.cursor)
    const on = (name: string, take: (payload: never) => object): void => {
      socket.on(name, (payload: unknown, ack: (answer: Answer<object>) => void) => {
        this.asked.push([name, payload])
        if (this.silences-- > 0) return
        const result = take(payload as never)
        if (this.losses > 0) {
          this.losses--
          socket.conn.close()
          return
        }
        ack('ok' in result ? (result as Answer<object>) : { ok: true, ...result })
        if (name === 'subscribe') this.afterAnswer?.()
        if (name.endsWith('subscribe')) socket.emit('hub.cursor', this.cursor)
      })
    }
    for (const [name, answer] of this.answers) on(name, answer)
    on('subscribe', (request: SubscribeRequest) => this.#subscribe(own, request))
    on('unsubscribe', ({ subscriptionId }: UnsubscribeRequest) => {
      if (subscriptionId === undefined) own.clear()
      else own.delete(subscriptionId)
      return { activeSubscriptions: own.size }
    })
    on('publish', (payload: PublishRequest | PublishRequest[]) => (Array.isArray(payload) ? { results: payload.map((one) => this.#publish(one)) } : this.#publish(payload)))
    on('signal', (payload: object) => {
      socket.emit('signal', { ...payload, source: '/x', timestamp: 0 })
      return {}
    })
    on('auth.refresh', () => ({}))
  }

  #publish(request: PublishRequest): Answer<PublishResult> {
    const duplicate = this.publishedIds.includes(request.id!)
    if (!duplicate) {
      this.publishedIds.push(request.id!)
      this.emit(request.id!, request.topics ?? ['project'])
    }
    return { ok: true, id: request.id!, type: request.type, ...(duplicate && { duplicate }) }
  }

  #subscribe(own: Map<string, string[]>, { topics, since }: SubscribeRequest): object {
    this.beforeAnswer?.()
    const from = parseCursor(since)?.offset
    const start = since === 'all' ? '0-0' : (from ?? this.cursor.slice(2))
    const behind = this.journal.filter(({ event, cursor }) => compareOffsets(cursor.slice(2), start) > 0 && event.topics.some((topic) => topics.some((pattern) => topicMatches(pattern, topic))))
    const events = behind.slice(0, this.page)
    const more = behind.length > events.length
    const id = `s${++this.#count}`
    if (!more) own.set(id, topics)
    const gap = from !== undefined && this.gap && compareOffsets(from, parseCursor(this.gap.to)!.offset) < 0 ? this.gap : undefined
    return { topics, activeSubscriptions: own.size, cursor: more ? events.at(-1)!.cursor : this.cursor, ...(since !== undefined && { events, more }), ...(!more && { subscriptionId: id }), ...(gap && { gap }) }
  }
}
