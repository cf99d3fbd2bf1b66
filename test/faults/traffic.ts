/** Who works and who watches while faults are made: producers of every sort, subscribers on every wire, spread over projects and doors. */
import { eventually } from '../harness/eventually.js'
import { Ear, type Taste } from './ear.js'
import { LANES, PROJECTS, TASKS } from './events.js'
import type { Journals } from './journals.js'
import type { Observer } from './observer.js'
import { passFor } from './pass.js'
import type { Random } from './random.js'
import { httpProducer, rawProducer, socketProducer, type Producer, type ProducerPlace } from './trafficProducers.js'
import { subscriber, WIRES, type Subscriber, type Wire } from './trafficSubscribers.js'
import type { World } from './world.js'

export interface Traffic {
  readonly producers: readonly Producer[]
  readonly subscribers: readonly Subscriber[]
  handedIn(): number
  /** Begins nothing new; resolves when producers have their answers. */
  finish(): Promise<void>
  close(): void
}

export interface TrafficOptions {
  world: World
  observer: Observer
  journals: Journals
  random: Random
  /** Events a second that all producers together hand in at most. */
  pace: number
}

/** Whole streams are watched once each: every event has somebody who wants it, and what it costs to hear all does not hide the hub's own pace. */
const WIDE: readonly Wire[] = ['websocket', 'plain', 'sse', 'sdk', 'plain', 'sse']
const NARROW_OF_EACH_WIRE = 3
const SOCKET_PROJECTS = [0, 3]
const RAW_PROJECT = 2
/** A producer that is served well hands in batches, not single events. */
const LEAST_BATCH = 40

export async function openTraffic(options: TrafficOptions): Promise<Traffic> {
  const { random } = options
  const projectOf = new Map<number, string>()
  const subscribers = await Promise.all(seats(random).map((seat) => seated(seat, options, (producer) => projectOf.get(producer))))
  const halt = new AbortController()
  const producers = await openProducers(options, projectOf, halt.signal)
  return {
    producers,
    subscribers,
    handedIn: () => producers.reduce((sum, producer) => sum + producer.handedIn(), 0),
    finish: async () => void (await Promise.all(producers.map((producer) => producer.finish()))),
    close() {
      halt.abort()
      for (const one of subscribers) one.close()
    },
  }
}

interface Seat {
  name: string
  wire: Wire
  project: string
  taste: Taste
}

function seats(random: Random): Seat[] {
  const wide = WIDE.map((wire, at): Seat => ({ name: `${wire}-all-${at}`, wire, project: PROJECTS[at]!, taste: { topics: ['*'], takes: () => true } }))
  const narrow = WIRES.flatMap((wire) => Array.from({ length: NARROW_OF_EACH_WIRE }, (_, at): Seat => {
    const project = random.pick(PROJECTS)
    return { name: `${wire}-some-${at}`, wire, project, taste: tasteOf(random, at, wire !== 'plain') }
  }))
  return [...wide, ...narrow]
}

/** One task, several, a pattern, or a choice by type or field. */
function tasteOf(random: Random, at: number, filters: boolean): Taste {
  const tasks = random.shuffle(TASKS)
  if (at === 0) return { topics: [`task:${tasks[0]}`], takes: ({ task }) => task === tasks[0] }
  if (at === 1) {
    const set = new Set<string>(tasks.slice(0, 3))
    return { topics: [...set].map((task) => `task:${task}`), takes: ({ task }) => set.has(task) }
  }
  const letter = tasks[0]![0]!
  if (!filters) return { topics: [`task:${letter}*`], types: ['custom.tick'], takes: ({ task, type }) => task.startsWith(letter) && type === 'custom.tick' }
  const lane = random.integer(0, LANES - 1)
  return { topics: [`task:${letter}*`], filter: { lane }, takes: (traits) => traits.task.startsWith(letter) && traits.lane === lane }
}

async function seated({ name, wire, project, taste }: Seat, { world, observer }: TrafficOptions, projectOf: (producer: number) => string | undefined): Promise<Subscriber> {
  const door = await world.openDoor(name)
  const from = await eventually(() => cursorOfNow(door.url, project), `a cursor of ${project}`, 30_000, 200)
  return subscriber(wire, new Ear(name, project, taste, from, observer, projectOf), door)
}

/** The cursor of this moment. */
async function cursorOfNow(url: string, project: string): Promise<string> {
  const headers = { authorization: `Bearer ${passFor('viewer', project, 'looker')}` }
  const answer = await fetch(`${url}/api/v1/snapshot?topic=task:none&limit=1`, { headers, signal: AbortSignal.timeout(3000) })
  return ((await answer.json()) as { cursor: string }).cursor
}

async function openProducers({ world, observer, journals, pace }: TrafficOptions, projectOf: Map<number, string>, halt: AbortSignal): Promise<Producer[]> {
  const sorts = [...PROJECTS.map((project) => ['http', project] as const), ...SOCKET_PROJECTS.map((at) => ['socket', PROJECTS[at]!] as const), ['raw', PROJECTS[RAW_PROJECT]!] as const]
  const perMs = pace / sorts.length / 1000
  return await Promise.all(
    sorts.map(async ([sort, project], number) => {
      projectOf.set(number, project)
      observer.producer(number, project, sort !== 'raw')
      const place: ProducerPlace = { number, project, observer, journals, allowance: allowanceOf(perMs), halt }
      if (sort === 'raw') return rawProducer(place, () => world.store.url())
      const door = await world.openDoor(`producer-${number}`)
      return sort === 'http' ? httpProducer(place, door) : socketProducer(place, door)
    }),
  )
}

/** What it could not hand in while it waited is not made up for: a fault is not followed by a flood. */
function allowanceOf(perMs: number): () => number {
  let saved = 0
  let at = performance.now()
  return () => {
    const now = performance.now()
    saved = Math.min(1000, saved + (now - at) * perMs)
    at = now
    const count = Math.min(Math.floor(saved), 500)
    if (count < LEAST_BATCH) return 0
    saved -= count
    return count
  }
}
