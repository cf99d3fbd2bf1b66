/** Subscribers of every wire, each of which comes back by the means that its wire has for that, for as long as it takes. */
import { request } from 'node:http'
import { connect } from '@hubbub/client'
import type { Answer, Gap, HubEvent, SubscribeResult } from '@hubbub/protocol'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import type { Ear, Taste } from './ear.js'
import { passFor } from './pass.js'
import type { Door } from './world.js'

export const WIRES = ['websocket', 'polling', 'sdk', 'plain', 'sse'] as const
export type Wire = (typeof WIRES)[number]

export interface Subscriber {
  readonly ear: Ear
  close(): void
}

/** Nothing at all for so long, pings included: the connection is dead, whatever TCP says. */
const SILENCE_MS = 7000
const AGAIN_LEAST_MS = 50
const AGAIN_MOST_MS = 500
const ANSWER_MS = 5000

export function subscriber(wire: Wire, ear: Ear, door: Door): Subscriber {
  const token = passFor('viewer', ear.project, ear.name)
  switch (wire) {
    case 'sdk':
      return { ear, close: bySdk(ear, door, token) }
    case 'plain':
      return { ear, close: byPlainWebSocket(ear, door, token) }
    case 'sse':
      return { ear, close: byStream(ear, door, token) }
    default:
      return { ear, close: byStockClient(ear, door, token, wire) }
  }
}

/** The stock client recovers its session by itself; what it asks for by `since` is only what no session stands for. */
function byStockClient(ear: Ear, door: Door, token: string, transport: 'websocket' | 'polling'): () => void {
  const socket = io(door.url, {
    auth: { token }, transports: [transport], forceNew: true, reconnectionDelay: AGAIN_LEAST_MS, reconnectionDelayMax: AGAIN_MOST_MS, timeout: 3000,
  })
  let isLive = false
  let wasLive = false
  const take = (event: HubEvent, cursor: string) => {
    if (isLive) ear.event(event.id, cursor)
  }
  socket.on('connect', () => {
    const recovered = socket.recovered ?? false
    ear.connected(door.leadsTo)
    if (isLive && recovered) return
    // A subscription of which no answer came may stand in the session all the same; what it brings is not listened to.
    wasLive = isLive
    isLive = false
    void stand(socket, ear, recovered, () => (isLive = true)).catch((error: unknown) => {
      ear.complain(String(error))
      if (socket.connected) socket.io.engine.close()
    })
  })
  socket.on('connect_error', (error: Error & { data?: { code: string; retryable: boolean } }) => {
    if (error.data && !error.data.retryable) ear.complain(error.data.code)
  })
  socket.on('gap', (gap: Gap) => {
    // One of another reason comes again in the answer to what it asks for by its cursor.
    if (isLive) ear.gap(gap)
    else if (wasLive && gap.reason === 'session') ear.forgotten(gap)
  })
  socket.on('hub.cursor', (cursor: string) => {
    if (isLive) ear.cursor = cursor
  })
  socket.onAny((name: string, event: HubEvent, cursor: string) => {
    if (name.includes('.') && !name.startsWith('hub.')) take(event, cursor)
  })
  return () => void socket.disconnect()
}

/** Subscribes behind the ear's cursor, page by page. Every answer is heard in its own turn: live events may stand right behind the last. */
async function stand(socket: Socket, ear: Ear, recovered: boolean, live: () => void): Promise<void> {
  if (recovered) await ask(socket, 'unsubscribe', {}, () => undefined)
  for (;;) {
    const { more } = await ask(socket, 'subscribe', { ...wordsOf(ear.taste), since: ear.cursor }, (answer: SubscribeResult) => {
      ear.answered(answer)
      if (!answer.more) live()
    })
    if (!more) return
  }
}

function ask<T extends object>(socket: Socket, name: string, input: unknown, hear: (answer: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    socket.timeout(ANSWER_MS).emit(name, input, (error: Error | null, answer: Answer<T>) => {
      if (error || !answer.ok) return reject(error ?? new Error(answer.ok ? '' : answer.error.code))
      hear(answer)
      resolve(answer)
    })
  })
}

function bySdk(ear: Ear, door: Door, token: string): () => void {
  const client = connect(door.url, { token, reconnect: { minMs: AGAIN_LEAST_MS, maxMs: AGAIN_MOST_MS }, climbMs: 3000, pollMs: 1000, connectTimeoutMs: 3000, ackTimeoutMs: 10_000 })
  client.on('*', (event, { cursor }) => ear.event(event.id, cursor))
  client.onState((state) => {
    if (state === 'live') ear.connected(door.leadsTo)
  })
  client.onGap((gap) => ear.gap(gap))
  client.onError(({ code, message }) => ear.complain(`${code} ${message}`))
  const wanted = async () => {
    const subscription = await client.subscribe({ ...wordsOf(ear.taste), since: ear.cursor })
    // Its events come through the client's own handler.
    subscription.on(() => undefined)
    await subscription.live()
  }
  wanted().catch((error: unknown) => ear.complain(String(error)))
  return () => client.close()
}

function byPlainWebSocket(ear: Ear, door: Door, token: string): () => void {
  const line = openLine((ended) => {
    const query = new URLSearchParams([...queryOf(ear.taste), ['since', ear.cursor]])
    const socket = new WebSocket(`${door.url.replace('http', 'ws')}/ws?${query.toString()}`, { headers: { authorization: `Bearer ${token}` }, handshakeTimeout: 3000 })
    socket.on('open', () => ear.connected(door.leadsTo))
    socket.on('ping', () => line.heard())
    socket.on('message', (data) => {
      line.heard()
      const { type, payload } = JSON.parse((data as Buffer).toString('utf8')) as { type: string; payload: Record<string, string> }
      if (type === 'event') ear.event(payload['id']!, payload['cursor']!)
      else if (type === 'gap') ear.gap(payload as unknown as Gap)
      else if (type === 'cursor' || type === 'subscribed') ear.cursor = payload['cursor']!
      else if (type === 'error') ear.complain(payload['code']!)
    })
    socket.on('error', () => {})
    socket.on('close', ended)
    return () => socket.terminate()
  })
  return () => line.close()
}

function byStream(ear: Ear, door: Door, token: string): () => void {
  let isFirst = true
  const line = openLine((ended) => {
    const query = new URLSearchParams([...queryOf(ear.taste), ['since', ear.cursor], ['compress', 'none']])
    const headers = { authorization: `Bearer ${token}`, ...(!isFirst && { 'last-event-id': ear.cursor }) }
    const asked = request(`${door.url}/api/v1/stream?${query.toString()}`, { agent: false, headers })
    asked.on('response', (response) => {
      if (response.statusCode !== 200) return void asked.destroy()
      ear.connected(door.leadsTo)
      let rest = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        line.heard()
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop()!
        for (const block of blocks) if (hearBlock(ear, block)) isFirst = false
      })
    })
    asked.on('error', () => {})
    asked.on('close', ended)
    asked.end()
    return () => void asked.destroy()
  })
  return () => line.close()
}

/** Whether the block had an id: from then on it comes back by that. */
function hearBlock(ear: Ear, block: string): boolean {
  const fields: Record<string, string> = {}
  for (const text of block.split('\n')) {
    const colon = text.indexOf(':')
    fields[text.slice(0, colon)] = text.slice(colon + 1).trimStart()
  }
  const { event, data, id } = fields
  if (event === undefined || data === undefined) return false
  if (event === 'gap') ear.gap(JSON.parse(data) as Gap)
  else if (event === 'hub.error') ear.complain((JSON.parse(data) as { code: string }).code)
  else if (!event.startsWith('hub.') && id !== undefined) ear.event((JSON.parse(data) as HubEvent).id, id)
  if (id !== undefined) ear.cursor = id
  return id !== undefined
}

interface Line {
  /** Something came: it lives. */
  heard(): void
  close(): void
}

/**
 * A connection after the other: each is given up when nothing is heard of it, and followed by the next one a moment after its end.
 * @param open answers how to end it
 */
function openLine(open: (ended: () => void) => () => void): Line {
  let end: () => void = () => undefined
  let again: NodeJS.Timeout | undefined
  let heardAt = 0
  let closed = false
  const begin = () => {
    heardAt = performance.now()
    end = open(() => {
      if (!closed) again = setTimeout(begin, AGAIN_LEAST_MS + Math.random() * (AGAIN_MOST_MS - AGAIN_LEAST_MS))
    })
  }
  const watch = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MS) end()
  }, 500)
  begin()
  return {
    heard: () => void (heardAt = performance.now()),
    close() {
      closed = true
      clearInterval(watch)
      clearTimeout(again)
      end()
    },
  }
}

function wordsOf({ topics, types, filter }: Taste) {
  return { topics, ...(types && { types }), ...(filter && { filter }) }
}

function queryOf({ topics, types, filter }: Taste): [string, string][] {
  return [
    ...topics.map((topic): [string, string] => ['topics', topic]),
    ...(types ?? []).map((type): [string, string] => ['types', type]),
    ...Object.entries(filter ?? {}).map(([field, value]): [string, string] => [`filter.${field}`, String(value)]),
  ]
}
