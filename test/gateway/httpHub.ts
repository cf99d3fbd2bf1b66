/** A real express app on a free port, over a real store; only the operations are the test's own. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HubError, type Answer, type EventInput, type HistoryResult, type PublishResult } from '@hubbub/protocol'
import { createAuthenticator } from '../../server/src/access/authenticator.js'
import type { Identity } from '../../server/src/access/identity.js'
import { signToken } from '../../server/src/access/tokens.js'
import { Gatekeeper } from '../../server/src/gateway/gatekeeper.js'
import { createHttpGateway, type HttpDeps } from '../../server/src/gateway/http/gateway.js'
import { silent } from '../../server/src/observe/log.js'
import { Streams } from '../../server/src/gateway/http/streams.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { createEntityReader } from '../../server/src/operations/entities.js'
import { snapshot } from '../../server/src/operations/snapshot.js'
import { createTasks } from '../../server/src/operations/tasks.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { Store } from '../../server/src/store/port.js'
import { SECRET } from '../access/authorities.js'

export interface Published {
  identity: Identity
  inputs: readonly unknown[]
  options: { ack: string; client: string }
}

export interface Delivered {
  project: string
  source: string
  input: EventInput
  key: string
}

export interface HttpHub {
  url: string
  app: { router: { stack: readonly object[] } }
  store: Store
  published: Published[]
  asked: unknown[]
  /** Waiting requests whose client hung up. */
  abandoned: unknown[]
  delivered: Delivered[]
  fetch(path: string, init?: RequestInit & { as?: string }): Promise<Response>
  close(): Promise<void>
}

/** Tokens by name, for `as`. */
const TOKENS: Record<string, string> = {
  viewer: signToken(SECRET, { sub: 'viewer-1' }, '1h'),
  agent: signToken(SECRET, { sub: 'coder-1', role: 'agent' }, '1h'),
  admin: signToken(SECRET, { sub: 'boss', role: 'admin' }, '1h'),
  operator: signToken(SECRET, { sub: 'root', role: 'admin', project: '*' }, '1h'),
  stranger: signToken(SECRET, { sub: 'coder-1', role: 'agent', project: 'other' }, '1h'),
}

export async function startHttpHub(overrides: Partial<Settings> = {}, more: Partial<HttpDeps> = {}): Promise<HttpHub> {
  const settings = settingsWith({ jwtSecret: SECRET, ...overrides })
  const store = await openStore(storeOptions(settings))
  const authenticator = createAuthenticator({ settings, store, log: silent })
  await authenticator.start()
  const seen = { published: [] as Published[], asked: [] as unknown[], abandoned: [] as unknown[], delivered: [] as Delivered[] }
  const metrics = createMetrics()
  const nobody = { opened: () => undefined, closed: () => undefined, disconnect: () => undefined, presence: { follow: () => undefined } }
  const gate = new Gatekeeper({ settings, authenticator, log: silent, drainage: { refuses: false }, connections: () => 0 })
  const streams = new Streams({ gate, operations: nobody, attendance: nobody, authenticator, settings, metrics, others: () => 0 })
  const app = createHttpGateway({
    operations: { ...recordingOperations(seen), ...readingOperations(store, settings) },
    intake: recordingIntake(seen.delivered),
    authenticator,
    gate,
    store,
    settings,
    metrics,
    streams,
    log: silent,
    status: () => ({ version: '0.0.0', role: 'all', node: 'test', startedAt: Date.now() - 5 }),
    broadcast: () => undefined,
    connections: (project) => (project === undefined ? { total: 3, active: 2 } : { total: 1, active: project === 'default' ? 1 : 0 }),
    ...more,
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    app,
    store,
    ...seen,
    fetch: (path, { as, ...init } = {}) => {
      const headers = { ...(as !== undefined && { authorization: `Bearer ${tokenOf(as)}` }), ...(init.headers as Record<string, string> | undefined) }
      return fetch(url + path, { ...init, headers })
    },
    async close() {
      authenticator.close()
      await streams.close()
      await ended(server)
      await store.close()
    },
  }
}

export function tokenOf(name: string): string {
  return TOKENS[name]!
}

/** Publishes whatever has a type; `history` answers at once, waits for its signal, or fails, as its first topic says. */
function recordingOperations(seen: Pick<HttpHub, 'published' | 'asked' | 'abandoned'>): Pick<HttpDeps['operations'], 'publish' | 'history'> {
  return {
    publish(identity, inputs, options) {
      seen.published.push({ identity, inputs, options })
      return Promise.resolve(inputs.map((input, at) => answerTo(input, at)))
    },
    history(_identity, request, signal) {
      seen.asked.push(request)
      const [topic] = (request as { topics: string[] }).topics
      if (topic === 'task:broken') throw new TypeError('secret text of the inside')
      if (topic === undefined) throw new HubError('INVALID_TOPIC')
      const result: HistoryResult = { events: [], cursor: 'e.1-0', more: false }
      if (topic !== 'task:wait') return Promise.resolve(result)
      return new Promise((_resolve, reject) => {
        const abandon = () => {
          seen.abandoned.push(request)
          reject(new Error('aborted'))
        }
        signal.addEventListener('abort', abandon, { once: true })
      })
    },
  }
}

/** What stands in the store; nothing can be ordered, for there is no processor. */
function readingOperations(store: Store, settings: Settings): Omit<HttpDeps['operations'], 'publish' | 'history'> {
  const deps = { state: store.state, partitions: store.partitions, settings }
  const entities = createEntityReader(deps)
  const away = () => Promise.reject(new HubError('UNAVAILABLE'))
  return {
    snapshot: (identity, input) => snapshot(deps, identity, input), entities, tasks: createTasks({ announce: away, history: away, entities, settings }),
    signal: away, register: away, follow: away, mail: away, trace: away, mailTaken: () => undefined, commands: { give: away }, broadcasts: { send: away }, presence: { ask: away },
  }
}

function answerTo(input: unknown, at: number): Answer<PublishResult> {
  const type = typeof input === 'object' && input !== null ? (input as { type?: unknown }).type : undefined
  if (type === 'limited') return { ok: false, error: new HubError('RATE_LIMITED', undefined, { retryAfterMs: 1500 }).toJSON() }
  if (typeof type !== 'string') return { ok: false, error: new HubError('INVALID_MESSAGE').toJSON() }
  return { ok: true, id: `id-${at}`, type, offset: '1-0' }
}

function recordingIntake(delivered: Delivered[]): HttpDeps['intake'] {
  const used = new Set<string>()
  return {
    deliver(project, source, input, { key }) {
      const duplicate = used.has(key)
      used.add(key)
      if (!duplicate) delivered.push({ project, source, input, key })
      return Promise.resolve({ id: key, duplicate })
    },
  }
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
