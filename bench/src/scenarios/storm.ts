/** A reconnect storm: everybody comes back at once, each missed 100 of the events that the journal holds. */
import { startHubbub, startStock, type SocketioPeer } from '../peers/peers.js'
import type { Seat } from '../crowd/crowd.js'
import type { Row, Scenario } from './scenario.js'
import { cpuOf } from '../ground/meters.js'
import { Stage } from '../ground/stage.js'
import { short } from '../report/numbers.js'
import { cellOf } from './rounds.js'

const [CLIENTS, MISSED, JOURNAL] = [5000, 100, 100_000]
/** Stock reads the whole stream for each client: of 5,000 nobody would see the end. */
const STOCK_CLIENTS = 20
const TOGETHER = 500

interface Figures {
  clientsPerSecond: number
  /** ms of the worker's CPU a client. */
  cpu: number
}

export const storm: Scenario = {
  name: 'storm',
  title: 'Reconnect storm',
  async run({ rounds, scale, say }) {
    const clients = Math.round(CLIENTS * scale)
    say(`${clients} clients, ${MISSED} missed events each of ${JOURNAL}`)
    const figures: Record<string, Figures[]> = { hubbub: [], streams: [], short: [] }
    const titles: Record<string, string> = {}
    for (let round = 1; round <= Math.min(rounds, 3); round++) {
      figures['hubbub']!.push(await blow(await hub(), clients, JOURNAL, titles))
      figures['short']!.push(await blow(await hub(), clients, JOURNAL / 10, titles))
      figures['streams']!.push(await blow(await stock(), STOCK_CLIENTS, JOURNAL, titles))
      say(`  round ${round}: ${Object.entries(figures).map(([name, all]) => `${name} ${short(all.at(-1)!.clientsPerSecond)} clients/s, ${short(all.at(-1)!.cpu)} ms CPU each`).join('; ')}`)
    }
    const cells = (of: keyof Figures) => Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, cellOf(all.map((each) => each[of]))]))
    const all = { hubbub: titles['hubbub']!, short: `Hubbub, a tenth of the journal`, streams: titles['streams']! }
    const [rate, cpu] = [cells('clientsPerSecond'), cells('cpu')]
    return [
      {
        what: `${clients} at once (stock: ${STOCK_CLIENTS})`, unit: 'clients back and complete a second', cells: rate, titles: all,
        demands: [{ what: 'times stock connection state recovery', reached: rate['hubbub']!.value / rate['streams']!.value, least: 10 }],
      },
      {
        what: 'the same', unit: 'ms of the worker\'s CPU a client', cells: cpu, titles: all,
        demands: [{ what: 'times that of a tenth of the journal', reached: cpu['hubbub']!.value / cpu['short']!.value, most: 1.2 }],
      },
    ] satisfies Row[]

    async function hub(): Promise<Begun> {
      const stage = new Stage()
      return { stage, peer: await startHubbub(stage, { settings: { retentionCount: 1_000_000, retentionBytes: 2 ** 31 } }) }
    }

    async function stock(): Promise<Begun> {
      const stage = new Stage()
      return { stage, peer: await startStock(stage, 'streams', { recoveryMs: 600_000 }) }
    }
  },
}

interface Begun {
  stage: Stage
  peer: SocketioPeer
}

async function blow({ stage, peer }: Begun, clients: number, journal: number, titles: Record<string, string>): Promise<Figures> {
  titles[peer.name] = peer.title
  try {
    const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
    const topics = journal / MISSED
    await crowd.open(Array.from({ length: clients }, (_, at): Seat => ({ ...peer.seat([at % topics]), keepsPlace: true })))
    // Each hears one, so that it knows where it stands whatever its server tells it.
    await emitter.emit({ order: 'burst', topics: { from: 0, count: topics }, events: topics })
    const heard = clients
    await crowd.received(heard)
    await crowd.leave()
    for (let sent = 0; sent < journal; sent += 10_000) await emitter.emit({ order: 'burst', topics: { from: 0, count: topics }, events: Math.min(10_000, journal - sent) })
    const { pid, url } = peer.workers[0]!
    await stage.quiet(pid)
    const before = cpuOf(pid)
    const began = performance.now()
    const back = crowd.comeBack(url, TOGETHER)
    await back.then(() => crowd.received(heard + clients * MISSED, 300_000))
    const seconds = (performance.now() - began) / 1000
    return { clientsPerSecond: clients / seconds, cpu: ((cpuOf(pid) - before) * 1000) / clients }
  } finally {
    await stage.close()
  }
}
