/**
 * `tally.mjs JEST.json PYTEST.xml`: prints `<passed> <failed>` of both runs; no or broken results of jest count as one failure. The Python
 * tests may be left out: then there are none.
 */
import { existsSync, readFileSync } from 'node:fs'

const counts = [ofJest(process.argv[2]), ofPytest(process.argv[3])]
console.log(counts[0][0] + counts[1][0], counts[0][1] + counts[1][1])

function ofJest(file) {
  try {
    const results = JSON.parse(readFileSync(file, 'utf8'))
    // A file that could not be run has no tests to fail.
    return [results.numPassedTests, results.numFailedTests + results.numRuntimeErrorTestSuites]
  } catch {
    return [0, 1]
  }
}

function ofPytest(file) {
  if (file === undefined || !existsSync(file)) return [0, 0]
  const suite = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] ?? ''
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map((name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1]))
  if (![tests, failures, errors, skipped].every(Number.isInteger)) return [0, 1]
  return [tests - failures - errors - skipped, failures + errors]
}
