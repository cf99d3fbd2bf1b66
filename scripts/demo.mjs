/** `npm run demo`: sets the clone up where needed, then plays the story with the same arguments. */
import { run } from './step.mjs'
import { build, install } from './setup.mjs'

await install()
await build()
process.exit(await run(['examples/demo/main.mjs', ...process.argv.slice(2)], { apart: true }))
