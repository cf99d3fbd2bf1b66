/** Fan-out of mixed audiences: 500 sockets, each with its own set of 1 to 5 of 200 topics, some with a wildcard. */
import { startHubbub, startStock } from '../peers/peers.js'
import { random } from '../ground/random.js'
import type { Row, Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { inTurns, playBursts, ratio, seat, titlesOf } from './rounds.js'

const SOCKETS = 500
const TOPICS = 200
const EVENTS = 400
/** One socket in so many hears everything. */
const WILD = 25

export const audiences: Scenario = {
  name: 'audiences',
  title: 'Fan-out of mixed audiences',
  async run({ rounds, say }) {
    const pick = random(7)
    const sets = Array.from({ length: SOCKETS }, (_, at) => (at % WILD === WILD - 1 ? ('all' as const) : [...new Set(Array.from({ length: 1 + Math.floor(pick() * 5) }, () => Math.floor(pick() * TOPICS)))]))
    const rows: Row[] = []
    // The same sockets with half the sets, each twice: what a delivery costs must not know.
    for (const [what, seats] of [['500 distinct sets', sets], ['250 distinct sets', sets.map((_, at) => sets[at % 250 === 249 ? 249 : at % 250]!)]] as const) {
      say(`${SOCKETS} sockets, ${what}, ${TOPICS} topics`)
      const stage = new Stage()
      try {
        const peers = [await startHubbub(stage), await startStock(stage, 'streams', { rooms: ['task:*'] }), await startStock(stage, 'pubsub', { rooms: ['task:*'] })]
        const seated = []
        for (const peer of peers) seated.push(await seat(stage, peer, seats))
        // Each topic twice.
        const perTopic = seats.reduce((sum, set) => sum + (set === 'all' ? TOPICS : set.length), 0)
        const burst = { topics: { from: 0, count: TOPICS }, events: EVENTS, deliveries: (perTopic * EVENTS) / TOPICS }
        const cells = await inTurns(seated, rounds, (one) => playBursts(one, burst, { least: 2 }), ({ deliveries, workers }) => deliveries / workers, say)
        rows.push({
          what, unit: 'deliveries per worker CPU second', cells, titles: titlesOf(peers),
          demands: [{ what: 'times stock streams adapter', reached: ratio(cells['hubbub'], cells['streams']), least: 4 }],
        })
      } finally {
        await stage.close()
      }
    }
    return rows
  },
}
