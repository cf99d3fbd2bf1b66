/**
 * A subscriber's way to the hub, with everything that may happen to it: a TCP proxy in front of two workers, whose
 * connections are cut or whose worker is killed, and which then lead to the other worker.
 */
import { startCluster, type Cluster, type ClusterOptions } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'

/** `reset`: RST on both sides. `blackhole`: silence, until the subscriber notices by itself. `kill`: SIGKILL of its worker. */
export type Mishap = 'reset' | 'blackhole' | 'kill'

/** Five cuts and three killed workers. */
export const MISHAPS: readonly Mishap[] = ['reset', 'blackhole', 'kill', 'reset', 'kill', 'blackhole', 'kill', 'reset']

/** Silence is noticed within two seconds; rates do not stand in the way of a test's thousands. */
export const BRISK = {
  HUBBUB_PING_INTERVAL_MS: '700',
  HUBBUB_PING_TIMEOUT_MS: '1300',
  HUBBUB_MESSAGE_RATE: '100000',
  HUBBUB_MESSAGE_BURST: '100000',
  HUBBUB_FAMILY_RATES: '*=1000000',
}

export interface Crossing {
  readonly proxy: Proxy
  /** What a subscriber connects to. */
  readonly url: string
  /** The worker to which the way leads now. */
  readonly worker: HubProcess
  /**
   * The mishap, `whileAway` with no way open, then the way to the other worker; resolves when so many subscribers are
   * connected there. A killed worker is replaced.
   */
  suffer(mishap: Mishap, whileAway: () => Promise<void>, subscribers?: number): Promise<void>
  close(): Promise<void>
}

export async function startPair(options: ClusterOptions = {}): Promise<Cluster> {
  return await startCluster({ workers: 2, processors: 1, ...options, env: { ...BRISK, ...options.env } })
}

export async function openCrossing(cluster: Cluster): Promise<Crossing> {
  const alive = cluster.workers.filter((worker) => !killed.has(worker))
  const proxy = await startProxy({ port: alive[0]!.port })
  return {
    proxy,
    url: `http://${proxy.host}:${proxy.port}`,
    get worker() {
      return alive[0]!
    },
    async suffer(mishap, whileAway, subscribers = 1) {
      const [lost, other] = alive as [HubProcess, HubProcess]
      const before = proxy.accepted()
      proxy.retarget(other.port)
      if (mishap === 'blackhole') proxy.blackhole(true)
      else proxy.refuse(true)
      if (mishap === 'reset') proxy.cut('reset')
      if (mishap === 'kill') await kill(lost)
      alive.reverse()
      await whileAway()
      // Whoever sits in silence must find out without being told.
      await eventually(() => proxy.accepted() >= before + subscribers, 'a subscriber that tries to come back', 20_000)
      if (mishap === 'blackhole') proxy.blackhole(false)
      else proxy.refuse(false)
      const replacement = mishap === 'kill' ? cluster.addWorker() : undefined
      await eventually(async () => (await connectionsOf(other)) >= subscribers, 'subscribers on the other worker', 20_000)
      if (replacement) alive[1] = await replacement
    },
    close: () => proxy.close(),
  }
}

const killed = new WeakSet<HubProcess>()

async function kill(worker: HubProcess): Promise<void> {
  killed.add(worker)
  await worker.kill('SIGKILL')
}

async function connectionsOf(worker: HubProcess): Promise<number> {
  const response = await fetch(`${worker.url}/api/v1/websocket/status`, { headers: { authorization: `Bearer ${token()}` } })
  const { total } = (await response.json()) as { total: number }
  return total
}
