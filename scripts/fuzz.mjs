/** `npm run fuzz`: sets the clone up where needed, then sends random inputs with the same arguments. */
import { build, install } from './setup.mjs'
import { run } from './step.mjs'

await install()
await build()
process.exit(await run(['--expose-gc', 'scripts/fuzz-run.mjs', ...process.argv.slice(2)]))
