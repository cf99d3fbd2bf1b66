import { createClient } from 'redis'
import { openStore } from '../../server/src/store/open.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { DEFAULTS } from './fixture.js'
import { storeSuite } from './suite.js'

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

storeSuite('the store on Redis', async (options) => {
  const client = await createClient({ url: redis.url }).connect()
  await client.flushAll()
  await client.close()
  return openStore({ ...DEFAULTS, ...options, redisUrl: redis.url })
})
