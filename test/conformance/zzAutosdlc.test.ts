import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { CASES } from './cases.js'
import { autosdlc } from './drivers/autosdlc.js'
import { BRISK, FORGETFUL } from './houses.js'
import { perform } from './stage.js'

interface Pair { redis: RedisProcess; hubs: RunningHub[]; urls: string[] }
let pair: Pair
let forgetful: Pair
async function startPair(settings: object): Promise<Pair> {
  const redis = await startRedis()
  const member = (role: 'worker' | 'processor') => startHub({ settings: settingsWith({ ...settings, role, redisUrl: redis.url }) })
  const processor = await member('processor')
  const workers = await Promise.all([member('worker'), member('worker')])
  return { redis, hubs: [...workers, processor], urls: workers.map(({ url }) => url) }
}
beforeAll(async () => {
  pair = await startPair(BRISK)
  forgetful = await startPair({ ...BRISK, ...FORGETFUL })
}, 60_000)
const GROUPS = Object.keys(CASES) as (keyof typeof CASES)[]
describe.each(GROUPS)('%s', (group) => {
  test.each(CASES[group])('$name', async (play) => {
    await perform(play, autosdlc, play.forgetful ? forgetful : pair, `9-${GROUPS.indexOf(group)}-${CASES[group].indexOf(play)}`)
  })
})
afterAll(async () => {
  for (const { hubs, redis } of [pair, forgetful]) {
    await Promise.all(hubs.map((hub) => hub.close()))
    await redis.stop()
  }
})
