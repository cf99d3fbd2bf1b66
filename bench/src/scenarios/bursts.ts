/** Fan-out in bursts: one audience, everything through Redis. What counts is what a worker's CPU second delivers. */
import { NATS } from '../peers/natsServer.js'
import { outsidePeer, startHubbub, startNatsPeer, startStock, startWs } from '../peers/peers.js'
import type { Row, Scenario, ScenarioContext } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { inTurns, playBursts, ratio, seat, titlesOf } from './rounds.js'

/** Bursts of so many events, with so many subscribers. */
const SIZES: readonly [subscribers: number, events: number][] = [[1, 500], [10, 500], [50, 500], [200, 300], [1000, 100]]

export const bursts: Scenario = {
  name: 'bursts',
  title: 'Fan-out in bursts, one audience',
  async run(context) {
    const rows: Row[] = []
    for (const [subscribers, events] of SIZES) rows.push(await burstsTo(subscribers, events, context))
    return rows
  },
}

async function burstsTo(subscribers: number, events: number, { rounds, outside, say }: ScenarioContext): Promise<Row> {
  say(`${subscribers} subscriber${subscribers === 1 ? '' : 's'}, bursts of ${events}`)
  const stage = new Stage()
  try {
    const peers = [
      await startHubbub(stage),
      await startStock(stage, 'streams'),
      await startStock(stage, 'pubsub'),
      await startWs(stage, false),
      await startWs(stage, true),
      ...(NATS ? [await startNatsPeer(stage)] : []),
      ...(outside ? [outsidePeer(outside)] : []),
    ]
    const seated = []
    for (const peer of peers) seated.push(await seat(stage, peer, Array.from({ length: subscribers }, () => [0])))
    const burst = { topics: { from: 0, count: 1 }, events, deliveries: events * subscribers }
    const cells = await inTurns(seated, rounds, (one) => playBursts(one, burst, { least: 2 }), ({ deliveries, workers }) => deliveries / workers, say)
    const { hubbub, streams, nats } = cells
    const stock = ratio(hubbub, streams)
    return {
      what: `${subscribers} subscriber${subscribers === 1 ? '' : 's'}`, unit: 'deliveries per worker CPU second', cells, titles: titlesOf(peers),
      demands: [
        ...(subscribers === 50 ? [{ what: 'times stock streams adapter', reached: stock, least: 10 }] : []),
        ...(subscribers === 200 ? [{ what: 'times stock streams adapter', reached: stock, least: 25 }] : []),
        { what: 'times nats-server', reached: ratio(hubbub, nats), least: 1.5 },
        { what: 'times the corked `ws` loop', reached: ratio(hubbub, cells['ws-corked']), least: 1 },
      ],
    }
  } finally {
    await stage.close()
  }
}
