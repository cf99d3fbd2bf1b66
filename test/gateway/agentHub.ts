/** Hubs in this process, on the store in memory, and agents, services and viewers that are really connected to them. */
import type { HubEvent } from '@hubbub/protocol'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { tap, type StockOptions, type Tap } from '../harness/tap.js'
import { SECRET, token, type Claims } from '../harness/token.js'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

export async function hub(settings: Partial<Settings> = {}): Promise<RunningHub> {
  const running = await startHub({ settings: settingsWith({ port: 0, jwtSecret: SECRET, messageRate: 100_000, messageBurst: 100_000, ...settings }) })
  open.push(running)
  return running
}

export async function client(running: RunningHub, claims: Claims, options: StockOptions = {}): Promise<Tap> {
  const connected = await tap(running.url, { auth: { token: token(claims) }, ...options })
  open.push(connected)
  return connected
}

export function agent(running: RunningHub, sub = 'coder', more: Claims = {}, options: StockOptions = {}): Promise<Tap> {
  return client(running, { sub, role: 'agent', ...more }, options)
}

export function service(running: RunningHub): Promise<Tap> {
  return client(running, { sub: 'planner', role: 'service' })
}

/** The socket's own end, without a word of the client. */
export function drop(who: Tap): void {
  const { ws } = who.socket.io.engine.transport as unknown as { ws: { terminate(): void } }
  ws.terminate()
}

export function dataOf(event: HubEvent): Record<string, unknown> {
  return event.data as Record<string, unknown>
}

/** What is told of connections, in order. */
export function attendance(watcher: Tap): { type: string; data: Record<string, unknown> }[] {
  return watcher.events.filter(({ event }) => event.type.startsWith('connection.')).map(({ event }) => ({ type: event.type, data: dataOf(event) }))
}

export function closings(watcher: Tap): Record<string, unknown>[] {
  return attendance(watcher).filter(({ type }) => type === 'connection.closed').map(({ data }) => data)
}
