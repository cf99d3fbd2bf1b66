/**
 * What a connection, an event and a delivery cost: `npm run bench:cost -- [connections|commits|publish|deliveries|reading] [--share 1]`. `--share 0.1` takes a
 * tenth of the counts, to see that it works. CPU time is that of the process in question, so that what else runs on the machine disturbs
 * little; rates do not have that, and count only on a quiet machine: the load is told with them. docs/SCALING.md reckons with these figures.
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCommits, measurePublish } from './cost/commits.js'
import { measureConnections } from './cost/connections.js'
import { measureDeliveries, measureReading } from './cost/deliveries.js'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { share: { type: 'string', default: '1' } } })
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new RangeError(`--share: '${values.share}' is not allowed; allowed: a number above 0, at most 1`)
const part = (count: number, least = 1): number => Math.max(least, Math.round(count * share))

const PARTS: Record<string, () => Promise<void>> = { connections, commits, publish, deliveries, reading }
for (const name of positionals) if (!(name in PARTS)) throw new RangeError(`'${name}' is not allowed; allowed: ${Object.keys(PARTS).join(', ')}`)
say(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, ${new Date().toISOString().slice(0, 16)}Z`)
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  say(`\n${name}; load of the machine ${loadavg()[0]!.toFixed(1)} before it began`)
  await PARTS[name]!()
}

async function connections(): Promise<void> {
  await measureConnections([1000, 5000, 10_000].map((count) => part(count, 200)), say)
}

async function commits(): Promise<void> {
  say('  a batch  events/s  processor  Redis: append  commit   bytes an event in Redis')
  for (const [batch, count, onDisk] of [[1, 5000], [10, 30_000], [100, 60_000], [500, 60_000], [500, 60_000, true]] as [number, number, boolean?][]) {
    const { eventsPerSecond, processor, append, commit, bytes, byKind } = await measureCommits(batch, part(count, 1000), onDisk)
    const kinds = Object.entries(byKind).map(([kind, size]) => `${kind} ${Math.round(size)}`).join(', ')
    say(`  ${String(batch).padStart(7)} ${format(eventsPerSecond).padStart(9)} ${micros(processor).padStart(10)} ${micros(append).padStart(14)} ${micros(commit).padStart(7)}   ${format(bytes)}: ${kinds}${onDisk ? ' (with an append-only file)' : ''}`)
  }
}

async function publish(): Promise<void> {
  say('  publishers  a message  events/s  p50 ms  p99 ms  worker  processor  Redis (CPU an event)')
  for (const [publishers, batch] of [[20, 1], [200, 1], [20, 10], [20, 100]] as const) {
    const { eventsPerSecond, p50, p99, worker, processor, redis } = await measurePublish(publishers, batch, part(10, 2))
    say(`  ${String(publishers).padStart(10)} ${String(batch).padStart(10)} ${format(eventsPerSecond).padStart(9)} ${p50.toFixed(1).padStart(7)} ${p99.toFixed(1).padStart(7)} ${micros(worker).padStart(7)} ${micros(processor).padStart(10)} ${micros(redis).padStart(7)}`)
  }
}

async function deliveries(): Promise<void> {
  say('  subscribers  events a write  a delivery   a write  worker  crowd')
  for (const subscribers of [1, 50, 200, 1000]) {
    await measureDeliveries(subscribers, [1, 10, 100], part(10, 2), ({ burst, delivery, write, workerShare, crowdShare }) => {
      say(`  ${String(subscribers).padStart(11)} ${String(burst).padStart(15)} ${delivery.toFixed(2).padStart(8)} µs ${micros(write).padStart(9)} ${percent(workerShare).padStart(7)} ${percent(crowdShare).padStart(6)}`)
    })
  }
}

async function reading(): Promise<void> {
  const { worker, redis, eventsPerSecond } = await measureReading(part(90_000, 5000))
  say(`  an event of which nobody here hears: ${micros(worker)} of the worker, ${micros(redis)} of Redis; ${format(eventsPerSecond)} events/s when it is behind`)
}

function micros(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} µs`
}

function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
