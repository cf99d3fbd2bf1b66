/**
 * `npm run bench:rolling -- [--sockets 5000] [--workers 4] [--rate 200] [--topics 50] [--notice 2000]`: a rolling restart under load, behind HAProxy.
 * Prints what it came to; exit code 1 when it fell short of what is promised.
 */
import { spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { signToken } from '../../server/dist/access/tokens.js'
import { SETTINGS } from '../../server/dist/settings/table.js'
import { cpuOf } from './ground/meters.js'
import { startChild, type Child } from './ground/processes.js'
import { SECRET } from './ground/token.js'
import type { CrowdOptions, CrowdReport } from './rolling/crowd.js'
import { roll } from './rolling/run.js'
import { openStage } from './rolling/stage.js'
import { judge, tableOf } from './rolling/verdict.js'

/** connections/s that a worker takes: as it is shipped. */
const CONNECT_RATE = Number(SETTINGS.connectRate.default)
/** As in k8s/base/settings.env. */
const DRAIN_MS = '45000'
/** Of all clients. Both kinds begin with fewer where there are few. */
const [STOCK, SDK] = [50, 20]
const RAW_PROCESSES = 2
/** A client takes two of the balancer's files; it has others, too. */
const SPARE_FILES = 500

const { values } = parseArgs({ options: { sockets: { type: 'string', default: '5000' }, workers: { type: 'string', default: '4' }, rate: { type: 'string', default: '200' }, topics: { type: 'string', default: '50' }, notice: { type: 'string', default: '2000' } } })
const [sockets, workers, rate, topics] = [values.sockets, values.workers, values.rate, values.topics].map(Number) as [number, number, number, number]
const say = (line: string) => process.stdout.write(`${line}\n`)

const files = Number(spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout) || Infinity
if (2 * sockets + SPARE_FILES > files) {
  say(`${sockets} sockets need ${2 * sockets + SPARE_FILES} open files, and ${files} are allowed: raise the hard limit (ulimit -Hn)`)
  process.exit(1)
}
say(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; ${sockets} clients, ${workers} workers, ${rate} events/s on ${topics} topics; load before: ${loadavg()[0]!.toFixed(1)}`)

const hubs = { HUBBUB_JWT_SECRET: SECRET, HUBBUB_TRUST_PROXY: '127.0.0.1', HUBBUB_DRAIN_NOTICE_MS: values.notice, HUBBUB_DRAIN_MS: DRAIN_MS, HUBBUB_LOG_LEVEL: 'error' }
const stage = await openStage(workers, hubs, Math.ceil(sockets * 1.1) + 50)
const crowds: Child[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stage.stop().then(() => process.exit(1)))
let code = 1
try {
  const begunAt = performance.now()
  crowds.push(...(await Promise.all(shares().map((share) => startChild('rolling/process.js', { ...share, url: stage.url, token: signToken(SECRET, { sub: 'viewer', role: 'viewer' }, '6h'), topics } satisfies CrowdOptions)))))
  say(`  ${sockets} subscribed in ${((performance.now() - begunAt) / 1000).toFixed(1)} s`)
  const before = cpuSoFar()
  const outcome = await roll({ ...stage, token: signToken(SECRET, { sub: 'writer', role: 'agent' }, '6h') }, { report }, { topics, rate, settleMs: 3000 }, say)
  const used = cpuSoFar()
  const verdict = judge(outcome, { connectRate: CONNECT_RATE })
  say(tableOf(verdict))
  say(`  CPU seconds: ${Object.entries(used).map(([part, spent]) => `${part} ${(spent - before[part]!).toFixed(1)}`).join(', ')} in ${(outcome.totalMs / 1000).toFixed(1)} s`)
  say(`  workers that HAProxy took for dead though they lived: ${stage.mistaken()}`)
  for (const shortfall of verdict.shortfalls) say(`short: ${shortfall}`)
  code = verdict.shortfalls.length === 0 ? 0 : 1
} finally {
  for (const crowd of crowds) await crowd.stop()
  await stage.stop()
}
process.exit(code)

/** Each process's part of the clients. */
function shares(): Pick<CrowdOptions, 'raw' | 'stock' | 'sdk' | 'wildcards'>[] {
  const [stock, sdk] = [Math.min(STOCK, Math.floor(sockets / 4)), Math.min(SDK, Math.floor(sockets / 10))]
  const raw = Math.floor((sockets - stock - sdk) / RAW_PROCESSES)
  return [
    ...Array.from({ length: RAW_PROCESSES }, (_, at) => ({ raw: at === 0 ? sockets - stock - sdk - raw * (RAW_PROCESSES - 1) : raw, stock: 0, sdk: 0, wildcards: Math.min(10, Math.ceil(raw / 100)) })),
    { raw: 0, stock, sdk, wildcards: 0 },
  ]
}

async function report(published: readonly number[]): Promise<CrowdReport> {
  const reports = await Promise.all(crowds.map(async (crowd) => {
    crowd.tell({ published })
    return (await crowd.next()) as unknown as CrowdReport
  }))
  const sum = (of: (one: CrowdReport) => number) => reports.reduce((total, one) => total + of(one), 0)
  const [first] = reports
  const figures = Object.fromEntries((Object.keys(first!) as (keyof CrowdReport)[]).filter((name) => typeof first![name] === 'number').map((name) => [name, sum((one) => one[name] as number)]))
  return { ...(figures as unknown as CrowdReport), refusals: reports.flatMap(({ refusals }) => refusals), absences: reports.flatMap(({ absences }) => absences) }
}

function cpuSoFar(): Record<string, number> {
  return { ...stage.cpu(), clients: crowds.reduce((sum, { pid }) => sum + cpuOf(pid), 0), publisher: process.cpuUsage().user / 1e6 }
}
