/** `npm test`: sets the clone up where needed, a redis-server and a Chromium included, then jest with the same arguments. */
import { run } from './step.mjs'
import { chromiumProgram } from './chromium.mjs'
import { redisFolder } from './redis-server.mjs'
import { build, install } from './setup.mjs'

const redis = await redisFolder()
const chromium = await chromiumProgram()
await install()
await build()
const env = {
  // jest runs ES modules through the VM; Node warns of it once in every worker.
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
  CHROMIUM: chromium,
  PATH: `${process.env.PATH}:${redis}`,
}
process.exit(await run(['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], { env }))
