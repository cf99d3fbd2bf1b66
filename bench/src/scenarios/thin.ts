/** Thin fan-out: one subscriber an event, 1,000 rooms. */
import { startHubbub, startStock } from '../peers/peers.js'
import type { Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { inTurns, playBursts, ratio, seat, titlesOf } from './rounds.js'

const ROOMS = 1000

export const thin: Scenario = {
  name: 'thin',
  title: 'Thin fan-out',
  async run({ rounds, say }) {
    say(`1 subscriber an event, ${ROOMS} rooms`)
    const stage = new Stage()
    try {
      const peers = [await startHubbub(stage), await startStock(stage, 'sharded'), await startStock(stage, 'pubsub'), await startStock(stage, 'streams')]
      const seated = []
      for (const peer of peers) seated.push(await seat(stage, peer, Array.from({ length: ROOMS }, (_, at) => [at])))
      const burst = { topics: { from: 0, count: ROOMS }, events: 500, deliveries: 500 }
      const cells = await inTurns(seated, rounds, (one) => playBursts(one, burst, { least: 4 }), ({ events, workers }) => (workers * 1e6) / events, say)
      return [{
        what: '1 subscriber an event, 1,000 rooms', unit: 'µs of the worker\'s CPU an event', cells, titles: titlesOf(peers),
        demands: [{ what: 'times stock sharded adapter', reached: ratio(cells['hubbub'], cells['sharded']), most: 0.5 }],
      }]
    } finally {
      await stage.close()
    }
  },
}
