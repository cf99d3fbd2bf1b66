/** The one suite of all stores, on a master that Sentinels name. */
import { openStore } from '../../../server/src/store/open.js'
import { commandTo } from '../../harness/replicas.js'
import { startSentinel, type SentinelSite } from '../../harness/sentinel.js'
import { DEFAULTS } from '../fixture.js'
import { coreSuite } from './core.js'

let site: SentinelSite
beforeAll(async () => {
  site = await startSentinel()
}, 60_000)
afterAll(() => site.stop())

coreSuite('the store on a master under Sentinels', async (options) => {
  await commandTo(await site.master(), 'FLUSHALL')
  return openStore({ ...DEFAULTS, ...options, redisUrl: site.url })
}, ['source', 'commit', 'journal'])
