/** What a delivery costs as everything grows: rooms, sockets, and what the journal holds. */
import { startHubbub, type SocketioPeer } from '../peers/peers.js'
import type { Seat } from '../crowd/crowd.js'
import { topicOf } from '../ground/events.js'
import type { Row, Scenario, ScenarioContext } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { short } from '../report/numbers.js'
import { inTurns, playBursts, ratio, seat, titlesOf, type Burst, type Seated } from './rounds.js'

const MOST_WORSE = 1.2
const SUBSCRIPTION_TOPICS = 50

interface Size {
  name: string
  title: string
  begin: (stage: Stage) => Promise<Seated>
  burst: Burst
}

export const growth: Scenario = {
  name: 'growth',
  title: 'Growth',
  async run(context) {
    return [await compare('rooms', [100, 10_000, 100_000].map(rooms), context), await compare('sockets', [10, 1000, 10_000].map(sockets), context), await compare('entries in the journal', [1000, 100_000, 1_000_000].map((count) => journal(Math.round(count * (count > 1000 ? context.scale : 1)))), context)]
  },
}

/** Sizes of one thing take turns, each on a hub of its own. */
async function compare(what: string, sizes: readonly Size[], { rounds, say }: ScenarioContext): Promise<Row> {
  say(`${what}: ${sizes.map(({ title }) => title).join(', ')}`)
  const stage = new Stage()
  try {
    const seated: Seated[] = []
    for (const size of sizes) seated.push(await size.begin(stage))
    const burstOf = (one: Seated) => sizes.find(({ name }) => name === one.peer.name)!.burst
    const cells = await inTurns(seated, rounds, (one) => playBursts(one, burstOf(one), { least: 4 }), ({ deliveries, workers }) => (workers * 1e6) / deliveries, say)
    return {
      what: `more ${what}`, unit: 'µs of the worker\'s CPU a delivery', cells, titles: titlesOf(sizes),
      demands: [{ what: 'times the least', reached: ratio(cells[sizes.at(-1)!.name], cells[sizes[0]!.name]), most: MOST_WORSE }],
    }
  } finally {
    await stage.close()
  }
}

/** 100 of them are told of; the others are there. */
function rooms(count: number): Size {
  const [told, holders] = [100, Math.min(count, 500)]
  return {
    name: `rooms-${count}`, title: `${short(count)} rooms`, burst: { topics: { from: 0, count: told }, events: 500, deliveries: 500 },
    begin: async (stage) => {
      const peer = await named(stage, `rooms-${count}`)
      const topicsOf = Array.from({ length: holders }, (_, holder) => Array.from({ length: Math.ceil((count - holder) / holders) }, (__, at) => holder + at * holders))
      const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
      await crowd.open(topicsOf.map((topics): Seat => ({ ...peer.seat([0]), subscribe: inParts(topics).map((part) => ({ topics: part.map(topicOf) })) })))
      return { peer, crowd, emitter, due: 0 }
    },
  }
}

function sockets(count: number): Size {
  const events = Math.min(500, Math.max(20, 200_000 / count))
  return {
    name: `sockets-${count}`, title: `${short(count)} sockets`, burst: { topics: { from: 0, count: 1 }, events, deliveries: events * count },
    begin: async (stage) => await seat(stage, await named(stage, `sockets-${count}`), Array.from({ length: count }, () => [0])),
  }
}

function journal(count: number): Size {
  return {
    name: `journal-${count}`, title: `${short(count)} entries`, burst: { topics: { from: 0, count: 1 }, events: 500, deliveries: 500 * 50 },
    begin: async (stage) => {
      const seated = await seat(stage, await named(stage, `journal-${count}`), Array.from({ length: 50 }, () => [0]))
      for (let sent = 0; sent < count; sent += 10_000) await seated.emitter.emit({ order: 'burst', topics: { from: 1, count: 1000 }, events: Math.min(10_000, count - sent) })
      await stage.quiet(seated.peer.others['processor']!)
      return seated
    },
  }
}

async function named(stage: Stage, name: string): Promise<SocketioPeer> {
  return { ...(await startHubbub(stage, { settings: { retentionCount: 2_000_000, retentionBytes: 2 ** 31, retentionMs: 86_400_000, maxTopics: 1_000_000 } })), name }
}

/** As many as one `subscribe` takes. */
function inParts(topics: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(topics.length / SUBSCRIPTION_TOPICS) }, (_, at) => topics.slice(at * SUBSCRIPTION_TOPICS, (at + 1) * SUBSCRIPTION_TOPICS))
}
