/** However many come back at once, and however fast their sockets take it: whoever is live, and every other socket, has its turn between two portions (I7). */
import { setImmediate as turn } from 'node:timers/promises'
import { CHUNK_BYTES } from '../../server/src/fanout/entry.js'
import { eventually } from '../harness/eventually.js'
import { event, Stand, type Follower } from './stand.js'

const EVENTS = 3000
const BACK = 20

let stand: Stand

afterEach(() => stand.close())

test.each([
  ['the window', 20_000],
  ['the journal', 100],
])('sessions that read %s take turns: a portion of one of them between two turns of everything else', async (_, windowEvents) => {
  stand = await Stand.open({ windowEvents })
  const { cursor } = stand.lane.tail
  const quick = stand.follow([{ topics: ['task:1'] }])
  for (let n = 0; n < EVENTS; n += 500) await stand.committer.commit(...Array.from({ length: 500 }, (_one, i) => event(`e${n + i}`, '1')))
  await eventually(() => quick.outlet.events.length === EVENTS, 'what there is to catch up with')

  const back = Array.from({ length: BACK }, () => stand.follow([{ topics: ['task:1'] }], { at: cursor }))
  const written = () => back.reduce((sum, { outlet }) => sum + outlet.chunks.length, 0)
  const portions: number[] = []
  for (let before = 0; back.some(isBehind); before = written()) {
    await turn()
    portions.push(written() - before)
  }
  expect(Math.max(...portions)).toBeLessThanOrEqual(1)
  for (const { outlet } of back) {
    expect(outlet.ids).toEqual(quick.outlet.ids)
    expect(Math.max(...outlet.chunks.map(({ bytes }) => bytes))).toBeLessThanOrEqual(CHUNK_BYTES)
  }
})

test('what happens while many catch up reaches whoever is live before they are done, and them in its place (I1)', async () => {
  stand = await Stand.open()
  const { cursor } = stand.lane.tail
  const quick = stand.follow([{ topics: ['task:1'] }])
  for (let n = 0; n < EVENTS; n += 500) await stand.committer.commit(...Array.from({ length: 500 }, (_one, i) => event(`e${n + i}`, '1')))
  await eventually(() => quick.outlet.events.length === EVENTS, 'what there is to catch up with')
  const back = Array.from({ length: BACK }, () => stand.follow([{ topics: ['task:1'] }], { at: cursor }))
  await turn()
  await stand.committer.commit(event('new', '1'))
  while (quick.outlet.ids.at(-1) !== 'new') await turn()
  expect(back.filter(isBehind).length).toBeGreaterThan(BACK / 2)
  await eventually(() => !back.some(isBehind), 'everybody is live')
  for (const { outlet } of back) expect(outlet.ids).toEqual(quick.outlet.ids)
})

test('one that is closed while it waits for its turn is given nothing more, and keeps nobody waiting', async () => {
  stand = await Stand.open()
  const { cursor } = stand.lane.tail
  await stand.committer.commit(...Array.from({ length: 500 }, (_one, i) => event(`e${i}`, '1')))
  await eventually(() => stand.lane.tail.cursor !== cursor, 'the burst')
  const [gone, other] = [stand.follow([{ topics: ['task:1'] }], { at: cursor }), stand.follow([{ topics: ['task:1'] }], { at: cursor })]
  stand.lane.close(gone.session)
  await eventually(() => !isBehind(other), 'the other is live')
  expect([gone.outlet.ids.length, other.outlet.ids.length]).toEqual([0, 500])
})

function isBehind({ session }: Follower): boolean {
  return session.state === 'catching-up'
}
