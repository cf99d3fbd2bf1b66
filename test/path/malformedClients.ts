/** A hub of real processes for bad input, and what every test of it asks at the end: it lives, and only what is valid stands there. */
import { partitionOf } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubOptions } from '../harness/hub.js'
import { tap, type Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { faultsOf } from './journalCheck.js'
import { openRaw, type RawEntry, type RawRedis } from './rawRedis.js'

export const PARTITIONS = 4
/** Partition of the project `default`. */
export const HOME = partitionOf('default', PARTITIONS)
export const GITHUB_SECRET = 'the secret that GitHub signs with'

/** So many of each kind at least. */
export const LEAST = 5

export interface Besieged {
  cluster: Cluster
  /** Of the worker that takes the bad input. */
  url: string
  raw: RawRedis
  /** Subscribed to everything, from before the first bad input. */
  watcher: Tap
  /** Ids of the events that are valid; nothing else may stand in the journal. */
  valid: Set<string>
  /** Notes the id and answers it. */
  expectValid(id: string): string
  /** Faults of the whole journal, with everything that stands there and should not, or is missing; and what the hub logged as its own. */
  judge(): Promise<string[]>
  /** Live and ready, in the processes that were started. */
  isWell(): Promise<boolean>
  stop(): Promise<void>
}

/** What the hub says of itself, and rightly so, is not what is judged here: neither in the journal nor in its log. */
const QUIET = { HUBBUB_SYSTEM_PROJECT: 'none', HUBBUB_ALERT_REFUSALS: '0', HUBBUB_ALERT_SLOW: '0' }

export async function besiege(worker: HubOptions = {}): Promise<Besieged> {
  const cluster = await startCluster({ workers: 0, processors: 1, partitions: PARTITIONS, env: { HUBBUB_GITHUB_SECRET: GITHUB_SECRET, HUBBUB_LOG_LEVEL: 'error', ...QUIET } })
  const { url } = await cluster.addWorker(worker)
  const raw = await openRaw(cluster.redis.url)
  const watcher = await tap(url, { auth: { token: token({ sub: 'watcher', role: 'viewer' }) } })
  await watcher.must('subscribe', { topics: ['*'] })
  const valid = new Set<string>()
  let ended = 0
  for (const { exited } of [...cluster.processors, ...cluster.workers]) void exited.then(() => ended++)

  const journal = async (): Promise<RawEntry[]> => (await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => raw.journal(partition)))).flat()
  return {
    cluster,
    url,
    raw,
    watcher,
    valid,
    expectValid(id) {
      valid.add(id)
      return id
    },
    async judge() {
      // Whatever was accepted is committed by then; what comes later would be a fault of its own.
      const entries = await eventually(async () => {
        const found = await journal()
        return found.length >= valid.size && found
      }, `${valid.size} valid events in the journal`)
      const ids = entries.map(({ fields }) => (JSON.parse(fields['event']!) as { id: string }).id)
      return [
        ...Array.from({ length: PARTITIONS }, (_, partition) => faultsOf(entries.filter((entry) => entry.partition === partition))).flat(),
        ...ids.filter((id) => !valid.has(id)).map((id) => `${id} should not be there`),
        ...[...valid].filter((id) => !ids.includes(id)).map((id) => `${id} is missing`),
        ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id} is there twice`),
        // Bad input is no fault of the hub's: only its own are logged at this level.
        ...[...cluster.processors, ...cluster.workers].flatMap((process) => process.stderr().split('\n')).filter((line) => line !== ''),
      ]
    },
    async isWell() {
      const processes = [...cluster.processors, ...cluster.workers]
      const states = await Promise.all(processes.flatMap((hub) => ['/health/live', '/health/ready'].map(async (path) => (await ask(hub.url + path)).status)))
      return ended === 0 && states.every((status) => status === 200) && watcher.socket.connected
    },
    async stop() {
      watcher.close()
      raw.close()
      await cluster.stop()
    },
  }
}

/** Tokens of services: they may publish everything, and rates are counted for each subject apart. */
export function serviceToken(sub: string): string {
  return token({ sub, role: 'service' })
}
