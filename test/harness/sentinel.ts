/** Redis under Sentinels, all real processes on free ports: a master, its replicas, and three that watch. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { ended, leash } from './leash.js'
import { freePort } from './port.js'
import { startRedis, type RedisProcess } from './redis.js'
import { commandTo, inSync } from './replicas.js'

export interface SentinelSite {
  /** `redis+sentinel://...` */
  url: string
  /** The first one began as the master. */
  nodes: RedisProcess[]
  sentinels: { port: number; kill(signal: NodeJS.Signals): Promise<void> }[]
  /** As the Sentinels name it now. */
  master(): Promise<RedisProcess>
  /** Resolves when they name another master than this one. */
  failedOver(from: RedisProcess): Promise<RedisProcess>
  stop(): Promise<void>
}

const NAME = 'hub'
/** ms of silence after which a Sentinel takes a node for dead */
const DOWN_MS = 800
const NODE = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', '--repl-timeout', '5']

export async function startSentinel({ replicas = 1, args = [] }: { replicas?: number; args?: string[] } = {}): Promise<SentinelSite> {
  const dir = await mkdtemp(join(tmpdir(), 'hubbub-sentinel-'))
  const first = await startRedis({ args: [...NODE, ...args] })
  const others = await Promise.all(Array.from({ length: replicas }, () => startRedis({ args: [...NODE, ...args, '--replicaof', '127.0.0.1', String(first.port)] })))
  const nodes = [first, ...others]
  await Promise.all(others.map(inSync))
  const sentinels = await Promise.all([0, 1, 2].map((number) => startOne(dir, number, first.port)))
  await Promise.all(sentinels.map(({ port }) => eventually(() => sees(port, replicas), `the Sentinel on port ${port} seeing the others`, 20_000)))

  const named = async (): Promise<RedisProcess | undefined> => {
    const [, port] = (await commandTo(sentinels[0]!, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string]
    return nodes.find((node) => node.port === Number(port))
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    nodes,
    sentinels,
    master: async () => (await named())!,
    async failedOver(from) {
      return await eventually(async () => {
        const master = await named()
        return master !== from && master
      }, 'the failover', 20_000)
    },
    async stop() {
      await Promise.all(sentinels.map((sentinel) => sentinel.kill('SIGKILL')))
      await Promise.all(nodes.map((node) => node.stop()))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function startOne(dir: string, number: number, master: number): Promise<SentinelSite['sentinels'][number]> {
  const port = await freePort()
  const file = join(dir, `sentinel-${number}.conf`)
  const lines = [`monitor ${NAME} 127.0.0.1 ${master} 2`, `down-after-milliseconds ${NAME} ${DOWN_MS}`, `failover-timeout ${NAME} 2000`, `parallel-syncs ${NAME} 1`]
  await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...lines.map((line) => `sentinel ${line}`)].join('\n') + '\n')
  const child: ChildProcess = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'ignore', 'inherit'] })
  leash(child)
  return {
    port,
    async kill(signal) {
      child.kill(signal)
      if (signal === 'SIGKILL') await ended(child)
    },
  }
}

/** It would vote for nobody before. */
async function sees(port: number, replicas: number): Promise<boolean> {
  const flat = (await commandTo({ port }, 'SENTINEL', 'MASTER', NAME)) as Record<string, string>
  return Number(flat['num-slaves']) === replicas && Number(flat['num-other-sentinels']) === 2
}
