/**
 * I1 to I8 under faults: a short run of what `npm run test:faults` does for long. Beside the checker stand five others, each of which is told the
 * same history with one call of thousands falsified: what each of them has to find proves that the first one would have found it.
 */
import { createChecker } from './checker.js'
import type { FaultKind } from './observer.js'
import { play, type Played } from './play.js'
import { planted, PLANTS } from './plant.js'
import { report } from './report.js'

const SEED = Number(process.env['HUBBUB_FAULT_SEED'] ?? 1)
/** Clocks are set wrong by libfaketime, which `npm test` brings where there can be one. */
const FAKETIME = process.env['HUBBUB_FAKETIME']
/** Not those that take long: a rolling deploy, and a failover, which needs another world. */
const KINDS: readonly FaultKind[] = ['kill', 'freeze', 'cut', 'delay', 'redis-restart', 'full', ...(FAKETIME ? (['clock'] as const) : []), 'slow-client', 'reconnect-storm']
/** Of a machine that has time for it some four times as many, until all kinds were there. */
const EVENTS = 40_000

describe(`faults of seed ${SEED}${FAKETIME ? '' : ' (clocks are right: HUBBUB_FAKETIME names no libfaketime)'}`, () => {
  const found = PLANTS.map((plant) => {
    const checker = createChecker()
    return { plant, checker, observer: planted(checker, plant, SEED) }
  })
  let played: Played

  beforeAll(async () => {
    played = await play({
      seed: SEED, kinds: KINDS, forMs: 120_000, enough: { events: EVENTS, each: 1 }, pace: 8000, lanes: 3, pauseMs: [100, 600], faketime: FAKETIME,
      beside: found.map(({ observer }) => observer),
    })
  }, 270_000)

  test(`${EVENTS} events: each once, in order, to whom it belongs, and answered truly`, () => {
    const { verdict, outstanding } = played
    expect({ violations: verdict.violations, outstanding, report: verdict.violationCount > 0 ? report(verdict, SEED) : '' }).toEqual({ violations: [], outstanding: [], report: '' })
    expect(verdict.checked).toBeGreaterThanOrEqual(EVENTS)
    expect(verdict.duringFaults).toBeGreaterThan(0.3 * verdict.checked)
  })

  test.each(KINDS)('among them at least one %s', (kind) => {
    expect(played.counts[kind]).toBeGreaterThanOrEqual(1)
  })

  test.each(found)('a planted $plant is found', ({ checker, observer }) => {
    expect(observer.done).toBeDefined()
    expect(checker.verdict().violationCount).toBeGreaterThan(0)
  })
})
