/** Peers take turns, round by round, so that a machine that drifts drifts for all of them; figures are medians of rounds. */
import type { Peer } from '../peers/peers.js'
import { median } from '../ground/processes.js'
import { topicOf } from '../ground/events.js'
import type { Cell } from './scenario.js'
import { cpuOf } from '../ground/meters.js'
import type { Crowd, Emitter, Stage } from '../ground/stage.js'
import { percent, short } from '../report/numbers.js'

/** Events that a stock client checks before anything is measured. */
const WITNESSED = 1000

/** One peer with its crowd, at work. */
export interface Seated {
  readonly peer: Peer
  readonly crowd: Crowd
  readonly emitter: Emitter
  /** Deliveries so far, as they must be. */
  due: number
}

/** They are seated, and heard once: by a stock client, too, which then goes, for it is no part of what is measured. */
export async function seat(stage: Stage, peer: Peer, topicsOf: readonly (readonly number[] | 'all')[], together?: number): Promise<Seated> {
  const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
  await crowd.open(topicsOf.map((topics, at) => peer.seat(topics, at)), together)
  const seated = { peer, crowd, emitter, due: 0 }
  const [first] = topicsOf
  const example = peer.seat(first!)
  if (example.wire !== 'socketio' || first === 'all') return seated
  await crowd.witness(example.url, example.token, first!.map(topicOf))
  const [topic] = first!
  await emitter.emit({ order: 'burst', topics: { from: topic!, count: 1 }, events: WITNESSED })
  await crowd.dismiss(WITNESSED)
  seated.due = WITNESSED * topicsOf.filter((topics) => topics === 'all' || topics.includes(topic!)).length
  return seated
}

export interface Burst {
  topics: { from: number; count: number }
  events: number
  /** Of all events of the burst. */
  deliveries: number
  more?: object
}

export interface Measured {
  deliveries: number
  events: number
  seconds: number
  /** CPU seconds. */
  workers: number
  crowd: number
  emitter: number
  others: Record<string, number>
}

/** Bursts one after the other, each when everybody got the one before; at least for so many CPU seconds of the workers. Throws when an event was lost, doubled or out of order. */
export async function playBursts(seated: Seated, burst: Burst, { least = 0, cpuSeconds = 0.5, seconds = 10 } = {}): Promise<Measured> {
  const { crowd, emitter } = seated
  const meter = meterOf(seated)
  let bursts = 0
  for (; bursts < least || (meter().workers < cpuSeconds && meter().seconds < seconds); bursts++) {
    await emitter.emit({ order: 'burst', topics: burst.topics, events: burst.events, more: burst.more })
    seated.due += burst.deliveries
    await crowd.received(seated.due)
  }
  return { ...meter(), deliveries: bursts * burst.deliveries, events: bursts * burst.events }
}

export function meterOf({ peer, crowd, emitter }: Seated): () => Omit<Measured, 'deliveries' | 'events'> {
  const pids = peer.workers.map(({ pid }) => pid)
  const look = () => ({ at: performance.now() / 1000, workers: cpuOf(...pids), crowd: cpuOf(crowd.pid), emitter: cpuOf(emitter.pid), others: mapped(peer.others, (pid) => cpuOf(pid)) })
  const before = look()
  return () => {
    const now = look()
    return { seconds: now.at - before.at, workers: now.workers - before.workers, crowd: now.crowd - before.crowd, emitter: now.emitter - before.emitter, others: mapped(now.others, (cpu, name) => cpu - before.others[name]!) }
  }
}

/** Share of a core from which on whoever loads is what is measured. */
const SATURATED = 0.9

/** Undefined: its load did not hold it up. */
export function saturated({ crowd, emitter, seconds }: Measured): string | undefined {
  if (crowd / seconds > SATURATED) return `no figure: its subscribers took ${percent(crowd / seconds)} of a core`
  if (emitter / seconds > SATURATED) return `no figure: its emitter took ${percent(emitter / seconds)} of a core`
  return undefined
}

/** Each of the peers in each round; the first, which warms up, does not count. A peer that fails has no figure from then on. */
export async function inTurns(seated: readonly Seated[], rounds: number, measure: (one: Seated) => Promise<Measured>, figure: (measured: Measured) => number, say: (line: string) => void): Promise<Record<string, Cell | string>> {
  const values = new Map<string, number[]>()
  const failed = new Map<string, string>()
  for (let round = 0; round <= rounds; round++) {
    for (const one of seated) {
      const { name } = one.peer
      if (failed.has(name)) continue
      try {
        const measured = await measure(one)
        const trouble = saturated(measured)
        if (round > 0 && trouble) failed.set(name, trouble)
        else if (round > 0) values.set(name, [...(values.get(name) ?? []), figure(measured)])
      } catch (error) {
        failed.set(name, `no figure: ${(error as Error).message}`)
      }
    }
    if (round > 0) say(`  round ${round} of ${rounds}: ${seated.map(({ peer: { name } }) => `${name} ${failed.has(name) ? '-' : short(values.get(name)!.at(-1)!)}`).join(', ')}`)
  }
  for (const [name, why] of failed) say(`  ${name}: ${why}`)
  return Object.fromEntries(seated.map(({ peer: { name } }) => [name, failed.get(name) ?? cellOf(values.get(name)!)]))
}

export function cellOf(rounds: readonly number[]): Cell {
  return { value: median(rounds), rounds }
}

/** Round by round, so that a machine that drifts does not count. Undefined without both. */
export function ratio(above: Cell | string | undefined, below: Cell | string | undefined): number | undefined {
  if (typeof above !== 'object' || typeof below !== 'object') return undefined
  return median(above.rounds.map((value, at) => value / (below.rounds[at] ?? below.value)))
}

export function titlesOf(all: readonly { name: string; title: string }[]): Record<string, string> {
  return Object.fromEntries(all.map(({ name, title }) => [name, title]))
}

function mapped<Value, Result>(record: Readonly<Record<string, Value>>, map: (value: Value, name: string) => Result): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}
