/** `npm run bench`: sets the clone up where needed, redis-server and nats-server included, then measures with the same arguments. */
import { delimiter } from 'node:path'
import { programOf } from './program.mjs'
import { redisFolder } from './redis-server.mjs'
import { build, install } from './setup.mjs'
import { run } from './step.mjs'

const redis = await redisFolder()
const nats = await programOf({ variable: 'HUBBUB_NATS', program: 'nats-server', apt: 'nats-server', without: 'it is left out' })
await install()
await build()
const PATH = `${process.env.PATH}${delimiter}${redis}`
process.exit(await run(['bench/dist/run.js', ...process.argv.slice(2)], { env: { PATH, ...(nats && { HUBBUB_NATS: nats }) } }))
