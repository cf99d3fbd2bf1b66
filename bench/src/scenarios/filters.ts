/** Filters and wildcards: what an event costs that none of them lets through, by filters and by sockets. */
import { startHubbub } from '../peers/peers.js'
import type { Seat } from '../crowd/crowd.js'
import type { Row, Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import { inTurns, playBursts, ratio, titlesOf, type Seated } from './rounds.js'

const CASES = [
  { name: 'few', title: '10 filters, 10 sockets', filters: 10, sockets: 10 },
  { name: 'sockets', title: '10 filters, 1,000 sockets', filters: 10, sockets: 1000 },
  { name: 'filters', title: '1,000 filters, 1,000 sockets', filters: 1000, sockets: 1000 },
]
const EVENTS = 500
/** A value that no filter asks for. */
const NOBODYS = -1

export const filters: Scenario = {
  name: 'filters',
  title: 'Filters and wildcards',
  async run({ rounds, say }) {
    say('events that no filter lets through, on a wildcard')
    const stage = new Stage()
    try {
      const seated: Seated[] = []
      for (const { name, filters: count, sockets } of CASES) {
        const peer = { ...(await startHubbub(stage)), name }
        const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
        const base = peer.seat([0])
        // One hears everything, so that it is known when all is through.
        await crowd.open([base, ...Array.from({ length: sockets }, (_, at): Seat => ({ ...base, subscribe: [{ topics: ['task:*'], filter: { 'data.shard': at % count } }] }))])
        seated.push({ peer, crowd, emitter, due: 0 })
      }
      const burst = { topics: { from: 0, count: 1 }, events: EVENTS, deliveries: EVENTS, more: { shard: NOBODYS } }
      const cells = await inTurns(seated, rounds, (one) => playBursts(one, burst, { least: 4 }), ({ events, workers }) => (workers * 1e6) / events, say)
      return [{
        what: 'an event that no filter lets through', unit: 'µs of the worker\'s CPU', cells, titles: titlesOf(CASES),
        demands: [{ what: 'times, with 100 times the sockets', reached: ratio(cells['sockets'], cells['few']), most: 1.2 }, { what: 'times, with 100 times the filters', reached: ratio(cells['filters'], cells['few']), most: 1.2 }],
      }] satisfies Row[]
    } finally {
      await stage.close()
    }
  },
}
