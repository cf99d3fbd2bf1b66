/**
 * `npm run test:faults -- [--minutes 30] [--events N] [--seed S] [--kinds a,b] [--each N] [--lanes 3] [--pace N] [--failover] [--plant drop|swap|duplicate|leak|early-ack] [--out FILE] [--logs FOLDER]`
 * Exit code 1: a violation, something that did not settle, or fewer events or faults of a kind than were asked for.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REPLICATED, STANDALONE } from './faults/all.js'
import type { Fault } from './faults/fault.js'
import { FAULT_KINDS, type FaultKind, type Verdict } from './observer.js'
import { play, type Played, type Progress } from './play.js'
import { type Plant, PLANTS } from './plant.js'
import { report } from './report.js'
import { startSentinelStore } from './storeSentinel.js'

const MINUTE_MS = 60_000
const say = (line: string) => process.stdout.write(`${line}\n`)

/** Answers the exit code. */
export async function main(args: string[]): Promise<number> {
  const asked = read(args)
  say(`seed ${asked.seed}`)
  const began = performance.now()
  const played = await play({ ...asked, ...interruptions(), tell: (progress) => say(lineOf(progress)) }).catch((error: unknown) => {
    throw new Error(`the run of seed ${asked.seed} broke off`, { cause: error })
  })
  const seconds = (performance.now() - began) / 1000
  say(report(played.verdict, asked.seed))
  const faults = shortcomings(played, asked)
  for (const line of [...faults, ...strange(played.complaints)]) say(line)
  if (asked.logs !== undefined && faults.length > 0) writeLogs(asked.logs, played)
  if (asked.out !== undefined) appendFileSync(asked.out, `${JSON.stringify(totals(asked.seed, seconds, played))}\n`)
  say(faults.length === 0 ? `seed ${asked.seed}: all held` : `seed ${asked.seed}: FAILED`)
  return faults.length === 0 && process.exitCode !== 1 ? 0 : 1
}

/** The first signal ends the run in order, the second does not wait until it is settled; either way nothing is left behind. So does a fault of the suite itself. */
function interruptions(): { halt: AbortSignal; hurry: AbortSignal } {
  const [halt, hurry] = [new AbortController(), new AbortController()]
  const interrupt = () => {
    if (halt.signal.aborted) return hurry.abort()
    say('ending: what is broken is healed, what is under way settles; once more, and it does not wait for that')
    halt.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  process.on('uncaughtException', (error) => {
    process.exitCode = 1
    say(`the suite itself failed: ${error.stack ?? error.message}`)
    interrupt()
  })
  return { halt: halt.signal, hurry: hurry.signal }
}

function read(args: string[]) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: { minutes: text, events: text, seed: text, kinds: text, each: text, lanes: text, pace: text, plant: text, out: text, logs: text, failover: { type: 'boolean' } },
  })
  const number = (name: 'minutes' | 'events' | 'seed' | 'each' | 'lanes' | 'pace', otherwise: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`--${name} ${values[name]} is no number`)
    return value
  }
  const plant = PLANTS.find((name) => name === values.plant) satisfies Plant | undefined
  if (values.plant !== undefined && plant === undefined) throw new RangeError(`--plant ${values.plant} is none of ${PLANTS.join(', ')}`)
  return {
    seed: number('seed', Math.floor(Math.random() * 2 ** 32)),
    forMs: number('minutes', 5) * MINUTE_MS,
    enough: values.events === undefined && values.each === undefined ? undefined : { events: number('events', 0), each: number('each', 0) },
    lanes: number('lanes', 3),
    pace: number('pace', 10_000),
    pauseMs: [500, 5000] as const,
    kinds: kindsOf(values.kinds, values.failover ? REPLICATED : STANDALONE),
    store: values.failover ? startSentinelStore : undefined,
    faketime: process.env['HUBBUB_FAKETIME'],
    plant,
    out: values.out,
    logs: values.logs,
  }
}

function kindsOf(list: string | undefined, faults: readonly Fault[]): FaultKind[] {
  const known = faults.map(({ kind }) => kind)
  const kinds = list === undefined ? known : (list.split(',').filter(Boolean) as FaultKind[])
  const unknown = kinds.filter((kind) => !known.includes(kind))
  if (unknown.length > 0) throw new RangeError(`--kinds ${unknown.join(',')}: there are ${known.join(', ')}`)
  return kinds
}

function lineOf({ seconds, handedIn, repeats, active, counts, verdict, phase }: Progress): string {
  const kinds = FAULT_KINDS.filter((kind) => counts[kind]).map((kind) => `${kind} ${counts[kind]}`)
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20)
  return [
    `${String(Math.round(seconds)).padStart(5)} s ${phase}`, `${verdict.published} published`, `${verdict.committed} committed`, `${verdict.checked} checked`, `${verdict.delivered} delivered`,
    `${handedIn} handed in, ${repeats} repeats`, `${verdict.gaps} gaps`, `${active} active: ${kinds.join(', ') || 'none yet'}`, `${verdict.violationCount} violations`, `${memory} MB`,
  ].join(' | ')
}

function shortcomings({ verdict, counts, outstanding, planted }: Played, asked: ReturnType<typeof read>): string[] {
  const { events, each } = asked.enough ?? { events: 0, each: 0 }
  const few = asked.kinds.filter((kind) => (counts[kind] ?? 0) < each)
  return [
    ...(verdict.violationCount > 0 ? [`${verdict.violationCount} violations`] : []),
    ...(outstanding.length > 0 ? ['not settled in time:', ...outstanding] : []),
    ...(verdict.checked < events ? [`${verdict.checked} events checked, ${events} were asked for`] : []),
    ...few.map((kind) => `${counts[kind] ?? 0} faults of kind ${kind}, ${each} were asked for`),
    ...(asked.plant ? [`planted: ${planted ?? 'nothing, the run was too short'}`] : []),
  ]
}

/** What a client meets while something is broken, and what it gets over by itself, is no news. */
function strange(complaints: readonly string[]): string[] {
  return complaints.filter((complaint) => !/UNAVAILABLE|TIMEOUT|STORE_FULL|timed out|disconnected/.test(complaint)).slice(0, 20)
}

function totals(seed: number, seconds: number, { verdict, counts, outstanding }: Played): Record<string, unknown> {
  const { violations, ...sums }: Verdict = verdict
  return { seed, at: new Date().toISOString(), seconds: Math.round(seconds), ...sums, counts, outstanding, violations: violations.slice(0, 5).map(({ invariant, what }) => `${invariant} ${what}`) }
}

function writeLogs(folder: string, { logs }: Played): void {
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of logs()) writeFileSync(join(folder, `${name}.log`), text)
}
