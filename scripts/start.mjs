/** `npm start`: sets the clone up where needed, then `hubbub up` with the same arguments. */
import { run } from './step.mjs'
import { build, install } from './setup.mjs'

await install()
await build()
// A person is looking: the ready lines say what matters. Programs that read logs set the level themselves.
process.env.HUBBUB_LOG_LEVEL ||= 'warn'
process.exit(await run(['server/bin/hubbub.mjs', 'up', ...process.argv.slice(2)], { apart: true }))
