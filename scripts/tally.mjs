/** `tally.mjs RESULTS.json`: prints `<passed> <failed>` of a jest run; no or broken results count as one failure. */
import { readFileSync } from 'node:fs'

try {
  const results = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  // A file that could not be run has no tests to fail.
  console.log(results.numPassedTests, results.numFailedTests + results.numRuntimeErrorTestSuites)
} catch {
  console.log(0, 1)
}
