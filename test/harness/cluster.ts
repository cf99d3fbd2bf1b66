/** A cluster on one machine: Redis, workers and processors, each a real process. */
import { startHub, type HubOptions, type HubProcess } from './hub.js'
import { startRedis, type RedisProcess } from './redis.js'

export interface ClusterOptions {
  workers?: number
  processors?: number
  /** Somebody else's, which `stop` leaves alone; absent: one of the cluster's own. */
  redis?: RedisProcess
  redisArgs?: string[]
  adapter?: 'sharded' | 'pubsub' | 'streams'
  partitions?: number
  env?: Record<string, string>
  args?: string[]
}

export interface Cluster {
  redis: RedisProcess
  /** In the order of their start; killed ones stay on the list. */
  workers: HubProcess[]
  processors: HubProcess[]
  addWorker(options?: HubOptions): Promise<HubProcess>
  addProcessor(options?: HubOptions): Promise<HubProcess>
  /** Ends all processes: in order, `kill` not waiting for any drain. */
  stop(how?: 'drain' | 'kill'): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { workers = 3, processors = 2 } = options
  const redis = options.redis ?? (await startRedis({ args: options.redisArgs }))
  const args = [
    ...(options.adapter ? ['--adapter', options.adapter] : []),
    ...(options.partitions ? ['--partitions', String(options.partitions)] : []),
    ...(options.args ?? []),
  ]
  const member = (role: 'worker' | 'processor', extra: HubOptions = {}) =>
    startHub({ role, redis: redis.url, ...extra, args: [...args, ...(extra.args ?? [])], env: { ...options.env, ...extra.env } })
  const cluster: Cluster = {
    redis,
    workers: [],
    processors: [],
    async addWorker(extra) {
      const worker = await member('worker', extra)
      cluster.workers.push(worker)
      return worker
    },
    async addProcessor(extra) {
      const processor = await member('processor', extra)
      cluster.processors.push(processor)
      return processor
    },
    async stop(how = 'drain') {
      const all = [...cluster.workers, ...cluster.processors]
      await Promise.all(all.map((hub) => (how === 'drain' ? hub.stop() : hub.kill('SIGKILL'))))
      if (!options.redis) await redis.stop()
    },
  }
  try {
    await Promise.all([
      ...Array.from({ length: processors }, () => cluster.addProcessor()),
      ...Array.from({ length: workers }, () => cluster.addWorker()),
    ])
  } catch (error) {
    await cluster.stop('kill')
    throw error
  }
  return cluster
}
