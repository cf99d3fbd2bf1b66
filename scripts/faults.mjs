/** `npm run test:faults`: sets the clone up where needed, redis-server and libfaketime included, then runs the fault suite with the same arguments. */
import { delimiter } from 'node:path'
import { faketimeLibrary } from './faketime.mjs'
import { redisFolder } from './redis-server.mjs'
import { build, install } from './setup.mjs'
import { run } from './step.mjs'

const redis = await redisFolder()
await install()
await build()
const faketime = await faketimeLibrary()
const env = { PATH: `${process.env.PATH}${delimiter}${redis}`, ...(faketime && { HUBBUB_FAKETIME: faketime }) }
// Apart: a Ctrl-C must reach the run, and not the hubs that it is about to heal.
process.exit(await run(['scripts/faults-run.mjs', ...process.argv.slice(2)], { env, apart: true }))
