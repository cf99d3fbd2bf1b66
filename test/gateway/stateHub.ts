/** A whole hub in this process, in memory or on Redis, asked over HTTP by people of several kinds. */
import { createHub, type Hub, type Settings } from '@hubbub/server'
import type { EventInput } from '@hubbub/protocol'
import { silent } from '../../server/src/observe/log.js'
import { ask, type Asked, type Told } from '../harness/ask.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { SECRET, token, type Claims } from '../harness/token.js'

export interface StateHub {
  url: string
  /** `as` are claims: an admin of project `default` unless they say otherwise. */
  ask(path: string, asked?: Omit<Asked, 'as'> & { as?: Claims }): Promise<Told>
  /** Must succeed; the answer's body. */
  get<T = Record<string, unknown>>(path: string, as?: Claims): Promise<T>
  /** Publishes as a service; throws unless all are committed. */
  publish(...events: EventInput[]): Promise<void>
  close(): Promise<void>
}

export const SERVICE: Claims = { sub: 'engine', role: 'service' }
export const VIEWER: Claims = { sub: 'dashboard', role: 'viewer' }

/** Whoever has these permissions only. */
export function only(...permissions: string[]): Claims {
  return { sub: 'somebody', role: 'viewer', permissions }
}

export async function startStateHub(kind: 'memory' | 'redis' = 'memory', settings: Partial<Settings> = {}): Promise<StateHub> {
  const redis: RedisProcess | undefined = kind === 'redis' ? await startRedis() : undefined
  const generous = { messageRate: 100_000, messageBurst: 100_000, familyRates: '*=100000' }
  const hub: Hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, ...generous, ...(redis && { redisUrl: redis.url }), ...settings } })
  const stateHub: StateHub = {
    url: hub.url,
    ask: (path, { as = {}, ...asked } = {}) => ask(hub.url + path, { ...asked, as: token(as) }),
    async get(path, as) {
      const told = await stateHub.ask(path, { as })
      if (told.status !== 200) throw new Error(`${path}: ${told.status} ${told.text}`)
      return told.body as never
    },
    async publish(...events) {
      const { body } = await stateHub.ask('/api/v1/events', { as: SERVICE, json: events })
      const refused = (body['results'] as { ok: boolean }[] | undefined)?.find(({ ok }) => !ok)
      if (!body.ok || refused) throw new Error(JSON.stringify(refused ?? body.error))
    },
    async close() {
      await hub.close()
      await redis?.stop()
    },
  }
  return stateHub
}

export const codeOf = ({ status, body }: Told) => [status, body.error?.code]
