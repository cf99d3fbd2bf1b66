/**
 * `npm run fuzz -- [--inputs 5000000] [--seed S] [--sockets N]`: random inputs over the gateways' parsers, in this process, and of them
 * `--sockets` over real sockets to a hub process (a 25th; of a million and more 200,000 at least). Exit code 1: a finding, or memory that grows.
 */
import { parseArgs } from 'node:util'
import { createRandom, type Random } from '../faults/random.js'
import { bombard } from './bombardment.js'
import { CLIENT_TARGET } from './clients.js'
import { embed } from './embedded.js'
import { GrowthRecord } from './growth.js'
import { number, Outcomes } from './outcomes.js'
import { requireCleanPrototypes, shown } from './report.js'
import { lay, type Siege } from './siege.js'
import { hubTargets } from './speakers.js'
import { FUNCTION_TARGETS, type Target } from './targets.js'

const say = (line: string) => process.stdout.write(`${line}\n`)
const LEAST_SOCKETS = 200_000
const MILLION = 1_000_000
const TELL_MS = 10_000
const REST_MS = 240_000
const REST_MARK_MS = 10_000

/** Answers the exit code. */
export async function main(args: string[]): Promise<number> {
  const { inputs, seed, sockets } = read(args)
  say(`seed ${seed}: ${number(inputs)} inputs, ${number(sockets)} of them over sockets`)
  const outcomes = new Outcomes()
  const watched = watchProcess(outcomes)
  // A refusal is an Error with a stack; of a finding these many places are enough.
  Error.stackTraceLimit = 5
  const began = performance.now()
  const own = await inProcess(inputs - sockets, seed, outcomes)
  const theirs = await overSockets(sockets, seed, outcomes)
  requireCleanPrototypes()
  watched.end()
  say(outcomes.table())
  for (const growth of [own, theirs]) if (!growth.isEmpty) say(growth.line())
  for (const growth of [own, theirs]) if (growth.excess() !== undefined) outcomes.find({ gateway: growth.what, what: growth.excess()! })
  for (const { gateway, what, seed: of, input } of outcomes.findings) say(`FINDING ${gateway}: ${what}${of === undefined ? '' : ` (input's seed ${of})`}${input === undefined ? '' : `\n  input: ${input}`}`)
  say(`seed ${seed}: ${number(outcomes.inputs)} inputs in ${Math.round((performance.now() - began) / 1000)} s, ${outcomes.findings.length} findings`)
  return outcomes.findings.length === 0 && outcomes.inputs >= inputs ? 0 : 1
}

function read(args: string[]) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { inputs: text, seed: text, sockets: text } })
  const count = (name: 'inputs' | 'seed' | 'sockets', otherwise: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} ${values[name]} is no number`)
    return value
  }
  const inputs = count('inputs', 100_000)
  const share = Math.ceil(inputs / 25)
  return { inputs, seed: count('seed', Math.floor(Math.random() * 2 ** 31)), sockets: Math.min(inputs, count('sockets', inputs >= MILLION ? Math.max(LEAST_SOCKETS, share) : share)) }
}

/** What nobody waited for is a finding, too. */
function watchProcess(outcomes: Outcomes): { end(): void } {
  const note = (what: string) => (error: unknown) => outcomes.find({ gateway: 'this process', what: `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`.slice(0, 1000) })
  const [rejection, exception] = [note('unhandled rejection'), note('uncaught exception')]
  process.on('unhandledRejection', rejection).on('uncaughtException', exception)
  return { end: () => void process.off('unhandledRejection', rejection).off('uncaughtException', exception) }
}

/** Side by side, each with clients of its own: some answers take their time. */
const LANES = 8

async function inProcess(inputs: number, seed: number, outcomes: Outcomes): Promise<GrowthRecord> {
  const growth = new GrowthRecord('heap of the parsers\' process, collected')
  if (inputs === 0) return growth
  const embedded = await embed()
  const progress = new Progress('in process', inputs, outcomes)
  let [at, tenth] = [0, 1]
  const lane = async (own: number): Promise<void> => {
    const targets = [...hubTargets(embedded), ...FUNCTION_TARGETS, CLIENT_TARGET]
    const weights = targets.flatMap((target) => Array.from({ length: target.share }, () => target))
    // Who fires next is left to chance, and each input to a seed of its own.
    const random = createRandom(seed + own)
    while (at < inputs) {
      const place = ++at
      await fire(random.pick(weights), seed + place, outcomes)
      // Timers and sockets of the hub get their turn.
      if (place % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (place % 256 === 0) progress.tell(place)
      if (place >= (inputs * tenth) / 10) {
        tenth++
        mark(growth, await collected())
      }
    }
    for (const target of targets) target.close?.()
  }
  await Promise.all(Array.from({ length: LANES }, (_, own) => lane(own)))
  for (const line of embedded.errors.slice(0, 20)) outcomes.find({ gateway: 'log of the hub in process', what: line.slice(0, 1500) })
  await embedded.close()
  return growth
}

async function fire(target: Target, seed: number, outcomes: Outcomes): Promise<void> {
  const random: Random = createRandom(seed)
  let input: unknown
  try {
    outcomes.count(target.gateway, await target.fire(random, (made) => (input = made)))
  } catch (error) {
    outcomes.count(target.gateway, 'FINDING')
    outcomes.find({ gateway: target.gateway, what: error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 5).join('\n') : String(error), seed, input: shown(input) })
  }
}

function mark(growth: GrowthRecord, megabytes: number): void {
  growth.note(megabytes)
  say(`        ${growth.what}: ${megabytes.toFixed(1)} MB`)
}

/** MB, after the collector ran; what ends with timers of a second or two has ended by then. */
async function collected(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void }
  if (!gc) throw new Error('node runs without --expose-gc')
  gc()
  await new Promise((resolve) => setImmediate(resolve))
  gc()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function overSockets(inputs: number, seed: number, outcomes: Outcomes): Promise<GrowthRecord> {
  const growth = new GrowthRecord('heap of the hub process, least of each tenth')
  if (inputs === 0) return growth
  const siege = await lay()
  const progress = new Progress('over sockets', inputs, outcomes)
  const before = outcomes.inputs
  const telling = setInterval(() => progress.tell(outcomes.inputs - before), 1000)
  await bombard(siege, inputs, seed, outcomes, () => mark(growth, siege.heap()))
  clearInterval(telling)
  await rest(siege, growth)
  say(`the witness heard ${number(siege.witnessed())} events meanwhile; the hub process stands at ${Math.round(siege.rss())} MB`)
  for (const what of await siege.lift()) outcomes.find({ gateway: 'hub process', what: what.slice(0, 1500) })
  return growth
}

/**
 * A session's record is kept for two minutes at least, so that its client can come back: thousands of connections a minute fill the memory
 * for as long, and it must be free again behind that.
 */
async function rest(siege: Siege, growth: GrowthRecord): Promise<void> {
  for (const until = performance.now() + REST_MS; growth.excess() !== undefined && performance.now() < until && !siege.isOver(); ) {
    await new Promise((resolve) => setTimeout(resolve, REST_MARK_MS))
    mark(growth, siege.heap())
  }
}

class Progress {
  private toldAt = performance.now()
  private readonly beganAt = performance.now()

  constructor(private readonly phase: string, private readonly inputs: number, private readonly outcomes: Outcomes) {}

  tell(done: number): void {
    const now = performance.now()
    if (now - this.toldAt < TELL_MS) return
    this.toldAt = now
    const seconds = (now - this.beganAt) / 1000
    say(`${String(Math.round(seconds)).padStart(5)} s ${this.phase} | ${number(done)} of ${number(this.inputs)} | ${number(Math.round(done / seconds))} inputs/s | ${this.outcomes.findings.length} findings | ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`)
  }
}
