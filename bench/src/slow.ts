/**
 * What sockets that stop reading cost the others (I7): `npm run bench:slow -- [--sockets 2000] [--stopped 20] [--workers 1] [--rate 20] [--bytes 300]
 * [--seconds 20] [--pairs 3]`. Windows in which all read and windows in which some stopped take turns in one run. Each of the latter is compared with the
 * two beside it, so that a machine that drifts does not count; how far those two are from each other is the noise. Exit code 1: it falls
 * short; 2: it is not known, for the crowd itself was too busy, or the noise was larger than what is looked for.
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { median } from './ground/processes.js'
import { SlowStage, type Window } from './slow/run.js'

/** Share of the p99; bytes that may wait for one socket; of one core, of the crowd; bytes that the workers hold besides what waits. */
const MOST = { worse: 0.1, waiting: 1_048_576, crowdCpu: 0.8, growth: 16 * 1_048_576 }

const DEFAULTS = { sockets: '2000', stopped: '20', workers: '1', rate: '20', bytes: '300', seconds: '20', pairs: '3' }
const { values } = parseArgs({ options: Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, { type: 'string' as const, default: value }])) })
const numbers = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, numberOf(name, text)])) as Record<keyof typeof DEFAULTS, number>
process.exitCode = await main()

async function main(): Promise<number> {
  const { pairs, ...options } = numbers
  say(`${new Date().toISOString().slice(0, 16)}Z, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; load of the machine ${loadavg()[0]!.toFixed(1)} before it began`)
  say(`${options.sockets} sockets, ${options.workers} worker(s), ${options.rate} events/s to each; ${options.stopped} stop. ${pairs} pairs of ${options.seconds} s\n`)
  const stage = await SlowStage.open(options)
  try {
    await stage.warmUp()
    const windows: Window[] = []
    say('window       deliveries  p50 ms  p99 ms  most ms  workers  crowd  workers: RSS     held  waits: one      all   kernel  load')
    for (let n = 0; n <= 2 * pairs; n++) {
      const window = await stage.window(n % 2 === 1)
      windows.push(window)
      say(row(window))
    }
    return verdict(windows, await stage.faults(), stage.events)
  } finally {
    await stage.close()
  }
}

function row(window: Window): string {
  const { isStopped, deliveries, p50, p99, most, workerCpu, cpu, rss, held, waitingMost, waitingAll, kernel, after } = window
  const cells = [
    (isStopped ? 'some stopped' : 'all read').padEnd(12), String(deliveries).padStart(10), ms(p50), ms(p99), ms(most).padStart(8), percent(workerCpu).padStart(8), percent(cpu).padStart(6), mb(rss).padStart(13), mb(held).padStart(8), mb(waitingMost).padStart(11), mb(waitingAll).padStart(8), mb(kernel).padStart(8), loadavg()[0]!.toFixed(1).padStart(5),
  ]
  const caught = after ? `\n  they caught up in ${after.seconds.toFixed(1)} s; the others' p50 ${ms(after.p50).trim()} ms, p99 ${ms(after.p99).trim()} ms then and a little longer (loops at their latest: worker ${after.workerLoop.toFixed(0)} ms, crowd ${after.loop.toFixed(0)} ms)` : ''
  return cells.join(' ') + caught
}

function verdict(windows: readonly Window[], faults: readonly string[], events: number): number {
  const around = windows.flatMap((window, at) => (window.isStopped ? [{ window, before: windows[at - 1]!, behind: windows[at + 1]! }] : []))
  const worse = around.map(({ window, before, behind }) => window.p99 / ((before.p99 + behind.p99) / 2) - 1)
  const noise = around.map(({ before, behind }) => Math.max(before.p99, behind.p99) / Math.min(before.p99, behind.p99) - 1)
  const reading = windows.filter(({ isStopped }) => !isStopped)
  const stopped = windows.filter(({ isStopped }) => isStopped)
  const waiting = Math.max(...stopped.map(({ waitingMost }) => waitingMost))
  const growth = Math.max(...stopped.map(({ held }) => held)) - median(reading.map(({ held }) => held))
  const crowd = Math.max(...windows.map(({ cpu }) => cpu))
  say(`\np99 of the others, against the two windows beside: ${worse.map(signed).join(', ')}; median ${signed(median(worse))} (at most ${signed(MOST.worse)})`)
  say(`noise, two windows in which all read against each other: ${noise.map(percent).join(', ')}; median ${percent(median(noise))}`)
  say(`waiting for one socket that stopped: at most ${mb(waiting)} (limit ${mb(MOST.waiting)}); the workers hold ${mb(growth)} more than while all read`)
  say(`${events} events: ${faults.length === 0 ? 'every socket, those that stopped included, got each of its own once and in order' : `faults: ${faults.join('; ')}`}`)
  if (crowd > MOST.crowdCpu) return fail(2, `the crowd took ${percent(crowd)} of a core: it measured itself. Fewer sockets or events`)
  if (faults.length > 0) return fail(1, 'events were lost, repeated or out of order')
  if (waiting > MOST.waiting || growth > MOST.growth + numbers.stopped * MOST.waiting) return fail(1, 'memory is not bounded')
  if (median(noise) > MOST.worse) return fail(2, 'whether the others were later is not known: the machine is noisier than what is measured. Run it alone')
  if (median(worse) > MOST.worse) return fail(1, 'the others were later')
  say('it holds')
  return 0
}

function fail(code: number, why: string): number {
  say(`falls short: ${why}`)
  return code
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`--${name}: '${text}' is not allowed; allowed: an integer above 0`)
}

function ms(value: number): string {
  return value.toFixed(1).padStart(7)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`
}

function mb(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
