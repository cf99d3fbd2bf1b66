/** Events that come one by one: what a worker spends, and what gathering adds to the way from publishing to receipt. */
import { startHubbub, startStock } from '../peers/peers.js'
import type { Cell, Row, Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { cellOf, inTurns, meterOf, ratio, seat, titlesOf, type Measured, type Seated } from './rounds.js'

const SUBSCRIBERS = 200
const SECONDS = 6

export const steady: Scenario = {
  name: 'steady',
  title: 'Steady events, 200 subscribers',
  async run({ rounds, say }) {
    const rows: Row[] = []
    for (const rate of [200, 1000]) {
      say(`${rate} events/s to ${SUBSCRIBERS} subscribers, ${SECONDS} s a round`)
      const stage = new Stage()
      try {
        const peers = [
          await startHubbub(stage, { settings: { gatherMs: 5 } }),
          await startHubbub(stage, { settings: { gatherMs: 0 }, name: 'ungathered', title: 'Hubbub, gathering off' }),
          await startStock(stage, 'streams'),
          await startStock(stage, 'pubsub'),
        ]
        const seated: Seated[] = []
        for (const peer of peers) seated.push(await seat(stage, peer, Array.from({ length: SUBSCRIBERS }, () => [0])))
        const delays: Record<string, { p50: number[]; p99: number[] }> = {}
        let turns = 0
        const play = async (one: Seated): Promise<Measured> => {
          const measured = await playSteady(one, rate, SECONDS)
          const name = one.peer.name
          const told = (delays[name] ??= { p50: [], p99: [] })
          // The first round warms up.
          if (turns++ >= seated.length) {
            told.p50.push(measured.delays.p50)
            told.p99.push(measured.delays.p99)
          }
          return measured
        }
        const titles = titlesOf(peers)
        const cells = await inTurns(seated, rounds, play, ({ workers, seconds }) => (workers / seconds) * 100, say)
        const of = (which: 'p50' | 'p99'): Record<string, Cell | string> => Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, typeof cell === 'string' ? cell : cellOf(delays[name]![which])]))
        const p99 = of('p99')
        rows.push(
          { what: `${rate} events/s: worker CPU`, unit: '% of a core', cells, titles, demands: [{ what: 'times stock streams adapter', reached: ratio(cells['hubbub'], cells['streams']), most: 0.5 }] },
          { what: `${rate} events/s: publish to receipt, p50`, unit: 'ms', cells: of('p50'), titles, demands: [] },
          { what: `${rate} events/s: publish to receipt, p99`, unit: 'ms', cells: p99, titles, demands: [{ what: 'ms added by gathering', reached: difference(p99['hubbub'], p99['ungathered']), most: 6, unit: 'ms' }] },
        )
      } finally {
        await stage.close()
      }
    }
    return rows
  },
}

export async function playSteady(seated: Seated, rate: number, seconds: number, topics = { from: 0, count: 1 }, deliveriesOf = (events: number) => events * SUBSCRIBERS): Promise<Measured & { delays: { p50: number; p99: number } }> {
  const { crowd, emitter } = seated
  await crowd.time(true)
  const meter = meterOf(seated)
  await emitter.emit({ order: 'steady', topics, rate, seconds })
  seated.due += deliveriesOf(rate * seconds)
  const { delays } = await crowd.received(seated.due)
  const measured = meter()
  await crowd.time(false)
  return { ...measured, events: rate * seconds, deliveries: deliveriesOf(rate * seconds), delays }
}

function difference(one: Cell | string | undefined, other: Cell | string | undefined): number | undefined {
  return typeof one === 'object' && typeof other === 'object' ? one.value - other.value : undefined
}
