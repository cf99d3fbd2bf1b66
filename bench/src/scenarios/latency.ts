/** From publishing to receipt, across two workers: 1,000 events/s, 50 subscribers. Ours is committed first, and its answer means durable (I4). */
import { startHubbub, startStock, type Peer } from '../peers/peers.js'
import type { Published, PublisherOptions, PublishOrder } from '../peers/publisher.js'
import { serviceToken } from '../ground/token.js'
import type { Child } from '../ground/processes.js'
import type { Row, Scenario } from './scenario.js'
import { Stage, type Crowd } from '../ground/stage.js'
import { short } from '../report/numbers.js'
import { cellOf, ratio, titlesOf } from './rounds.js'

const [RATE, SECONDS, SUBSCRIBERS] = [1000, 6, 50]
const FIGURES = ['receipt p50', 'receipt p99', 'answer p50', 'answer p99'] as const

interface Rival {
  peer: Peer
  crowd: Crowd
  publisher: Child
  figures: Record<(typeof FIGURES)[number], number[]>
}

export const latency: Scenario = {
  name: 'latency',
  title: 'Latency',
  async run({ rounds, say }) {
    say(`${RATE} events/s from one worker's client to ${SUBSCRIBERS} of another, ${SECONDS} s a round`)
    const stage = new Stage()
    try {
      const rivals = [await rival(stage, await startHubbub(stage, { workers: 2 })), await rival(stage, await startStock(stage, 'sharded', { workers: 2 })), await rival(stage, await startStock(stage, 'streams', { workers: 2 }))]
      let due = 0
      for (let round = 0; round <= rounds; round++) {
        due += RATE * SECONDS * SUBSCRIBERS
        for (const one of rivals) await play(one, due, round > 0)
        if (round > 0) say(`  round ${round} of ${rounds}: ${rivals.map(({ peer: { name }, figures }) => `${name} ${FIGURES.map((figure) => short(figures[figure].at(-1)!)).join(' ')}`).join(', ')} ms`)
      }
      const titles = titlesOf(rivals.map(({ peer }) => peer))
      return FIGURES.map((figure): Row => {
        const cells = Object.fromEntries(rivals.map(({ peer: { name }, figures }) => [name, cellOf(figures[figure])]))
        return { what: `publish to ${figure}`, unit: 'ms', cells, titles, demands: [{ what: 'times a bare emit over the sharded adapter', reached: ratio(cells['hubbub'], cells['sharded']), most: figure.endsWith('p99') ? 2 : 3 }].slice(0, figure === 'answer p99' ? 0 : 1) }
      })
    } finally {
      await stage.close()
    }
  },
}

async function rival(stage: Stage, peer: Peer): Promise<Rival> {
  const crowd = await stage.crowd(peer.name)
  // On the second worker; the publisher is on the first.
  await crowd.open(Array.from({ length: SUBSCRIBERS }, () => peer.seat([0], 1)))
  const isStock = peer.name !== 'hubbub'
  const publisher = await stage.start('peers/publisher.js', { url: peer.workers[0]!.url, token: isStock ? undefined : serviceToken(), isStock, sockets: 1 } satisfies PublisherOptions)
  return { peer, crowd, publisher, figures: Object.fromEntries(FIGURES.map((figure) => [figure, []])) as unknown as Rival['figures'] }
}

async function play({ crowd, publisher, figures }: Rival, due: number, counts: boolean): Promise<void> {
  await crowd.time(true)
  publisher.tell({ rate: RATE, seconds: SECONDS, topic: 0 } satisfies PublishOrder)
  const answers = (await publisher.next()) as unknown as Published
  const { delays } = await crowd.received(due)
  if (!counts) return
  figures['receipt p50'].push(delays.p50)
  figures['receipt p99'].push(delays.p99)
  figures['answer p50'].push(answers.p50)
  figures['answer p99'].push(answers.p99)
}
