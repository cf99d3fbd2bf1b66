/** `@hubbub/server`: the hub inside somebody's own Node program. */
import type { Server } from 'node:http'
import { randomBytes } from 'node:crypto'
import { HubError, type EventInput, type PublishResult } from '@hubbub/protocol'
import type { Identity } from './access/identity.js'
import { handlerOutlet, type EventHandler } from './gateway/process.js'
import { startHub, type HubOptions } from './hub.js'
import { createLog, type Logger } from './observe/log.js'
import { settingsWith } from './settings/read.js'
import type { Settings } from './settings/table.js'

export { HubError, type HubEvent, type EventInput, type PublishResult } from '@hubbub/protocol'
export { signToken } from './access/tokens.js'
export type { EventHandler } from './gateway/process.js'
export { SettingError } from './settings/read.js'
export type { Settings } from './settings/table.js'

export interface CreateHubOptions extends Pick<HubOptions, 'onConnect' | 'onDisconnect'> {
  /**
   * Your server; the hub answers `/socket.io/`, `/ws` (setting `wsPath`), `/api/v1/`, `/api/docs`, `/api/openapi.json`, `/api/asyncapi.json`, `/webhooks/`, `/health/` and
   * `/metrics` there. Without one it listens itself.
   */
  server?: Server
  /** Any of CONFIGURATION.md, by name; the rest are defaults. */
  settings?: Partial<Settings>
  log?: Logger
}

export interface Hub {
  readonly url: string
  /** Resolves when the commit is in the journal (I4). Rejects with `HubError`. */
  publish(type: string, data: unknown, options?: Omit<EventInput, 'type' | 'data'>): Promise<PublishResult>
  /** Events of a topic or topic pattern from now on, in journal order; answers how to stop. */
  on(topic: string, handler: EventHandler, options?: { project?: string; types?: string[] }): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** Rejects with `SettingError` on a wrong setting. */
export async function createHub(options: CreateHubOptions = {}): Promise<Hub> {
  const settings = settingsWith(options.settings)
  // As `hubbub up` does: without a cluster and without a key, tokens are valid for this process only.
  if (settings.redisUrl === '' && settings.jwtSecret + settings.jwksFile + settings.jwtPublicKeyFile === '') settings.jwtSecret = randomBytes(32).toString('base64url')
  const log = options.log ?? createLog('warn', 'embedded')
  const running = await startHub({ ...options, settings, log })
  const identity = (project: string): Identity => ({ subject: 'embedded', role: 'admin', project, projects: ['*'], permissions: ['admin'], via: 'none' })
  return {
    get url() {
      return running.url
    },
    async publish(type, data, { project = 'default', ...rest } = {}) {
      const [answer] = await running.operations.publish(identity(project), [{ ...rest, type, data }], { ack: 'committed', client: 'embedded' })
      if (answer?.ok) return answer
      throw new HubError(answer?.error.code ?? 'INTERNAL_ERROR', answer?.error.message, answer?.error.details)
    },
    async on(topic, handler, { project = 'default', types } = {}) {
      const admit = await running.operations.admit(identity(project))
      const connection = admit(handlerOutlet(handler, (error) => log.error({ err: error, topic }, 'event handler')), { who: { session: `process-${randomBytes(6).toString('hex')}`, wire: 'process' } })
      await connection.subscribe(types ? { topics: [topic], types } : { topics: [topic] }, () => undefined)
      return () => Promise.resolve(running.operations.disconnect(connection))
    },
    close: () => running.close(),
  }
}
