/** All gateways and SDKs by the same cases, on a hub in memory. */
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { BRISK, FORGETFUL } from './houses.js'
import { everyCase } from './suite.js'

let hub: RunningHub
let forgetful: RunningHub
beforeAll(async () => {
  hub = await startHub({ settings: settingsWith(BRISK) })
  forgetful = await startHub({ settings: settingsWith({ ...BRISK, ...FORGETFUL }) })
})
afterAll(async () => {
  await hub.close()
  await forgetful.close()
})

everyCase('one hub, in memory', (play) => ({ urls: [(play.forgetful ? forgetful : hub).url] }))
