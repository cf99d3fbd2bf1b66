/**
 * A hub in this process, and clients of it without a socket: each speaks one message format, and what it says goes the way that a
 * connection's messages go. Everything is the hub's own but the wire.
 */
import { Writable } from 'node:stream'
import { HubError, topicMatches, type CommandCall, type Failure } from '@hubbub/protocol'
import { pino } from 'pino'
import type { Identity } from '../../server/src/access/identity.js'
import { credentialFromAuth } from '../../server/src/access/credentials.js'
import { Compression } from '../../server/src/fanout/compression.js'
import type { Chunk } from '../../server/src/fanout/entry.js'
import type { Outlet } from '../../server/src/fanout/session.js'
import { handleMessage, type Client, type MessageDeps } from '../../server/src/gateway/messages.js'
import type { Dialect, Opening, Speaker } from '../../server/src/gateway/websocket/dialect.js'
import { createDialects } from '../../server/src/gateway/websocket/dialects/all.js'
import { followIn } from '../../server/src/gateway/websocket/query.js'
import { routeOf } from '../../server/src/gateway/websocket/routes.js'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import type { Connection } from '../../server/src/operations/connection.js'
import type { Profile } from '../../server/src/operations/agents.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import { SECRET } from '../harness/token.js'

/** Little is kept, and for a short time (longer than a starved hub's own tail is behind): what grows all the same is a leak. No rates: it is the parsers that are to work. */
const SETTINGS: Partial<Settings> = {
  port: 0, partitions: 1, jwtSecret: SECRET, retentionMs: 5000, retentionCount: 2000, retentionBytes: 1_048_576, seenMs: 1000, seenCount: 1000, deadLetters: 10, finishedMs: 500, finishedCount: 10, idleMs: 2000,
  forgetMs: 5000, offlineMs: 4000, staleMs: 3000, heartbeatMs: 1000, stateEntities: 1000, windowEvents: 100, windowBytes: 65_536, traceSessions: 10, traceEpisodes: 4, taskTries: 1, acceptMs: 500,
  messageRate: 1_000_000_000, messageBurst: 1_000_000_000, familyRates: '*=1000000000', commandMs: 100, publishTimeoutMs: 20_000, systemProject: 'none', alertRefusals: 0, alertSlow: 0,
}

export interface Embedded {
  hub: RunningHub
  settings: Settings
  /** Lines of level `error` and worse. */
  errors: string[]
  open(identity: Identity, way: string): Promise<Correspondent>
  close(): Promise<void>
}

export async function embed(): Promise<Embedded> {
  const settings = settingsWith(SETTINGS)
  const errors: string[] = []
  const log = pino({ level: 'error' }, new Writable({ write: (line: Buffer, _encoding, done) => (errors.push(line.toString()), done()) }))
  const hub = await startHub({ settings, log })
  // For places of clients that do not remember theirs.
  const store = await openStore(storeOptions(settings))
  const { operations, metrics } = hub
  const dialects = createDialects({ settings, metrics, log, compression: new Compression(settings.compressBytes, metrics), sessions: store.sessions, partitions: settings.partitions, history: (...asked) => operations.history(...asked) })
  const messages: MessageDeps = { operations, settings, metrics, log, take: () => 0, broadcast: () => undefined, vitals: () => Promise.reject(new HubError('UNAVAILABLE')) }
  let count = 0
  return {
    hub,
    settings,
    errors,
    async open(identity, way) {
      const id = `fuzz-${++count}`
      const route = routeOf({ url: way }, settings.wsPath)
      const dialect = route && dialects.get(route)
      if (!route || !dialect) throw new HubError('NOT_FOUND')
      const opening: Opening = { ...(route.name !== undefined && { name: route.name }), query: new URL(way, 'http://hub').searchParams, identity }
      const request = await (dialect.begin ? dialect.begin(opening) : followIn(opening.query))
      const follow = await operations.follow(identity, { mail: true, ...request })
      const correspondent = new Correspondent(id, dialect, messages)
      correspondent.begin(follow(correspondent.outlet, { session: id, wire: 'websocket' }), opening)
      return correspondent
    },
    async close() {
      await hub.close()
      await store.close()
    },
  }
}

/** One client: of Socket.IO by `say`, of a dialect by `hear`. */
export class Correspondent implements Client, Speaker {
  connection!: Connection
  readonly outlet: Outlet
  /** Events that it was given. */
  given = 0
  /** Since it was last asked. */
  private told: string[] = []
  private conversation!: ReturnType<Dialect['converse']>
  private profileSaid?: Profile

  constructor(readonly id: string, private readonly dialect: Dialect, private readonly messages: MessageDeps) {
    const nothing = { bytes: 0, packets: 0 }
    this.outlet = { encoding: dialect.encoding, write: (chunk: Chunk) => void (this.given += chunk.entries.length), bookmark: () => undefined, gap: () => undefined, waiting: () => nothing, drained: () => Promise.resolve() }
  }

  begin(connection: Connection, opening: Opening): void {
    this.connection = connection
    this.conversation = this.dialect.converse(this, opening)
    this.conversation.welcome?.()
  }

  /** One of the hub's messages, as Socket.IO clients send them; answered once. */
  say(name: unknown, args: readonly unknown[]): Promise<{ ok: true } | { ok: false; error: Failure }> {
    return new Promise((resolve) => handleMessage(this.messages, this, name, args, resolve))
  }

  /** A message of its dialect. Rejects as the conversation does; what it was told meanwhile is `taken`. */
  async hear(message: unknown): Promise<void> {
    await this.conversation.hear(message)
  }

  /** Codes of failures among the messages that it was sent since it was last asked. */
  taken(): string[] {
    return this.told.splice(0)
  }

  close(): void {
    this.conversation.end?.()
    this.messages.operations.disconnect(this.connection)
    this.messages.operations.executors.gone(this.id)
  }

  // ---------------------------------------------------------------- as a conversation sees it

  get settings(): Settings {
    return this.messages.settings
  }

  identity(): Identity {
    return this.connection.identity
  }

  send(message: object): void {
    const code = /"code":"([A-Z_]+)"/.exec(JSON.stringify(message))?.[1]
    if (code !== undefined) this.told.push(code)
  }

  async request<T extends object>(name: string, input: unknown, answered?: (result: T) => void): Promise<T> {
    const answer = await this.say(name, [input])
    if (!answer.ok) throw new HubError(answer.error.code, answer.error.message, answer.error.details)
    const { ok: _ok, ...result } = answer
    answered?.(result as T)
    return result as T
  }

  subscriptions(): ReturnType<Speaker['subscriptions']> {
    return this.connection.chosen
  }

  cursor(): string {
    return this.connection.session.positionCursor
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  received(): Promise<void> {
    return Promise.resolve()
  }

  // ---------------------------------------------------------------- as messages see it

  profile(): Profile {
    return this.profileSaid ?? { capabilities: [] }
  }

  watches(topic: string): boolean {
    return this.connection.subscriptions.some(({ topics }) => topics.some((pattern) => topicMatches(pattern, topic)))
  }

  ask(_call: CommandCall): Promise<unknown> {
    return Promise.reject(new HubError('COMMAND_TIMEOUT'))
  }

  subscribed(): void {
    this.messages.operations.presence.follow(this.connection)
  }

  registered(profile: Profile): void {
    this.profileSaid = profile
  }

  refresh(auth: unknown): Promise<{ expiresAt?: number }> {
    const { credential } = credentialFromAuth(auth)
    return Promise.reject(new HubError(credential ? 'AUTH_INVALID_TOKEN' : 'AUTH_MISSING_TOKEN'))
  }

  readonly door = () => undefined
  signal = () => undefined
  complain = (error: Failure) => void this.told.push(error.code)
}
