/** Big payloads: 16 KB, clients that take gzip; once an event here, once a socket with permessage-deflate. */
import { startHubbub, startStock, type SocketioPeer, type SocketioSeat } from '../peers/peers.js'
import type { Cell, Row, Scenario } from './scenario.js'
import { Stage } from '../ground/stage.js'
import type { Seat } from '../crowd/crowd.js'
import { cellOf, inTurns, playBursts, ratio, titlesOf, type Seated } from './rounds.js'

const [SUBSCRIBERS, EVENTS] = [50, 20]
const BYTES = 16 * 1024

export const payload: Scenario = {
  name: 'payload',
  title: 'Big payloads',
  async run({ rounds, say }) {
    say(`events of ${BYTES} bytes to ${SUBSCRIBERS} clients that take compression`)
    const stage = new Stage()
    try {
      const deflating = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'
      const cases: [SocketioPeer, Partial<SocketioSeat>][] = [
        [await startHubbub(stage, { title: 'Hubbub, gzip once an event' }), { auth: { compress: 'gzip' } }],
        [{ ...(await startHubbub(stage)), name: 'plain', title: 'Hubbub, not compressed' }, {}],
        [{ ...(await startStock(stage, 'streams', { deflate: true })), title: 'Socket.IO, perMessageDeflate' }, { headers: [deflating] }],
      ]
      const seated: Seated[] = []
      for (const [peer, more] of cases) {
        const [crowd, emitter] = await Promise.all([stage.crowd(peer.name), stage.emitter(peer.emitter)])
        await crowd.open(Array.from({ length: SUBSCRIBERS }, (): Seat => ({ ...peer.seat([0]), ...more, counts: true })))
        seated.push({ peer, crowd, emitter, due: 0 })
      }
      const burst = { topics: { from: 0, count: 1 }, events: EVENTS, deliveries: EVENTS * SUBSCRIBERS, more: { log: textOf(BYTES) } }
      const bytes: Record<string, number[]> = {}
      const play = async (one: Seated) => {
        const before = (await one.crowd.look()).bytes
        const measured = await playBursts(one, burst, { least: 4, cpuSeconds: 0.3 })
        const all = (bytes[one.peer.name] ??= [])
        all.push(((await one.crowd.look()).bytes - before) / measured.deliveries)
        return measured
      }
      const cpu = await inTurns(seated, rounds, play, ({ deliveries, workers }) => (workers * 1e6) / deliveries, say)
      const sizes: Record<string, Cell | string> = Object.fromEntries(Object.entries(cpu).map(([name, cell]) => [name, typeof cell === 'string' ? cell : cellOf(bytes[name]!.slice(1))]))
      const titles = titlesOf(cases.map(([peer]) => peer))
      return [
        { what: '16 KB of a build\'s log', unit: 'µs of the worker\'s CPU a delivery', cells: cpu, titles, demands: [{ what: 'times perMessageDeflate', reached: ratio(cpu['hubbub'], cpu['streams']), most: 0.5 }] },
        { what: 'the same', unit: 'bytes on the wire a delivery', cells: sizes, titles, demands: [{ what: 'times perMessageDeflate', reached: ratio(sizes['hubbub'], sizes['streams']), most: 1.5 }] },
      ] satisfies Row[]
    } finally {
      await stage.close()
    }
  },
}

/** Lines as a build prints them: alike, and not the same. */
function textOf(bytes: number): string {
  let text = ''
  for (let line = 0; text.length < bytes; line++) text += `[${String(line).padStart(5, '0')}] compiled src/module-${(line * 7919) % 997}/part-${(line * 104_729) % 89}.ts in ${(line * 31) % 470} ms\n`
  return text.slice(0, bytes)
}
