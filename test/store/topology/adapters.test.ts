/** The plane of signals where Redis fails over: what one worker's Socket.IO says reaches the other's, on every adapter, before and after. */
import { Server } from 'socket.io'
import { createHubAdapter, type HubAdapter } from '../../../server/src/gateway/socketio/adapter.js'
import { silent } from '../../../server/src/observe/log.js'
import { settingsWith } from '../../../server/src/settings/read.js'
import { slotOf } from '../../../server/src/store/redis/slots.js'
import { eventually } from '../../harness/eventually.js'
import { startRedisCluster } from '../../harness/redis-cluster.js'
import { startSentinel } from '../../harness/sentinel.js'

interface Worker {
  io: Server
  adapter: HubAdapter
  heard: string[]
}

const KINDS = ['sharded', 'pubsub', 'streams']
const running: Worker[] = []

async function startWorker(redisUrl: string, kind: string): Promise<Worker> {
  const adapter = await createHubAdapter(settingsWith({ redisUrl, adapter: kind }), silent, () => Promise.resolve(undefined))
  const io = new Server({ adapter: adapter.constructor })
  const worker: Worker = { io, adapter, heard: [] }
  io.on('word', (word: string) => worker.heard.push(word))
  running.push(worker)
  return worker
}

/** Two workers of each adapter. */
function startPairs(redisUrl: string): Promise<[string, Worker[]][]> {
  return Promise.all(KINDS.map(async (kind): Promise<[string, Worker[]]> => [kind, await Promise.all([startWorker(redisUrl, kind), startWorker(redisUrl, kind)])]))
}

/** A signal that is sent while nobody can take it is lost: it is sent again, under another name. */
async function wordsPass(pairs: [string, Worker[]][], word: string): Promise<void> {
  for (const [kind, workers] of pairs) {
    for (const [place, from] of workers.entries()) {
      const to = workers[1 - place]!
      let n = 0
      await eventually(
        async () => {
          const name = `${word} ${place} ${n++}`
          from.io.serverSideEmit('word', name)
          return await eventually(() => to.heard.includes(name), name, 1000)
        },
        `${kind}: a word of worker ${place} to the other, ${word}`,
        20_000,
      )
    }
    for (const { heard } of workers) expect([kind, ...heard]).toEqual([kind, ...new Set(heard)])
  }
}

afterEach(async () => {
  for (const { io, adapter } of running.splice(0)) {
    await io.of('/').adapter.close()
    adapter.close()
  }
})

test('a Redis Cluster, of which the node dies at which all workers met', async () => {
  const redis = await startRedisCluster()
  try {
    const pairs = await startPairs(redis.url)
    await wordsPass(pairs, 'before')
    const slot = slotOf('hubbub:{adapter}')
    const master = await redis.masterOf(slot)
    await master.kill('SIGKILL')
    await redis.failedOver(slot, master)
    await wordsPass(pairs, 'after')
  } finally {
    await redis.stop()
  }
}, 90_000)

test('a master under Sentinels that dies', async () => {
  const site = await startSentinel()
  try {
    const pairs = await startPairs(site.url)
    await wordsPass(pairs, 'before')
    const master = await site.master()
    await master.kill('SIGKILL')
    await site.failedOver(master)
    await wordsPass(pairs, 'after')
  } finally {
    await site.stop()
  }
}, 90_000)
