/**
 * Which faults, of whom, for how long, and with what pauses: all of it follows from the seed, and nothing from what the run does. Two or three
 * *lanes* go on beside each other; a fault that needs what another one holds waits for it, so that only moments differ between two runs.
 */
import type { Fault } from './faults/fault.js'
import type { FaultKind } from './observer.js'
import { createRandom, type Random } from './random.js'
import type { World } from './world.js'

export interface Schedule {
  /** Faults that were begun, by kind. */
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>
  /** Faults that are active now. */
  active(): number
  ended(): boolean
  /** Never resolves; rejects when a fault could not be made or healed. */
  readonly failed: Promise<never>
  /** Begins no more; resolves when all are healed. Rejects with what went wrong in making or healing one. */
  end(): Promise<void>
}

export interface ScheduleOptions {
  world: World
  faults: readonly Fault[]
  random: Random
  /** Faults that may be active at once. */
  lanes: number
  /** Shortest and longest pause of a lane between two faults, ms. */
  pauseMs: readonly [number, number]
  /** Told as each begins; what it answers is called when it is over. */
  tell: (kind: FaultKind, what: string) => () => void
}

export function openSchedule(options: ScheduleOptions): Schedule {
  const counts: Partial<Record<FaultKind, number>> = {}
  const halt = new AbortController()
  const holdings = new Holdings()
  let active = 0

  const lane = async (number: number, random: Random) => {
    const deal = dealt(options.faults, createRandom(dealing), number, options.lanes)
    while (!halt.signal.aborted) {
      const { kind, draw } = deal()
      const injury = draw(options.world, random)
      await pause(random.integer(...options.pauseMs), halt.signal)
      const release = await holdings.take(injury.holds, halt.signal)
      if (halt.signal.aborted) return release()
      const over = options.tell(kind, injury.what)
      active++
      try {
        const heal = await injury.begin()
        await pause(injury.lastsMs, halt.signal)
        await heal()
        counts[kind] = (counts[kind] ?? 0) + 1
      } finally {
        active--
        over()
        release()
      }
    }
  }
  const dealing = options.random.integer(0, 2 ** 32 - 1)
  const lanes = Array.from({ length: options.faults.length > 0 ? options.lanes : 0 }, (_, number) => lane(number, options.random.fork()))
  const done = Promise.all(lanes)
  return {
    counts,
    active: () => active,
    failed: done.then(() => new Promise<never>(() => {})),
    ended: () => halt.signal.aborted,
    async end() {
      halt.abort()
      await Promise.allSettled(lanes)
      await done
    },
  }
}

/** The kinds are shuffled again and again and dealt out among the lanes, as cards are: all together have each kind equally often. */
function dealt(faults: readonly Fault[], random: Random, lane: number, lanes: number): () => Fault {
  let cards: Fault[] = []
  let next = lane
  return () => {
    while (next >= cards.length) {
      next -= cards.length
      cards = random.shuffle(faults)
    }
    next += lanes
    return cards[next - lanes]!
  }
}

/** What is held by nobody is had at once; who waits first is served first, and takes all that it needs in one step. */
class Holdings {
  private readonly held = new Set<string>()
  private waiting: { names: readonly string[]; got: () => void }[] = []

  /** Resolves at once, with nothing, when the schedule ends. */
  take(names: readonly string[], halt: AbortSignal): Promise<() => void> {
    return new Promise((resolve) => {
      const got = () => {
        halt.removeEventListener('abort', giveUp)
        for (const name of names) this.held.add(name)
        resolve(() => this.release(names))
      }
      const giveUp = () => {
        this.waiting = this.waiting.filter((one) => one.got !== got)
        resolve(() => undefined)
      }
      halt.addEventListener('abort', giveUp, { once: true })
      this.waiting.push({ names, got })
      this.serve()
    })
  }

  private release(names: readonly string[]): void {
    for (const name of names) this.held.delete(name)
    this.serve()
  }

  private serve(): void {
    const awaited = new Set<string>()
    const free = this.waiting.filter(({ names }) => {
      const isFree = names.every((name) => !this.held.has(name) && !awaited.has(name))
      for (const name of names) awaited.add(name)
      return isFree
    })
    this.waiting = this.waiting.filter((one) => !free.includes(one))
    for (const { got } of free) got()
  }
}

function pause(ms: number, halt: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      halt.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    halt.addEventListener('abort', wake, { once: true })
    if (halt.aborted) wake()
  })
}
