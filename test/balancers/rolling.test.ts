/** `npm run bench:rolling` in small: every worker behind HAProxy is replaced while events flow. */
import { Crowd } from '../../bench/src/rolling/crowd.js'
import { ClientRecord } from '../../bench/src/rolling/record.js'
import { roll, type Place } from '../../bench/src/rolling/run.js'
import { judge, tableOf } from '../../bench/src/rolling/verdict.js'
import { startBalancer } from '../harness/balancer.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { startHub } from '../harness/hub.js'
import { token } from '../harness/token.js'

const TOPICS = 5
const CONNECT_RATE = 60
const SETTINGS = { HUBBUB_CONNECT_RATE: String(CONNECT_RATE), HUBBUB_TRUST_PROXY: '127.0.0.1', HUBBUB_DRAIN_NOTICE_MS: '1000' }

const closing: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
}, 30_000)

/** As a deployment does: the old one ends in order, then the new one begins at the same address. */
function placeOf(cluster: Cluster, at: number): Place {
  const { url, port } = cluster.workers[at]!
  return {
    url,
    async replace() {
      const code = await cluster.workers[at]!.stop()
      cluster.workers[at] = await startHub({ role: 'worker', redis: cluster.redis.url, port, env: SETTINGS })
      return code
    },
  }
}

test('two workers are replaced under 60 clients: nothing is lost or doubled, and they come back at a pace that the other one can take', async () => {
  const cluster = await startCluster({ workers: 2, processors: 1, env: SETTINGS })
  closing.push(() => cluster.stop('kill'))
  const balancer = await startBalancer({ kind: 'haproxy', ports: cluster.workers.map(({ port }) => port), settings: { CHECK_EVERY: '500ms' } })
  closing.push(() => balancer.stop())
  const crowd = new Crowd({ url: balancer.plain, token: token({ sub: 'viewer', role: 'viewer' }), topics: TOPICS, raw: 44, stock: 10, sdk: 6, wildcards: 6 })
  closing.push(() => crowd.close())
  await crowd.open()
  const stage = { url: balancer.plain, token: token({ sub: 'writer', role: 'agent' }), places: [placeOf(cluster, 0), placeOf(cluster, 1)] }
  const outcome = await roll(stage, { report: (published) => Promise.resolve(crowd.report(published)) }, { topics: TOPICS, rate: 50, settleMs: 1500 }, () => undefined)
  const verdict = judge(outcome, { connectRate: CONNECT_RATE })
  expect({ shortfalls: verdict.shortfalls, table: tableOf(verdict) }).toEqual({ shortfalls: [], table: expect.any(String) })
  expect(outcome.report).toMatchObject({ clients: 60, away: 0, missing: 0 })
  // Everybody was sent elsewhere once at least, whoever came to the second worker meanwhile twice.
  expect(outcome.report.absences.length).toBeGreaterThanOrEqual(60)
  expect(outcome.report.fresh).toBe(0)
}, 180_000)

describe('the account of a client', () => {
  const told = (seqs: [topic: number, seq: number, cursor: string][], own?: number) => {
    const record = new ClientRecord(2, own)
    for (const [topic, seq, cursor] of seqs) record.heard(topic, seq, cursor)
    return record
  }

  test.each<[string, [number, number, string][], object, number]>([
    ['nothing, of events in their order', [[0, 1, 'e.1-0'], [1, 1, 'e.1-1'], [0, 2, 'e.2-0']], { lost: 0, doubled: 0, misplaced: 0 }, 0],
    ['one that is missing in the middle', [[0, 1, 'e.1-0'], [0, 3, 'e.3-0'], [1, 1, 'e.4-0']], { lost: 1 }, -1],
    ['one that is missing at the end', [[0, 1, 'e.1-0'], [1, 1, 'e.1-1']], { lost: 0 }, 1],
    ['one that comes twice', [[0, 1, 'e.1-0'], [0, 1, 'e.1-0']], { doubled: 1, misplaced: 1 }, 2],
    ['two of a topic that are swapped', [[0, 2, 'e.2-0'], [0, 1, 'e.1-0']], { lost: 1, doubled: 1 }, 1],
    ['two of different topics that are swapped', [[1, 1, 'e.2-0'], [0, 1, 'e.1-0']], { lost: 0, doubled: 0, misplaced: 1 }, 1],
  ])('finds %s', (_what, seqs, faults, missing) => {
    const record = told(seqs)
    expect(record.faults).toMatchObject(faults)
    expect(record.missing([2, 1])).toBe(missing)
  })

  test('of one topic asks for that alone', () => {
    expect(told([[1, 1, 'e.1-0']], 1).missing([9, 2])).toBe(1)
  })
})
