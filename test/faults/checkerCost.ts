/**
 * What the checker costs: ns of processor time a call, bytes an event. No test, for it would measure its neighbours; run it on a quiet machine:
 * `NODE_OPTIONS='--experimental-vm-modules --expose-gc' npx jest --testMatch '**\/checkerCost.ts'`
 */
import { createChecker } from './checker.js'
import { markOf, numberOf } from './observer.js'

const { floor } = Math
const EVENTS = 2_000_000
const PRODUCERS = 8
/** Of how many events each takes one: two take all, the others a sixteenth. */
const INTERESTS = [1, 1, ...Array.from({ length: 24 }, () => 16)]
/** The raw reader is so many events behind. */
const LAG = 20_000

/** Through JSON, so that they are whole: joined strings would become so while they are measured. */
function makeOffsets(): string[] {
  return JSON.parse(JSON.stringify(Array.from({ length: EVENTS }, (_, at) => `${1_800_000_000_000 + floor(at / 10)}-${at % 10}`))) as string[]
}

async function memory(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  for (let time = 0; time < 3; time++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('what the checker costs', async () => {
  const checker = createChecker()
  for (let producer = 0; producer < PRODUCERS; producer++) checker.producer(producer, 'red')
  const subscribers = INTERESTS.map((modulus, at) => ({
    modulus,
    number: checker.subscriber(`subscriber-${at}`, { project: 'red', wants: (mark) => numberOf(mark) % modulus === at % modulus }),
    rest: at % modulus,
  }))
  for (const { number } of subscribers) checker.began(number, '0-0')
  const offsets = makeOffsets()
  const ns = { committed: 0, other: 0 }
  const calls = { committed: 0, other: 0 }
  const told = (kind: keyof typeof ns, count: number, run: () => void) => {
    const began = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(began)
    ns[kind] += (user + system) * 1000
    calls[kind] += count
  }
  const markAt = (at: number) => markOf(at % PRODUCERS, floor(at / PRODUCERS))
  const before = await memory()
  let fault = checker.faultBegan('kill', 'worker')
  for (let from = 0; from < EVENTS; from += 1000) {
    let count = 2000
    for (let at = from; at < from + 1000; at++) for (const { modulus, rest } of subscribers) if (floor(at / PRODUCERS) % modulus === rest) count++
    told('other', count, () => {
      for (let at = from; at < from + 1000; at++) {
        checker.published(markAt(at))
        checker.acked(markAt(at), offsets[at]!, offsets[at]!)
        for (const { modulus, number, rest } of subscribers) if (floor(at / PRODUCERS) % modulus === rest) checker.delivered(number, 'red', markAt(at), offsets[at]!)
      }
    })
    if (from >= LAG) told('committed', 1000, () => {
      for (let at = from - LAG; at < from - LAG + 1000; at++) checker.committed('red', markAt(at), offsets[at]!)
    })
    if (from % 50_000 === 0) {
      checker.faultEnded(fault)
      fault = checker.faultBegan('kill', 'worker')
    }
  }
  told('committed', LAG, () => {
    for (let at = EVENTS - LAG; at < EVENTS; at++) checker.committed('red', markAt(at), offsets[at]!)
  })
  const bytes = (await memory()) - before
  const verdict = checker.verdict()
  expect(verdict).toMatchObject({ violationCount: 0, checked: EVENTS })
  console.log([
    `${EVENTS.toLocaleString('en-US')} events, ${verdict.delivered.toLocaleString('en-US')} deliveries to ${INTERESTS.length} subscribers, the reader ${LAG} events behind`,
    `published, acked, delivered: ${(ns.other / calls.other).toFixed(0)} ns a call`,
    `committed (what was held is judged in it): ${(ns.committed / calls.committed).toFixed(0)} ns a call`,
    `all: ${((ns.other + ns.committed) / (calls.other + calls.committed)).toFixed(0)} ns a call`,
    `memory at the end: ${(bytes / EVENTS).toFixed(1)} bytes an event, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
  ].join('\n'))
}, 600_000)
