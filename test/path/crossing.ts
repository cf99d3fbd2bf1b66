/**
 * A subscriber's way to the hub, with everything that may happen to it: a TCP proxy in front of two workers, whose
 * connections are cut or whose worker is killed, and which then lead to the other worker.
 */
import { startCluster, type Cluster, type ClusterOptions } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import type { Producer } from '../harness/producer.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'

/**
 * `reset`: RST on both sides. `blackhole`: silence, until the subscriber notices by itself. `kill`: SIGKILL of its worker.
 * `restart`: the whole hub, every process, is stopped by SIGTERM and started anew; Redis stays.
 */
export type Mishap = 'reset' | 'blackhole' | 'kill' | 'restart'

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

/** A journal that reaches back for three seconds or a hundred events, whichever is more. */
export const FORGETFUL = { HUBBUB_RETENTION_MS: '3000', HUBBUB_RETENTION_COUNT: '100', HUBBUB_BOOKMARK_MS: '300' }

export interface Crossing {
  readonly proxy: Proxy
  /** What a subscriber connects to. */
  readonly url: string
  /** The worker to which the way leads now. */
  readonly worker: HubProcess
  /** The one to which it leads after the next mishap, unless that ends all. */
  readonly other: HubProcess
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

/** Hooks of a `describe`: one pair for all its tests, and a way of its own for each. */
export function crossEach(options: ClusterOptions, hand: (crossing: Crossing) => void): void {
  let cluster: Cluster
  let crossing: Crossing
  beforeAll(async () => {
    cluster = await startPair(options)
  }, 60_000)
  beforeEach(async () => {
    crossing = await openCrossing(cluster)
    hand(crossing)
  })
  afterEach(() => crossing.close())
  afterAll(() => cluster.stop('kill'))
}

export async function openCrossing(cluster: Cluster): Promise<Crossing> {
  let alive = cluster.workers.filter((worker) => !gone.has(worker))
  const proxy = await startProxy({ port: alive[0]!.port })

  /** Ends what leads to the worker; afterwards the first of `alive` is another. */
  const strike = async (mishap: Mishap) => {
    if (mishap === 'blackhole') proxy.blackhole(true)
    else proxy.refuse(true)
    if (mishap === 'reset') proxy.cut('reset')
    if (mishap === 'kill') await end(alive[0]!, 'SIGKILL')
    if (mishap === 'restart') alive = await restart(cluster)
    else alive.reverse()
    proxy.retarget(alive[0]!.port)
  }
  return {
    proxy,
    url: `http://${proxy.host}:${proxy.port}`,
    get worker() {
      return alive[0]!
    },
    get other() {
      return alive[1]!
    },
    async suffer(mishap, whileAway, subscribers = 1) {
      const before = proxy.accepted()
      await strike(mishap)
      await whileAway()
      // Whoever sits in silence must find out without being told.
      await eventually(() => proxy.accepted() >= before + subscribers, 'a subscriber that tries to come back', 20_000)
      if (mishap === 'blackhole') proxy.blackhole(false)
      else proxy.refuse(false)
      const replacement = mishap === 'kill' ? cluster.addWorker() : undefined
      await eventually(async () => (await connectionsOf(alive[0]!)) >= subscribers, 'subscribers on the other worker', 20_000)
      if (replacement) alive[1] = await replacement
    },
    close: () => proxy.close(),
  }
}

/** Others' events until the journal no longer reaches back to the cursor. */
export async function outlive(crossing: Crossing, cursor: string, others: Producer): Promise<void> {
  await eventually(
    async () => {
      await others.publish(50, 'busy')
      const response = await fetch(`${crossing.worker.url}/api/v1/history?topics=task:quiet&since=${cursor}`, { headers: { authorization: `Bearer ${token()}` } })
      return ((await response.json()) as { gap?: object }).gap
    },
    'trimming past the cursor',
    20_000,
    200,
  )
}

/** Of all clusters: a killed process stays on its cluster's list. */
const gone = new WeakSet<HubProcess>()

async function end(hub: HubProcess, how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  gone.add(hub)
  if (how === 'SIGKILL') return await hub.kill('SIGKILL')
  const code = await hub.stop()
  if (code !== 0) throw new Error(`an orderly stop ended with ${code}: ${hub.stderr().slice(-2000)}`)
}

async function restart(cluster: Cluster): Promise<HubProcess[]> {
  await Promise.all([...cluster.workers, ...cluster.processors].filter((hub) => !gone.has(hub)).map((hub) => end(hub, 'SIGTERM')))
  const [, ...workers] = await Promise.all([cluster.addProcessor(), cluster.addWorker(), cluster.addWorker()])
  return workers
}

async function connectionsOf(worker: HubProcess): Promise<number> {
  const response = await fetch(`${worker.url}/api/v1/websocket/status`, { headers: { authorization: `Bearer ${token()}` } })
  const { total } = (await response.json()) as { total: number }
  return total
}
