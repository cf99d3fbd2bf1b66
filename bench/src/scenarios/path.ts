/** The whole path: source stream, processor, journal, two workers, 50 sockets; everything at once on this machine. */
import { startHubbub, startLoop } from '../peers/peers.js'
import type { Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { inTurns, playBursts, ratio, seat, titlesOf } from './rounds.js'

const [WORKERS, SOCKETS, EVENTS] = [2, 50, 10_000]

export const path: Scenario = {
  name: 'path',
  title: 'The whole path',
  async run({ rounds, say }) {
    say(`${EVENTS} events through processor and ${WORKERS} workers to ${SOCKETS} sockets`)
    const stage = new Stage()
    try {
      const peers = [await startHubbub(stage, { workers: WORKERS }), await startLoop(stage, WORKERS)]
      const seated = []
      for (const peer of peers) seated.push(await seat(stage, peer, Array.from({ length: SOCKETS }, () => [0])))
      const burst = { topics: { from: 0, count: 1 }, events: EVENTS, deliveries: EVENTS * SOCKETS }
      const cells = await inTurns(seated, rounds, (one) => playBursts(one, burst, { least: 1, cpuSeconds: 1 }), ({ events, seconds }) => events / seconds, say)
      return [{
        what: 'source stream to 50 sockets on 2 workers', unit: 'events/s, sustained', cells, titles: titlesOf(peers),
        demands: [{ what: 'times the loop', reached: ratio(cells['hubbub'], cells['loop']), least: 3 }],
      }]
    } finally {
      await stage.close()
    }
  },
}
