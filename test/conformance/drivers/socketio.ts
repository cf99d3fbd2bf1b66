/** The stock socket.io client: it comes back and recovers by itself. */
import { gunzipSync } from 'node:zlib'
import type { Answer, CommandResult, EventInput, Failure, Gap, HistoryRequest, HubEvent, PlacedEvent, PublishResult, SnapshotResult, SubscribeRequest, SubscribeResult, UnsubscribeResult } from '@hubbub/protocol'
import { io, type Socket } from 'socket.io-client'
import { type Connected, type Driver, Logged, type Published, Refused } from '../gateway.js'
import { HttpApi, publishedOf } from './http.js'

const ANSWER_MS = 20_000

export function socketio(transport: 'websocket' | 'polling'): Driver {
  return {
    name: transport === 'websocket' ? 'Socket.IO' : 'Socket.IO polling',
    async connect(url, credentials) {
      const { token, project, compress } = credentials
      const auth = { token, project, ...(compress && { compress: 'gzip' }) }
      const socket = io(url, { auth, transports: [transport], forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 100 })
      const connection = new SocketConnection(socket, new HttpApi(url, credentials))
      await connection.ready()
      return connection
    },
  }
}

class SocketConnection extends Logged implements Connected {
  /** Ids of live subscriptions, by their topics. */
  private readonly subscriptions = new Map<string, string[]>()
  /** Its session could not be resumed: a gap says so, and what it was subscribed to is gone. */
  private isLost = false

  constructor(private readonly socket: Socket, private readonly http: HttpApi) {
    super()
    const { log } = this
    socket.on('hub.error', ({ code }: Failure) => log.complaints.push(code))
    socket.on('connect_error', (error: Error & { data?: Failure }) => {
      if (error.data) log.complaints.push(error.data.code)
    })
    socket.on('connect', () => (this.isLost = !socket.recovered && this.subscriptions.size > 0))
    socket.on('gap', (gap: Gap) => {
      log.gap(gap)
      if (this.isLost) void this.subscribeAgain(gap.to)
    })
    socket.on('events', (placed: PlacedEvent[]) => {
      for (const { event, cursor } of placed) log.event(plain(event), cursor)
    })
    socket.onAny((name: string, event: HubEvent, cursor: string) => {
      if (!['hub.error', 'hub.cursor', 'hub.draining', 'gap', 'events', 'signal', 'command'].includes(name)) log.event(plain(event), cursor)
    })
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', () => resolve())
      this.socket.on('connect_error', (error: Error & { data?: Failure }) => {
        if (!error.data) return
        // Its transport would stay, and come back for ever.
        this.socket.disconnect()
        this.socket.io.engine.close()
        reject(new Refused(error.data.code, error.data.message))
      })
    })
  }

  async subscribe(request: SubscribeRequest): Promise<void> {
    let since = request.since
    for (let more = true; more; ) {
      // Heard in the answer's own turn: live events may stand right behind it.
      const answer = await this.ask<SubscribeResult>('subscribe', { ...request, since }, (result) => {
        if (result.gap) this.log.gap(result.gap)
        for (const { event, cursor } of result.events ?? []) this.log.event(event, cursor)
      })
      if (answer.subscriptionId !== undefined) this.subscriptions.set(answer.subscriptionId, request.topics)
      more = answer.more === true
      since = answer.cursor
    }
  }

  /** A subscription that has others besides is left, and the others are subscribed to again. */
  async unsubscribe(topics: string[]): Promise<void> {
    for (const [subscriptionId, held] of [...this.subscriptions]) {
      const rest = held.filter((topic) => !topics.includes(topic))
      if (rest.length === held.length) continue
      // The rest first: nothing may fall between.
      if (rest.length > 0) await this.subscribe({ topics: rest })
      await this.ask<UnsubscribeResult>('unsubscribe', { subscriptionId })
      this.subscriptions.delete(subscriptionId)
    }
  }

  async publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]> {
    if (inputs.length !== 1) return (await this.ask<{ results: Answer<PublishResult>[] }>('publish', inputs)).results.map(publishedOf)
    return [publishedOf(await this.call<PublishResult>('publish', { ...inputs[0], ...(ack && { ack }) }))]
  }

  async command(command: string, payload?: unknown): Promise<unknown> {
    return (await this.ask<CommandResult>('command', { command, payload })).result
  }

  async snapshot(topics: string[]) {
    return (await this.ask<SnapshotResult>('snapshot', { topics })).entities
  }

  history(request: HistoryRequest) {
    return this.http.history(request)
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    await this.ask('signal', { topic, name, data })
  }

  close(): void {
    this.socket.disconnect()
  }

  private async subscribeAgain(since: string): Promise<void> {
    this.isLost = false
    const lost = [...this.subscriptions.values()]
    this.subscriptions.clear()
    for (const topics of lost) await this.subscribe({ topics, since })
  }

  private call<T extends object>(name: string, input: unknown): Promise<Answer<T>> {
    return this.socket.timeout(ANSWER_MS).emitWithAck(name, input) as Promise<Answer<T>>
  }

  private ask<T extends object>(name: string, input: unknown, hear?: (result: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.socket.timeout(ANSWER_MS).emit(name, input, (error: Error | null, answer: Answer<T>) => {
        if (error) return reject(error)
        if (!answer.ok) return reject(new Refused(answer.error.code, answer.error.message))
        hear?.(answer)
        resolve(answer)
      })
    })
  }
}

/** As whoever asks for compression unpacks it. */
export function plain(event: HubEvent): HubEvent {
  const { compressed, ...metadata } = event.metadata as HubEvent['metadata'] & { compressed?: boolean }
  if (!compressed) return event
  return { ...event, data: JSON.parse(gunzipSync(Buffer.from(event.data as string, 'base64')).toString()) as unknown, metadata }
}

