/** What an overview is made of: records that processes leave for each other, buckets that are added, refusals of an hour. */
import { LATENCY } from '../../server/src/observe/metrics.js'
import { HourOfErrors } from '../../server/src/observe/vitals-errors.js'
import { addBuckets, percentilesOf } from '../../server/src/observe/vitals-latency.js'
import { decodeRecord, encodeRecord, noBuckets, type ProcessRecord } from '../../server/src/observe/vitals-record.js'
import { assemble, type Findings } from '../../server/src/operations/overview-assembly.js'
import { FAILURES } from '@hubbub/protocol'

const NOW = 1_795_255_450_000

function recordOf(node: string, more: Partial<ProcessRecord> = {}): ProcessRecord {
  return {
    node, role: 'worker', version: '0.1.0', status: 'up', startedAt: NOW - 60_000, partitions: [], connections: { open: 3, active: 2, byTransport: { websocket: 3 }, subscriptions: 4, catchingUp: 1, slow: 0 },
    rates: { accepted: 10, committed: 0, delivered: 20.5, refused: 1 }, commit: noBuckets(), delivery: noBuckets(), cpu: 0.25, memoryBytes: 1000, loopDelayMs: 2, errors: {}, ...more,
  }
}

function buckets(counts: Record<number, number>): number[] {
  return noBuckets().map((_, place) => counts[place] ?? 0)
}

function findings(reports: [id: string, record: ProcessRecord | string, age: number][], more: Partial<Findings> = {}): Findings {
  return {
    now: NOW, partitions: [], info: {}, notes: {}, ...more,
    reports: reports.map(([id, record, age]) => ({ id, json: typeof record === 'string' ? record : encodeRecord(record), firstAt: NOW - 100_000, at: NOW - age })),
  }
}

describe('a record', () => {
  test('is read as it was written', () => {
    const record = recordOf('a', { role: 'all', status: 'draining', partitions: [0, 1, 2, 5, 7, 8], commit: buckets({ 3: 9 }), errors: { RATE_LIMITED: { count: 2, lastAt: NOW } }, sinks: { active: 1, paused: 2 } })
    expect(decodeRecord(encodeRecord(record))).toEqual(record)
  })

  test('is at most four kilobytes, though a process owns a thousand partitions and refused for every reason', () => {
    const errors = Object.fromEntries(Object.keys(FAILURES).map((code) => [code, { count: 123_456, lastAt: NOW }]))
    const full = recordOf('n'.repeat(64), { partitions: Array.from({ length: 1024 }, (_, at) => at), errors, commit: noBuckets().map(() => 99_999), delivery: noBuckets().map(() => 99_999), sinks: { active: 50, paused: 50 } })
    expect(encodeRecord(full).length).toBeLessThan(4096)
  })

  test.each(['', 'null', '[]', '7', '{"node":1}', '{"node":"a","role":"king"}', '{"node":"a"', '{"__proto__":{"node":"a","role":"all"}}'])('is not %s', (json) => {
    expect(decodeRecord(json)).toBeUndefined()
  })

  test('of another version counts with what it says, and what makes no sense as nothing', () => {
    const strange = decodeRecord(JSON.stringify({
      node: 'a', role: 'worker', status: 'sleeping', partitions: '5-3,9999999', cpu: 'much', rates: { accepted: -1, committed: 'x', delivered: 3 }, commit: [1, 2], errors: { RATE_LIMITED: { count: 1 }, __proto__: { count: 5 }, NO_SUCH: { count: 1, lastAt: 1 } },
      connections: { open: 2, byTransport: { ['x'.repeat(100)]: 2 } },
    }))
    expect(strange).toMatchObject({ status: 'up', partitions: [], cpu: 0, rates: { accepted: 0, committed: 0, delivered: 3, refused: 0 }, commit: noBuckets(), errors: { RATE_LIMITED: { count: 1, lastAt: 0 } } })
    expect(Object.keys(strange!.errors)).toEqual(['RATE_LIMITED'])
    expect(Object.keys(strange!.connections.byTransport)).toEqual(['x'.repeat(32)])
  })
})

describe('percentiles', () => {
  test('of processes together are those of their buckets added', () => {
    const fast = buckets({ 0: 90, 2: 10 })
    const slow = buckets({ 8: 100 })
    expect(percentilesOf(fast)).toEqual({ p50: 0.56, p95: 3.75, p99: 4.75 })
    expect(percentilesOf(addBuckets([fast, slow]))).toEqual({ p50: 5, p95: 475, p99: 495 })
    expect(LATENCY.slice(7, 9)).toEqual([0.25, 0.5])
  })

  test('of nothing are unknown, and beyond the last bound no more than it is said', () => {
    expect(percentilesOf(noBuckets())).toEqual({ p50: null, p95: null, p99: null })
    expect(percentilesOf(buckets({ [LATENCY.length]: 5 }))).toEqual({ p50: 30_000, p95: 30_000, p99: 30_000 })
  })
})

test('an hour of refusals counts by code, forgets what is older, and only knows the failure table', () => {
  const hour = new HourOfErrors()
  const minutes = (count: number) => NOW + count * 60_000
  hour.take(new Map([['RATE_LIMITED', 2], ['nonsense', 9]]), minutes(0))
  hour.take(new Map([['RATE_LIMITED', 5], ['NOT_FOUND', 1]]), minutes(30))
  expect(hour.counts()).toEqual({ RATE_LIMITED: { count: 5, lastAt: minutes(30) }, NOT_FOUND: { count: 1, lastAt: minutes(30) } })
  hour.take(new Map([['RATE_LIMITED', 5], ['NOT_FOUND', 1]]), minutes(61))
  expect(hour.counts()).toEqual({ RATE_LIMITED: { count: 3, lastAt: minutes(30) }, NOT_FOUND: { count: 1, lastAt: minutes(30) } })
  hour.take(new Map([['RATE_LIMITED', 5], ['NOT_FOUND', 1]]), minutes(100))
  expect(hour.counts()).toEqual({})
})

describe('the whole', () => {
  const STORE = { kind: 'redis', pingMs: 1 } as const

  test('is the sum of those that speak; a silent one is shown, not counted', () => {
    const overview = assemble(findings([['a', recordOf('a'), 100], ['b', recordOf('b'), 9000], ['c', recordOf('c', { partitions: [1] }), 10_001], ['d', 'nonsense', 0]]), NOW, 10_000, STORE)
    expect(overview.processes.map(({ id, status, partitions }) => [id, status, partitions])).toEqual([['a', 'up', []], ['b', 'up', []], ['c', 'silent', []]])
    expect(overview.connections).toEqual({ open: 6, active: 4, byTransport: { websocket: 6 }, subscriptions: 8, catchingUp: 2, slow: 0 })
    expect(overview.rates).toEqual({ accepted: 20, committed: 0, delivered: 41, refused: 2 })
    expect(overview.processes[2]!.seenAt).toBe(new Date(NOW - 10_001).toISOString())
  })

  test('names a partition\'s owner by the id of its process, where that speaks', () => {
    const partition = (owner: string | null) => ({ owner, lag: 1, deadLetters: 2, deadLettersEver: 3 })
    const processor = (node: string) => recordOf(node, { role: 'processor' })
    const overview = assemble(findings([['p-new', processor('p'), 0], ['p-old', processor('p'), 20_000], ['w-1', recordOf('w'), 0]], { partitions: ['p', 'w', null, 'gone'].map(partition) }), NOW, 10_000, STORE)
    expect(overview.partitions.map(({ owner }) => owner)).toEqual(['p-new', 'w', null, 'gone'])
    expect(overview.deadLetters).toBe(8)
  })

  test('shows refusals, the most frequent first, and the sinks as they were said last', () => {
    const a = recordOf('a', { errors: { NOT_FOUND: { count: 1, lastAt: NOW }, RATE_LIMITED: { count: 2, lastAt: NOW - 5 } }, sinks: { active: 1, paused: 0 } })
    const b = recordOf('b', { errors: { NOT_FOUND: { count: 4, lastAt: NOW - 9 } }, sinks: { active: 0, paused: 1 } })
    const overview = assemble(findings([['a', a, 500], ['b', b, 10]]), NOW, 10_000, STORE)
    expect(overview.errors).toEqual([{ code: 'NOT_FOUND', count: 5, lastAt: new Date(NOW).toISOString() }, { code: 'RATE_LIMITED', count: 2, lastAt: new Date(NOW - 5).toISOString() }])
    expect(overview.sinks).toEqual({ active: 0, paused: 1 })
  })
})
