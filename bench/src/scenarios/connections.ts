/** Connections that stand there: 15,000, with three subscriptions each; ours are authenticated, too. */
import { setTimeout as pause } from 'node:timers/promises'
import { startHubbub, startStock, type SocketioPeer } from '../peers/peers.js'
import type { Seat } from '../crowd/crowd.js'
import { topicOf } from '../ground/events.js'
import type { Cell, Row, Scenario } from './scenario.js'
import { cpuOf, residentOf } from '../ground/meters.js'
import { Stage } from '../ground/stage.js'
import { percent, short } from '../report/numbers.js'
import { cellOf, ratio } from './rounds.js'

const CONNECTIONS = 15_000
/** Handshakes under way. */
const TOGETHER = 128
/** Connections before the measure: what a process takes for the first ones. */
const WARM = 500

interface Figures {
  bytes: number
  rate: number
  /** µs of the worker's CPU a connection. */
  cpu: number
}

export const connections: Scenario = {
  name: 'connections',
  title: 'Connections',
  async run({ rounds, scale, say }) {
    const count = Math.round(CONNECTIONS * scale)
    say(`${count} idle connections, 3 subscriptions each`)
    // A process gives memory back when it likes: each round has new ones.
    const all: Record<string, Figures[]> = { hubbub: [], streams: [], pubsub: [] }
    const titles: Record<string, string> = {}
    for (let round = 1; round <= Math.min(rounds, 3); round++) {
      for (const start of [(stage: Stage) => startHubbub(stage), (stage: Stage) => startStock(stage, 'streams'), (stage: Stage) => startStock(stage, 'pubsub')]) {
        const stage = new Stage()
        try {
          const peer = await start(stage)
          titles[peer.name] = peer.title
          all[peer.name]!.push(await fill(stage, peer, count))
        } finally {
          await stage.close()
        }
      }
      say(`  round ${round}: ${Object.entries(all).map(([name, figures]) => `${name} ${short(figures.at(-1)!.bytes)} bytes, ${short(figures.at(-1)!.rate)}/s, ${short(figures.at(-1)!.cpu)} µs`).join('; ')}`)
    }
    const cells = (of: keyof Figures): Record<string, Cell> => Object.fromEntries(Object.entries(all).map(([name, figures]) => [name, cellOf(figures.map((figure) => figure[of]))]))
    const [bytes, rate, cpu] = [cells('bytes'), cells('rate'), cells('cpu')]
    return [
      { what: `${count} idle connections`, unit: 'bytes resident a connection', cells: bytes, titles, demands: [{ what: 'times stock', reached: ratio(bytes['hubbub'], bytes['streams']), most: 0.8 }] },
      { what: 'handshake, credential, 3 subscriptions', unit: 'connections/s', cells: rate, titles, demands: [{ what: 'times stock', reached: ratio(rate['hubbub'], rate['streams']), least: 1 }] },
      { what: 'the same', unit: 'µs of the worker\'s CPU a connection', cells: cpu, titles, demands: [] },
    ] satisfies Row[]
  },
}

async function fill(stage: Stage, peer: SocketioPeer, count: number): Promise<Figures> {
  const crowd = await stage.crowd(peer.name)
  const { pid } = peer.workers[0]!
  // A topic of its own, one of a hundred, and one for all; of stock as of ours each is a message of its own.
  const seatOf = (_: unknown, at: number): Seat => ({ ...peer.seat([0]), subscribe: [at, 1_000_000 + (at % 100), 2_000_000].map((topic) => ({ topics: [topicOf(topic)] })) })
  const seats = Array.from({ length: count + WARM }, seatOf)
  await crowd.open(seats.slice(0, WARM), TOGETHER)
  await pause(1000)
  const before = { resident: residentOf(pid), cpu: cpuOf(pid), crowd: cpuOf(crowd.pid) }
  const began = performance.now()
  await crowd.open(seats.slice(WARM), TOGETHER)
  const seconds = (performance.now() - began) / 1000
  const cpu = cpuOf(pid) - before.cpu
  const share = (cpuOf(crowd.pid) - before.crowd) / seconds
  if (share > 0.9) throw new Error(`the crowd took ${percent(share)} of a core: it is what was measured`)
  // What the handshakes needed is collected while they stand there.
  await pause(15_000)
  await crowd.look()
  return { bytes: (residentOf(pid) - before.resident) / count, rate: count / seconds, cpu: (cpu * 1e6) / count }
}
