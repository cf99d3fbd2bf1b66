/** A Redis with a replica, and Sentinels that put it in the master's place. */
import { ORIGIN, partitionTag, type Offset } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import type { RedisProcess } from '../harness/redis.js'
import { commandTo, inSync } from '../harness/replicas.js'
import { startSentinel } from '../harness/sentinel.js'
import { PARTITIONS } from './events.js'
import type { Store } from './store.js'

const SETTLED_MS = 150
/**
 * Sentinels that are quick to judge take a master for dead whenever the machine has no time, and put a replica in its place that is far behind.
 * Here they are patient until a fault wants one to be replaced.
 */
const PATIENT_MS = 60_000
const QUICK_MS = 500

export async function startSentinelStore(): Promise<Store> {
  const site = await startSentinel()
  const patience = (ms: number) => Promise.all(site.sentinels.map((sentinel) => told(sentinel, 'SENTINEL', 'SET', 'hub', 'down-after-milliseconds', String(ms))))
  await patience(PATIENT_MS)
  const failovers: Offset[][] = []
  let [master, replica] = site.nodes as [RedisProcess, RedisProcess]
  const notAlone = () => Promise.reject(new Error('this Redis is not alone: what is done to one server is for a world of one'))
  return {
    isAlone: false,
    failovers,
    url: () => master.url,
    hubUrl: () => site.url,
    signal: notAlone,
    restart: notAlone,
    fillDisk: notAlone,
    stop: () => site.stop(),
    async failOver(how, deafMs) {
      const [former, heir] = [master, replica]
      if (deafMs > 0) {
        await heir.kill('SIGSTOP')
        // What lies in the link's buffers would still arrive.
        await told(former, 'CLIENT', 'KILL', 'TYPE', 'replica')
        await new Promise((resolve) => setTimeout(resolve, deafMs))
      }
      await former.kill(how === 'kill' ? 'SIGKILL' : 'SIGSTOP')
      if (deafMs > 0) await heir.kill('SIGCONT')
      const survived = await standing(heir)
      await patience(QUICK_MS)
      await site.failedOver(former)
      await patience(PATIENT_MS)
      failovers.push(survived)
      ;[master, replica] = [heir, former]
      return async () => {
        // A frozen one that woke would first do what was asked of it while it slept, and acknowledge what nobody will ever read.
        if (how === 'freeze') await former.kill('SIGKILL')
        await former.restart()
        // By themselves the Sentinels tell it ten seconds later.
        await told(former, 'REPLICAOF', '127.0.0.1', String(heir.port))
        await inSync(former)
      }
    },
  }
}

/** Of a replica whose master is silent: the ends of its journals, once nothing more arrives. */
async function standing(node: RedisProcess): Promise<Offset[]> {
  let before: Offset[] = []
  return await eventually(
    async () => {
      const now = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => endOf(node, partition)))
      const isStill = now.join() === before.join()
      before = now
      return isStill && now
    },
    'a replica at rest',
    10_000,
    SETTLED_MS,
  )
}

async function endOf(node: RedisProcess, partition: number): Promise<Offset> {
  const [end] = (await commandTo(node, 'XREVRANGE', `hubbub:${partitionTag(partition)}:journal`, '+', '-', 'COUNT', '1')) as [[Offset]] | []
  return end?.[0] ?? ORIGIN
}

/** On a machine that has no time an answer may be late; it is asked for again. */
async function told(node: Pick<RedisProcess, 'port'>, ...command: string[]): Promise<void> {
  await eventually(async () => (await commandTo(node, ...command)) !== undefined, `an answer to ${command.join(' ')}`, 30_000, 100)
}
