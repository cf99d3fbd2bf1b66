/** The one suite of all stores, on a Redis Cluster of three masters: partitions lie on several nodes. */
import { openStore } from '../../../server/src/store/open.js'
import { startRedisCluster, type RedisCluster } from '../../harness/redis-cluster.js'
import { DEFAULTS } from '../fixture.js'
import { coreSuite } from './core.js'

let redis: RedisCluster
beforeAll(async () => {
  redis = await startRedisCluster()
}, 60_000)
afterAll(() => redis.stop())

coreSuite('the store on a Redis Cluster', async (options) => {
  await redis.flush()
  return openStore({ ...DEFAULTS, ...options, redisUrl: redis.url })
})
