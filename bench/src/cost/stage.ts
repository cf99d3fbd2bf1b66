/** What the costs are measured on: Redis, hubs and a crowd, each a process of its own, and their meters. */
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'
import { signToken } from '../../../server/dist/access/tokens.js'
import type { Settings } from '../../../server/dist/settings/table.js'
import type { CrowdLook, CrowdOptions, Grow, PublishFigures, PublishOrder } from './crowd.js'
import type { HubLook, HubQuestion } from '../ground/meteredHub.js'
import { startChild, startRedis, type Child } from '../ground/processes.js'
import { SECRET } from '../ground/token.js'

/** None of the limits is what is measured; a processor that is frozen for a while keeps its partition. */
const SETTINGS: Partial<Settings> = {
  jwtSecret: SECRET, connectRate: 0, messageRate: 1_000_000, messageBurst: 1_000_000, familyRates: '*=1000000', leaseMs: 120_000, leaseRenewMs: 10_000, pingTimeoutMs: 300_000, retentionCount: 1_000_000,
}
const DEADLINE_MS = 300_000

export interface RedisLook {
  /** s, user and system, of the main thread and all others. */
  cpu: number
  bytes: number
}

export interface HubProcess extends Child {
  readonly url: string
  look(question?: HubQuestion): Promise<HubLook>
  freeze(): void
  thaw(): void
}

export interface Crowd {
  grow(grow: Grow): Promise<void>
  look(): Promise<CrowdLook>
  publish(order: PublishOrder): Promise<PublishFigures>
  /** Until so many events came to its sockets together. */
  received(events: number): Promise<void>
}

export class CostStage {
  private readonly children: Child[] = []
  private constructor(readonly redisUrl: string, private readonly client: RedisClient, private readonly stopRedis: () => Promise<void>) {}

  static async open(redisArguments: readonly string[] = []): Promise<CostStage> {
    const redis = await startRedis(redisArguments)
    const client = clientOf(redis.url)
    await client.connect()
    return new CostStage(redis.url, client, () => redis.stop())
  }

  async hub(role: 'worker' | 'processor', settings: Partial<Settings> = {}): Promise<HubProcess> {
    const child = await this.start('ground/meteredHub.js', { ...SETTINGS, redisUrl: this.redisUrl, role, ...settings })
    return {
      ...child, url: String(child.ready['url']),
      look: async (question = {}) => (child.tell(question), (await child.next()) as unknown as HubLook),
      freeze: () => void process.kill(child.pid, 'SIGSTOP'),
      thaw: () => void process.kill(child.pid, 'SIGCONT'),
    }
  }

  async crowd(options: Pick<CrowdOptions, 'url'>): Promise<Crowd> {
    const token = signToken(SECRET, { sub: 'bench', role: 'service' }, '2h')
    const child = await this.start('cost/crowd.js', { ...options, secret: SECRET, token })
    const order = async <T>(message: object): Promise<T> => (child.tell(message), (await child.next()) as T)
    const look = () => order<CrowdLook>({ order: 'look' })
    return {
      grow: async (grow) => void (await order({ order: 'grow', ...grow })), look, publish: (asked) => order<PublishFigures>({ order: 'publish', ...asked }),
      received: (events) => until(async () => (await look()).received >= events, `${events} deliveries`),
    }
  }

  async redis(): Promise<RedisLook> {
    const info = `${await this.client.info('cpu')}\n${await this.client.info('memory')}`
    const figure = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN)
    return { cpu: figure('used_cpu_user') + figure('used_cpu_sys'), bytes: figure('used_memory') }
  }

  /** Bytes of the keys whose name holds one of these, by that. Every element is looked at. */
  async bytesOf(names: readonly string[]): Promise<Record<string, number>> {
    const found: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]))
    for await (const keys of this.client.scanIterator({ COUNT: 1000 })) {
      for (const key of keys) {
        const name = names.find((part) => key.includes(part))
        if (name !== undefined) found[name]! += (await this.client.memoryUsage(key, { SAMPLES: 0 })) ?? 0
      }
    }
    return found
  }

  async close(): Promise<void> {
    for (const child of this.children) await child.stop()
    this.client.destroy()
    await this.stopRedis()
  }

  private async start(script: string, input: object): Promise<Child> {
    const child = await startChild(script, input)
    this.children.push(child)
    return child
  }
}

const clientOf = (url: string) => createClient({ url })
type RedisClient = ReturnType<typeof clientOf>

export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; !(await holds()); await pause(50)) {
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what}`)
  }
}
