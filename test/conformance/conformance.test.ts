/** Every case by every driver, on a hub in memory. */
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { SECRET } from '../harness/token.js'
import { CASES } from './cases.js'
import { longpoll } from './drivers/longpoll.js'
import { PythonDriver } from './drivers/python.js'
import { socketio } from './drivers/socketio.js'
import { sse } from './drivers/sse.js'
import { typescript } from './drivers/typescript.js'
import { websocket } from './drivers/websocket.js'
import { perform } from './stage.js'

const DRIVERS = [socketio('websocket'), socketio('polling'), websocket, sse, longpoll, typescript, new PythonDriver(process.env['HUBBUB_PYTHON'] ?? 'python3')]

const BRISK: Partial<Settings> = { port: 0, jwtSecret: SECRET, messageRate: 100_000, messageBurst: 100_000, familyRates: '*=1000000' }

let hub: RunningHub
let forgetful: RunningHub
beforeAll(async () => {
  hub = await startHub({ settings: settingsWith(BRISK) })
  forgetful = await startHub({ settings: settingsWith({ ...BRISK, partitions: 1, retentionMs: 150, retentionCount: 10 }) })
})
afterAll(async () => {
  for (const driver of DRIVERS) await driver.close?.()
  await hub.close()
  await forgetful.close()
})

describe.each(DRIVERS)('$name', (driver) => {
  test.each(CASES)('$name', (play) => perform(play, driver, { urls: [play.forgetful ? forgetful.url : hub.url] }, `${DRIVERS.indexOf(driver)}-${CASES.indexOf(play)}`))
})
