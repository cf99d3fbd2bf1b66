/** One run: a world, traffic in it, faults by the seed, and the checker's verdict on all that was seen. */
import { eventually } from '../harness/eventually.js'
import { createChecker, type Checker } from './checker.js'
import { faultsOf } from './faults/all.js'
import { openJournals, type Journals } from './journals.js'
import type { FaultKind, Observer, Verdict } from './observer.js'
import { together } from './together.js'
import { planted, type Plant } from './plant.js'
import { createRandom } from './random.js'
import { openSchedule, type Schedule } from './schedule.js'
import type { Store } from './store.js'
import { openTraffic, type Traffic } from './traffic.js'
import { startWorld, type World } from './world.js'

export interface PlayOptions {
  seed: number
  kinds: readonly FaultKind[]
  /** Ends it at the latest; then everything is healed and has its time to settle. */
  forMs: number
  /** Ends it earlier, when so many events were checked and each kind of fault was made so often. */
  enough?: { events: number; each: number }
  /** Events a second, of all producers together. */
  pace: number
  lanes: number
  pauseMs: readonly [number, number]
  faketime?: string
  /** One server of Redis, unless told otherwise. */
  store?: () => Promise<Store>
  /** Who observes besides the checker. */
  beside?: readonly Observer[]
  plant?: Plant
  /** Ends it as if its time were over. */
  halt?: AbortSignal
  /** Then does not wait either until everything is settled. */
  hurry?: AbortSignal
  /** Told every `tellMs`. */
  tell?: (progress: Progress) => void
  tellMs?: number
}

export interface Progress {
  seconds: number
  handedIn: number
  repeats: number
  active: number
  counts: Readonly<Partial<Record<FaultKind, number>>>
  verdict: Verdict
  phase: 'playing' | 'settling'
}

export interface Played {
  verdict: Verdict
  /** Faults that were begun and healed. */
  counts: Readonly<Partial<Record<FaultKind, number>>>
  /** What was not settled in time. */
  outstanding: readonly string[]
  /** What the plant did. */
  planted?: string
  /** What subscribers met that is no matter of an invariant, by subscriber. */
  complaints: readonly string[]
  /** Ends of what the processes wrote, those that are gone included. */
  logs: () => { name: string; text: string }[]
}

/** After the last fault was healed; clients that wait longest try again within seconds. */
const SETTLE_MS = 90_000

export async function play(options: PlayOptions): Promise<Played> {
  const random = createRandom(options.seed)
  const checker = createChecker()
  const plant = options.plant ? planted(checker, options.plant, options.seed) : undefined
  const observer = together([plant ?? checker, ...(options.beside ?? [])])
  const world = await startWorld({ faketime: options.kinds.includes('clock') ? options.faketime : undefined, store: options.store })
  let journals: Journals | undefined
  let traffic: Traffic | undefined
  try {
    journals = openJournals(world.store, observer)
    traffic = await openTraffic({ world, observer, journals, random: random.fork(), pace: options.pace })
    const schedule = scheduled(options, world, observer, random)
    const stopTelling = telling(options, traffic, schedule, () => checker.progress())
    try {
      await lasted(options, () => isEnough(options, checker.progress().checked, schedule), [journals.failed, schedule.failed])
      await Promise.race([settled(schedule, traffic, checker), hurried(options.hurry)])
      const outstanding = checker.settled() ? [] : checker.outstanding()
      return {
        verdict: checker.verdict(),
        counts: schedule.counts,
        outstanding,
        planted: plant?.done,
        complaints: traffic.subscribers.flatMap(({ ear }) => ear.complaints.map((complaint) => `${ear.name}: ${complaint}`)),
        logs: logsOf(world),
      }
    } finally {
      stopTelling()
      // What is still being healed fails when the world ends, and nobody needs it.
      schedule.end().catch(() => undefined)
    }
  } finally {
    traffic?.close()
    await world.stop()
    await journals?.close()
  }
}

/** What is broken is healed, producers have their answers, and the checker waits for nothing: the last within its time. */
async function settled(schedule: Schedule, traffic: Traffic, checker: Checker): Promise<void> {
  await schedule.end()
  const until = performance.now() + SETTLE_MS
  let isFinished = false
  void traffic.finish().then(() => (isFinished = true))
  await eventually(() => (isFinished && checker.settled()) || performance.now() > until, 'everything to be settled', 2 * SETTLE_MS, 100)
}

function hurried(hurry: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => hurry?.addEventListener('abort', () => resolve(), { once: true }))
}

function scheduled(options: PlayOptions, world: World, observer: Observer, random: ReturnType<typeof createRandom>): Schedule {
  return openSchedule({
    world,
    faults: faultsOf(options.kinds),
    random: random.fork(),
    lanes: options.lanes,
    pauseMs: options.pauseMs,
    tell(kind, what) {
      const fault = observer.faultBegan(kind, what)
      return () => observer.faultEnded(fault)
    },
  })
}

function isEnough({ enough, kinds }: PlayOptions, checked: number, { counts }: Schedule): boolean {
  return enough !== undefined && checked >= enough.events && kinds.every((kind) => (counts[kind] ?? 0) >= enough.each)
}

/** Until the time is over, there is enough, or somebody wants it ended. */
async function lasted({ forMs, halt }: PlayOptions, isEnoughNow: () => boolean, failures: readonly Promise<never>[]): Promise<void> {
  const until = performance.now() + forMs
  await Promise.race([
    ...failures,
    eventually(() => halt?.aborted === true || performance.now() > until || isEnoughNow(), 'the end of the run', forMs + 60_000, 50),
  ])
}

function telling({ tell, tellMs = 5000 }: PlayOptions, traffic: Traffic, schedule: Schedule, verdict: () => Verdict): () => void {
  if (!tell) return () => undefined
  const began = performance.now()
  const timer = setInterval(() => {
    tell({
      seconds: (performance.now() - began) / 1000,
      handedIn: traffic.handedIn(),
      repeats: traffic.producers.reduce((sum, producer) => sum + producer.repeats(), 0),
      active: schedule.active(),
      counts: schedule.counts,
      verdict: verdict(),
      phase: schedule.ended() ? 'settling' : 'playing',
    })
  }, tellMs)
  return () => clearInterval(timer)
}

/** Read before the world ends. */
function logsOf(world: World): Played['logs'] {
  const texts = [...world.former, ...world.posts].map(({ name, hub }) => ({ name: `${name}-${hub.pid}`, text: `${hub.stdout()}\n${hub.stderr()}` }))
  return () => texts
}
