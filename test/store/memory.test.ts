import { openStore } from '../../server/src/store/open.js'
import { DEFAULTS } from './fixture.js'
import { storeSuite } from './suite.js'

storeSuite('the store in memory', (options) => openStore({ ...DEFAULTS, ...options, redisUrl: '' }))
