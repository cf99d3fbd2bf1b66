/** The same cases on two workers behind Redis: people are spread over both, and whoever is cut off comes back to the other one (I8). */
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { BRISK, FORGETFUL } from './houses.js'
import { everyCase } from './suite.js'

interface Pair {
  redis: RedisProcess
  hubs: RunningHub[]
  urls: string[]
}

let pair: Pair
let forgetful: Pair
beforeAll(async () => {
  pair = await startPair(BRISK)
  forgetful = await startPair({ ...BRISK, ...FORGETFUL })
}, 60_000)
// Before the hubs go their clients are gone.
everyCase('two workers, Redis', (play) => (play.forgetful ? forgetful : pair))
afterAll(async () => {
  for (const { hubs, redis } of [pair, forgetful]) {
    await Promise.all(hubs.map((hub) => hub.close()))
    await redis.stop()
  }
})

async function startPair(settings: Partial<Settings>): Promise<Pair> {
  const redis = await startRedis()
  const member = (role: 'worker' | 'processor') => startHub({ settings: settingsWith({ ...settings, role, redisUrl: redis.url }) })
  const processor = await member('processor')
  const workers = await Promise.all([member('worker'), member('worker')])
  return { redis, hubs: [...workers, processor], urls: workers.map(({ url }) => url) }
}
