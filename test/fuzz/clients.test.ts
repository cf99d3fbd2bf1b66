/** A hostile hub does not bring down its clients: nothing that it says makes the SDK throw, or fail otherwise than its user may expect. */
import { createRandom } from '../faults/random.js'
import { CLIENT_TARGET } from './clients.js'
import { requireCleanPrototypes, shown } from './report.js'
import { SEED } from './seed.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1)

test('an SDK client outlives whatever a hub tells and answers', async () => {
  const outcomes = new Map<string, number>()
  for (let at = 0; at < 400 * RUNS; at++) {
    let said: unknown
    const seed = SEED + at
    const outcome = await Promise.resolve(CLIENT_TARGET.fire(createRandom(seed), (made) => (said = made))).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${String(error)}\n${(error as Error).stack?.split('\n').slice(1, 5).join('\n')}\nthe hub said ${shown(said)}`, { cause: error })
    })
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  requireCleanPrototypes()
  expect(outcomes.get('accepted') ?? 0).toBeGreaterThan(10)
}, 60_000)
