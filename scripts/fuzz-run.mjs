/** Runs `test/fuzz/run.ts`: the tests' TypeScript is translated as it is loaded, by the same compiler as under jest; packages are the built ones. */
import { register } from 'node:module'

// The harness cleans up behind a file of tests; here the end of the run is that.
const cleanups = []
globalThis.afterAll = (cleanup) => void cleanups.push(cleanup)
register('./typescript.mjs', import.meta.url)
const { main } = await import('../test/fuzz/run.ts')
let code = 1
try {
  code = await main(process.argv.slice(2))
} catch (error) {
  for (let cause = error; cause instanceof Error; cause = cause.cause) console.error(cause instanceof RangeError ? cause.message : cause.stack)
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}
process.exit(code)
