/** When an alert fires, when it is over, and what is left to tell of it: judged and booked without a hub. */
import { settle, untold, type Entry, type Judgement } from '../../server/src/operations/alerts/book.js'
import { judge, type Situation } from '../../server/src/operations/alerts/judge.js'
import { Waiting } from '../../server/src/operations/alerts/waiting.js'
import { toldOf, type Told } from '../../server/src/operations/overview-assembly.js'
import { decodeRecord } from '../../server/src/observe/vitals-record.js'

const NOW = 1_000_000
const SETTINGS = { workerMs: 10_000, leaseMs: 5000, alertLag: 100, alertMemory: 90, alertRefusals: 10, alertSlow: 10 }

function told(id: string, at: number, more: { role?: string; firstAt?: number; refused?: number; slow?: number } = {}): Told {
  const { role = 'worker', firstAt = 0, refused = 0, slow = 0 } = more
  return { id, firstAt, at, silent: NOW - at > SETTINGS.workerMs, record: decodeRecord(JSON.stringify({ node: id, role, rates: { refused }, connections: { slow } }))! }
}

function situation(more: Partial<Situation> = {}): Situation {
  return { now: NOW, steadySince: 0, told: [], entries: new Map(), partitions: [], info: {}, ...more }
}

const verdicts = (of: Partial<Situation>, alert: string, settings: Partial<typeof SETTINGS> = {}) => judge(situation(of), { ...SETTINGS, ...settings }).filter((judgement) => judgement.alert === alert).map(({ subject, verdict }) => [subject, verdict].filter(Boolean).join(' '))
const partition = (lag: number, owner: string | null = 'p') => ({ owner, lag, deadLetters: 0, deadLettersEver: 0 })

describe('a process is lost', () => {
  const survivor = told('b', NOW, { firstAt: 100 })

  test('when it is silent for longer than it may, and somebody lives who lived with it', () => {
    expect(verdicts({ told: [told('a', NOW - 10_001), survivor] }, 'process-lost')).toEqual(['a firing', 'b clear'])
    expect(verdicts({ told: [told('a', NOW - 10_000), survivor] }, 'process-lost')).toEqual(['a clear', 'b clear'])
    expect(verdicts({ told: [told('a', NOW - 50_000), told('b', NOW, { firstAt: NOW - 40_000 })] }, 'process-lost')).toEqual(['a unchanged', 'b clear'])
  })

  test('not while the watch itself heard nobody for long enough', () => {
    expect(verdicts({ told: [told('a', NOW - 60_000), survivor], steadySince: NOW - 10_000 }, 'process-lost')).toEqual(['a unchanged', 'b clear'])
    expect(verdicts({ told: [told('a', NOW - 60_000), survivor], steadySince: NOW - 10_001 }, 'process-lost')).toEqual(['a firing', 'b clear'])
  })

  test('also when the store\'s clock was set back since it spoke: nobody who lives says a later time', () => {
    const report = { id: 'a', json: JSON.stringify({ node: 'a', role: 'worker' }), firstAt: 100, at: NOW + 3_600_000 }
    const [gone] = toldOf([report], NOW, SETTINGS.workerMs)
    expect([gone!.silent, toldOf([{ ...report, at: NOW + 500 }], NOW, SETTINGS.workerMs)[0]!.silent]).toEqual([true, false])
    expect(verdicts({ told: [gone!, survivor], steadySince: NOW - 10_000 }, 'process-lost')).toEqual(['b clear', 'a unchanged'])
    const lost = judge(situation({ told: [gone!, survivor], steadySince: NOW - 12_000 }), SETTINGS).find(({ subject }) => subject === 'a')
    expect(lost).toMatchObject({ verdict: 'firing', value: 12_000, message: expect.stringContaining('for 12 s') })
  })

  test('until another of its role came, one for one', () => {
    const gone = [told('x', NOW - 60_000), told('y', NOW - 50_000)]
    const entry = ({ id, at }: Told): [string, Entry] => [`alert process-lost ${id}`, { alert: 'process-lost', subject: id, status: 'firing', told: 'firing', since: at, severity: 'critical', message: '' }]
    const entries = new Map(gone.map(entry))
    const late = (id: string, role?: string) => told(id, NOW, { firstAt: NOW - 5, role })
    expect(verdicts({ told: [...gone, survivor, late('n', 'processor')], entries }, 'process-lost')).toEqual(['x unchanged', 'y unchanged', 'b clear', 'n clear'])
    expect(verdicts({ told: [...gone, survivor, late('n')], entries }, 'process-lost')).toEqual(['x clear', 'y unchanged', 'b clear', 'n clear'])
    expect(verdicts({ told: [...gone, survivor, late('n'), late('m')], entries }, 'process-lost')).toEqual(['x clear', 'y clear', 'b clear', 'n clear', 'm clear'])
  })
})

test('figures fire above their limit, clear well below it, and change nothing between', () => {
  const lag = (value: number) => verdicts({ partitions: [partition(0), partition(value)] }, 'processor-lag')[0]
  expect([101, 100, 51, 50].map(lag)).toEqual(['firing', 'unchanged', 'unchanged', 'clear'])
  const memory = (memoryBytes: number) => verdicts({ info: { memoryBytes, memoryLimitBytes: 100 } }, 'store-memory')[0]
  expect([91, 90, 86, 85].map(memory)).toEqual(['firing', 'unchanged', 'unchanged', 'clear'])
  expect(verdicts({ info: { memoryBytes: 10_000 } }, 'store-memory')).toEqual(['clear'])
  const rate = (refused: number) => verdicts({ told: [told('a', NOW, { refused }), told('b', NOW, { refused: 1 }), told('silent', 0, { refused: 999 })] }, 'error-rate')[0]
  expect([10, 9, 5, 4].map(rate)).toEqual(['firing', 'unchanged', 'unchanged', 'clear'])
  expect(verdicts({ told: [told('a', NOW, { slow: 11 })] }, 'slow-clients')).toEqual(['firing'])
})

test('a limit of 0 is none', () => {
  const bad = { partitions: [partition(1e9)], info: { memoryBytes: 99, memoryLimitBytes: 100 }, told: [told('a', NOW, { refused: 1e6, slow: 1e6 })] }
  const none = { alertLag: 0, alertMemory: 0, alertRefusals: 0, alertSlow: 0 }
  for (const alert of ['processor-lag', 'store-memory', 'error-rate', 'slow-clients']) expect(verdicts(bad, alert, none)).toEqual(['clear'])
})

test('partitions without an owner are one alert, when they have been for a lease, in a hub that has started', () => {
  const partitions = [partition(0, null), partition(0), partition(0, null)]
  expect(verdicts({ partitions, steadySince: NOW - 10_000 }, 'partition-unowned')).toEqual(['unchanged'])
  expect(verdicts({ partitions: [partition(0)], steadySince: NOW - 10_000 }, 'partition-unowned')).toEqual(['clear'])
  const judgement = judge(situation({ partitions }), SETTINGS).find(({ alert }) => alert === 'partition-unowned')
  expect(judgement).toMatchObject({ verdict: 'firing', value: 2, forMs: 5000, message: expect.stringContaining('2 of 3 partitions (0, 2)') })
})

describe('the book', () => {
  const judged = (verdict: Judgement['verdict'], since?: number): Judgement => ({ alert: 'process-lost', subject: 'a', verdict, severity: 'critical', message: 'gone', cleared: 'back', since })
  const entry = (more: Partial<Entry>): Entry => ({ alert: 'process-lost', subject: 'a', severity: 'critical', message: 'gone', since: 5, status: 'firing', ...more })
  const after = (before: Entry | undefined, judgement?: Judgement) => {
    const changes = settle(new Map(before ? [['alert process-lost a', before]] : []), judgement ? [judgement] : [], NOW)
    return changes.has('alert process-lost a') ? changes.get('alert process-lost a') : 'as it was'
  }

  test('opens an entry when an alert fires, once', () => {
    expect(after(undefined, judged('firing', 5))).toEqual(entry({}))
    expect(after(undefined, judged('firing'))).toEqual(entry({ since: NOW }))
    for (const state of [undefined, 'firing'] as const) expect(after(entry({ told: state }), judged('firing', 7))).toBe('as it was')
    for (const verdict of ['clear', 'unchanged'] as const) expect(after(undefined, judged(verdict))).toBe('as it was')
  })

  test('closes it when the alert clears or what it is about is gone, and strikes it out when that was told', () => {
    expect(after(entry({ told: 'firing' }), judged('clear'))).toEqual(entry({ told: 'firing', status: 'resolved', closing: 'back' }))
    expect(after(entry({ told: 'firing' }))).toMatchObject({ status: 'resolved', told: 'firing' })
    for (const state of [undefined, 'firing'] as const) expect(after(entry({ status: 'resolved', told: state }), judged('clear'))).toBe('as it was')
    expect(after(entry({ status: 'resolved', told: 'resolved' }), judged('clear'))).toBeNull()
    expect(after(entry({ status: 'resolved', told: 'resolved' }))).toBeNull()
  })

  test('does not open it again for the same time, and does for another', () => {
    const over = entry({ status: 'resolved', told: 'resolved' })
    for (const judgement of [judged('firing', 5), judged('unchanged')]) expect(after(over, judgement)).toBe('as it was')
    expect(after(over, judged('firing', 9))).toEqual(entry({ since: 9 }))
    expect(after(entry({ status: 'resolved', told: 'firing' }), judged('firing', 9))).toBe('as it was')
  })

  test('knows what is left to tell', () => {
    expect(untold(entry({}))).toEqual(['firing'])
    expect(untold(entry({ told: 'firing' }))).toEqual([])
    expect(untold(entry({ status: 'resolved' }))).toEqual(['firing', 'resolved'])
    expect(untold(entry({ status: 'resolved', told: 'firing' }))).toEqual(['resolved'])
    expect(untold(entry({ status: 'resolved', told: 'resolved' }))).toEqual([])
  })
})

describe('what must hold for its time', () => {
  const judged = (verdict: Judgement['verdict'], subject?: string): Judgement => ({ alert: 'processor-lag', verdict, severity: 'warning', message: '', cleared: '', forMs: 100, ...(subject !== undefined && { subject }) })
  const verdictAt = (waiting: Waiting, verdict: Judgement['verdict'], now: number) => waiting.tried([judged(verdict)], now)[0]

  test('counts when it did, since it began', () => {
    const waiting = new Waiting()
    expect([0, 99, 100, 250].map((now) => verdictAt(waiting, 'firing', 1000 + now)).map(({ verdict, since } = judged('clear')) => [verdict, since])).toEqual([['unchanged', undefined], ['unchanged', undefined], ['firing', 1000], ['firing', 1000]])
  })

  test('begins anew when it was below its limit between, or nobody looked', () => {
    const waiting = new Waiting()
    verdictAt(waiting, 'firing', 1000)
    for (const between of ['unchanged', 'clear'] as const) {
      verdictAt(waiting, between, 1050)
      expect(verdictAt(waiting, 'firing', 5000)?.verdict).toBe('unchanged')
    }
    waiting.forget()
    expect(verdictAt(waiting, 'firing', 9000)?.verdict).toBe('unchanged')
  })

  test('forgets who is no longer judged', () => {
    const waiting = new Waiting()
    waiting.tried([judged('firing', 'gone')], 1000)
    waiting.tried([], 1100)
    expect(waiting.tried([judged('firing', 'gone')], 1200)[0]?.verdict).toBe('unchanged')
  })
})
