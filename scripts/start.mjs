/** `npm start`: sets the clone up where needed, then `hubbub up` with the same arguments. */
import { run } from './step.mjs'
import { build, install } from './setup.mjs'

await install()
await build()
process.exit(await run(['server/bin/hubbub.mjs', 'up', ...process.argv.slice(2)], { apart: true }))
