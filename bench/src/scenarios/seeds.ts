/** The targets that one of the seeds set itself, as rows. */
import { setTimeout as pause } from 'node:timers/promises'
import { startHubbub } from '../peers/peers.js'
import type { Seat } from '../crowd/crowd.js'
import type { Demand, Row, Scenario, ScenarioContext } from './scenario.js'
import { residentOf } from '../ground/meters.js'
import { Stage } from '../ground/stage.js'
import { playBursts, seat } from './rounds.js'
import { playSteady } from './steady.js'

const MB = 1_048_576

export const seeds: Scenario = {
  name: 'seeds',
  title: 'A localhost hub\'s own targets',
  async run(context) {
    return [await tenClients(context), await patterns(context), await stream(context), await memory(context)].flat()
  },
}

const row = (what: string, unit: string, value: number, demand: Omit<Demand, 'reached' | 'unit'>): Row => ({ what, unit, cells: { hubbub: { value, rounds: [value] } }, titles: { hubbub: 'Hubbub' }, demands: [{ ...demand, reached: value, unit }] })

async function tenClients({ say }: ScenarioContext): Promise<Row[]> {
  say('10 clients, 100 events/s')
  return await staged(async (stage) => {
    const seated = await seat(stage, await startHubbub(stage), Array.from({ length: 10 }, () => [0]))
    const { delays } = await playSteady(seated, 100, 10, { from: 0, count: 1 }, (events) => events * 10)
    return [
      row('10 clients: publish to receipt, p99', 'ms', delays.p99, { what: '', most: 100 }),
      // It would have thrown.
      row('100 events/s for 10 s: lost', 'events', 0, { what: '', most: 0 }),
    ]
  })
}

/** A client may have 50 topics in a subscription: a thousand patterns of every form that matches by looking. */
async function patterns({ say }: ScenarioContext): Promise<Row[]> {
  say('1,000 patterns')
  return await staged(async (stage) => {
    const peer = await startHubbub(stage, { settings: { maxTopics: 10_000 } })
    const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
    const base = peer.seat([0])
    const of = (client: number) => Array.from({ length: 50 }, (_, at) => (at === 0 ? 'task:*' : `task:X-${client}-${at}*`))
    await crowd.open(Array.from({ length: 20 }, (_, client): Seat => ({ ...base, subscribe: [{ topics: of(client) }] })))
    const seated = { peer, crowd, emitter, due: 0 }
    const { events, workers } = await playBursts(seated, { topics: { from: 0, count: 1 }, events: 500, deliveries: 500 * 20 }, { least: 4 })
    return [row('1,000 patterns matched: worker CPU an event', 'ms', (workers * 1000) / events, { what: '', most: 50 })]
  })
}

/** 20 changes a minute, as the seed reckons: frames of events, bookmarks and heartbeats, as they are on the wire. */
async function stream({ say }: ScenarioContext): Promise<Row[]> {
  say('one stream for a minute')
  return await staged(async (stage) => {
    const seated = await seat(stage, await startHubbub(stage), [[0]])
    const before = (await seated.crowd.look()).bytes
    await playSteady(seated, 1, 20, { from: 0, count: 1 }, (events) => events)
    const frames = (await seated.crowd.look()).bytes - before
    // 4 bytes of head each; a bookmark a minute at most, and heartbeats each 25 s.
    return [row('a stream with 20 events a minute', 'KB/min', (frames + 20 * 4 + 100 + 3 * 2 * 8) / 1024, { what: '', most: 10 })]
  })
}

async function memory({ say }: ScenarioContext): Promise<Row[]> {
  say('100 clients')
  return await staged(async (stage) => {
    const peer = await startHubbub(stage)
    const { pid } = peer.workers[0]!
    const crowd = await stage.crowd(peer.name)
    const open = (count: number) => crowd.open(Array.from({ length: count }, () => peer.seat([0, 1, 2])))
    // What the first ones bring into being is no client's own.
    await open(100)
    await pause(5000)
    const before = residentOf(pid)
    await open(500)
    await pause(10_000)
    return [row('memory of 100 clients', 'MB', (residentOf(pid) - before) / 5 / MB, { what: '', most: 1.5 })]
  })
}

async function staged<T>(run: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = new Stage()
  try {
    return await run(stage)
  } finally {
    await stage.close()
  }
}
