/** The registry's nine handlers under both of their names, and a hub with everybody whom they concern. */
import type { HubEvent } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'

export type Data = Record<string, unknown>

const OLDER_NAMES = {
  'agent.register': 'agent:register', 'agent.heartbeat': 'agent:heartbeat', 'agent.status_changed': 'agent:status_update', 'task.result': 'task:result',
  'task.progress': 'task:progress', 'task.failed': 'task:failed', 'task.accepted': 'task:accepted', 'task.rejected': 'task:rejected', 'system.health_check': 'system:health_check',
} as const

export type Handler = keyof typeof OLDER_NAMES
export const HANDLERS = Object.keys(OLDER_NAMES) as Handler[]
/** What an agent says of a task. */
export const REPORTS = ['task.result', 'task.progress', 'task.failed', 'task.accepted', 'task.rejected'] as const satisfies Handler[]

export interface Spelling {
  name: (handler: Handler) => string
  fields: (data: Data) => Data
  /** With an id or a time (ms) of the producer's own. */
  event: (handler: Handler, data: Data, own: { id?: string; timestamp?: number }) => Data
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const snaked = (data: Data): Data => Object.fromEntries(Object.entries(data).map(([name, value]) => [snake(name), value]))

export const SPELLINGS: [string, Spelling][] = [
  ['older names', {
    name: (handler) => OLDER_NAMES[handler],
    fields: snaked,
    event: (handler, data, { id, timestamp }) => ({
      event_type: OLDER_NAMES[handler], payload: snaked(data), ...(id !== undefined && { event_id: id }), ...(timestamp !== undefined && { timestamp: new Date(timestamp).toISOString() }),
    }),
  }],
  ['canonical names', { name: (handler) => handler, fields: (data) => data, event: (type, data, own) => ({ type, data, ...own }) }],
]

export interface Worker extends Tap {
  id: string
  /** The delegation of the task with that attempt, from 1. */
  mail(taskId: string, attempt?: number): Promise<{ taskId: string; leaseToken: string }>
}

export interface Office {
  hub: HubProcess
  redis: RedisProcess
  connect(claims: Claims): Promise<Tap>
  /** An agent under a name of its own, registered unless `unknown`. */
  hire(claims?: Claims & { unknown?: boolean }): Promise<Worker>
  /** A task meant for that agent, and the lease that its delegation gave. */
  delegate(worker: Worker, more?: Data): Promise<{ taskId: string; leaseToken: string }>
  /** A managed task by a service, over HTTP. */
  order(more: Data): Promise<string>
  find(kind: 'tasks' | 'agents' | 'pipelines', id: string): Promise<Data>
  close(): Promise<void>
}

let names = 0

/** One process on a Redis of its own. */
export async function openOffice(env: Record<string, string> = {}): Promise<Office> {
  const redis = await startRedis()
  const rates = { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_LOG_LEVEL: 'silent' }
  const hub = await startHub({ redis: redis.url, env: { ...rates, HUBBUB_RETRY_MS: '10', ...env } })
  const engine = token({ sub: 'engine', role: 'service' })
  const office: Office = {
    hub,
    redis,
    connect: (claims) => tap(hub.url, { auth: { token: token(claims) } }),
    async hire({ unknown, ...claims } = {}) {
      const id = `agent-${++names}`
      const connected = await office.connect({ sub: id, role: 'agent', ...claims })
      if (!unknown) await connected.must('agent.register', { maxTasks: 100 })
      return Object.assign(connected, {
        id,
        async mail(taskId: string, attempt = 1) {
          const fits = ({ type, data }: HubEvent) => type === 'task.delegate' && (data as Data)['taskId'] === taskId && (data as Data)['attempt'] === attempt
          const { event } = await eventually(() => connected.events.find((heard) => fits(heard.event)), `delegation ${attempt} of ${taskId}`)
          return { taskId, leaseToken: (event.data as { leaseToken: string }).leaseToken }
        },
      })
    },
    async order(more) {
      const { status, body, text } = await ask(`${hub.url}/api/v1/tasks`, { as: engine, json: { id: `task-${++names}`, type: 'work', ...more } })
      if (status !== 201) throw new Error(text)
      return body['id'] as string
    },
    delegate: async (worker, more = {}) => await worker.mail(await office.order({ agentId: worker.id, ...more })),
    async find(kind, id) {
      return (await ask(`${hub.url}/api/v1/${kind}/${id}`, { as: engine })).body
    },
    async close() {
      await hub.stop()
      await redis.stop()
    },
  }
  return office
}
