/** What is derived from chronicles is what happened: a real lane, whose outlets write down what they were given. */
import type { HubEvent } from '@hubbub/protocol'
import { fateOf, type Finding } from '../../server/src/fanout/chronicle-fate.js'
import { replacedFor } from '../../server/src/fanout/chronicle-pace.js'
import { accountOf } from '../../server/src/operations/trace-sessions.js'
import { readPage } from '../../server/src/fanout/pages.js'
import { eventually } from '../harness/eventually.js'
import { dice } from '../store/fixture.js'
import { event, mail, Stand, type Follower, type Topics } from './stand.js'

let stand: Stand

async function commit(...events: HubEvent[]): Promise<string[]> {
  const offsets = await stand.committer.commit(...events)
  const { tail } = stand.lane
  while (tail.flushed !== offsets.at(-1)) await tail.nextMove()
  return offsets
}

async function fate({ session }: Follower, asked: HubEvent, offset: string): Promise<Finding> {
  const { lane, store } = stand
  const replaced = await replacedFor(session.chronicle, lane.chronicles, { offset, event: asked }, (after, upTo, count) =>
    readPage({ journal: store, partition: 0, window: lane.tail.window }, 'default', [{ topics: ['*'] }], after, upTo, count))
  return fateOf(session.chronicle, { offset, event: asked }, replaced)
}

describe('what is derived', () => {
  const seen = new Set<string>()
  afterEach(() => stand.close())

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('is what every session was given, whatever happened to it (%i)', async (seed) => {
    stand = await Stand.open({ traceEpisodes: 1000 })
    const roll = dice(seed * 977)
    const interests = (): Topics => ({ topics: [['task:1'], ['task:2'], ['task:*'], ['*'], ['task:1', 'task:3']][roll(5)]!, ...(roll(3) === 0 && { types: ['task.completed'] }) })
    const followers: { follower: Follower; held: ReturnType<Follower['add']>[]; isClosed: boolean }[] = []
    const all: { event: HubEvent; offset: string }[] = []
    for (let round = 0; round < 120; round++) {
      const one = followers[roll(Math.max(1, followers.length))]
      const what = roll(8)
      if (what === 0 || !one) {
        const at = roll(2) === 0 && all.length > 0 ? all[roll(all.length)]! : undefined
        const follower = stand.follow([interests()], { at: at && `${stand.committer.state.epoch}.${at.offset}`, inbox: roll(3) === 0 ? 'a1' : undefined })
        followers.push({ follower, held: [...follower.session.chosen], isClosed: false })
      } else if (one.isClosed) continue
      else if (what === 1) one.held.push(one.follower.add(interests()))
      else if (what === 2 && one.held.length > 0) one.follower.remove(one.held.splice(roll(one.held.length), 1)[0]!)
      else if (what === 3) one.follower.outlet.takes = 1 + roll(3)
      else if (what === 4) one.follower.outlet.release()
      else if (what === 5 && roll(3) === 0) {
        stand.lane.close(one.follower.session)
        one.isClosed = true
      }
      const burst = Array.from({ length: 1 + roll(4) }, (_, n): HubEvent => (roll(6) === 0 ? mail(`m${round}.${n}`, 'a1') : { ...event(`e${round}.${n}`, String(1 + roll(3))), type: roll(2) === 0 ? 'task.progress' : 'task.completed' }))
      const offsets = await commit(...burst)
      all.push(...burst.map((sent, n) => ({ event: sent, offset: offsets[n]! })))
      // Asked anew each time: one that takes few more writes gets stuck while it catches up.
      const able = () => followers.filter(({ follower, isClosed }) => !isClosed && follower.outlet.stuck === 0)
      if (roll(3) === 0) await eventually(() => able().every(({ follower }) => follower.session.state === 'live'), 'whoever can being live')
    }
    for (const { follower } of followers) {
      const given = new Set(follower.outlet.ids)
      for (const one of all) {
        const found = await fate(follower, one.event, one.offset)
        seen.add(found.fate)
        expect([one.event.id, found.why, found.given === true]).toEqual([one.event.id, found.why, given.has(one.event.id)])
      }
    }
    // All seeds together meet all that a lane does.
    if (seed === 8) expect([...seen].sort()).toEqual(['catching-up', 'caught-up', 'disconnected', 'filtered', 'live', 'not-subscribed', 'slow', 'subscribed-later'])
  }, 60_000)

  test('of whoever asked for the latest is what was given, too', async () => {
    stand = await Stand.open()
    const roll = dice(42)
    const latest = { topics: ['task:*'], pace: { ms: 30, latestOnly: true } }
    const followers = [stand.follow([latest]), stand.follow([latest, { topics: ['task:2'] }]), stand.follow([latest], { inbox: 'a1' }), stand.follow([{ topics: ['task:1'], pace: { ms: 10, latestOnly: false } }, latest])]
    const all: { event: HubEvent; offset: string }[] = []
    for (let round = 0; round < 60; round++) {
      const burst = Array.from({ length: 1 + roll(5) }, (_, n) => (roll(20) === 0 ? mail(`m${round}.${n}`, 'a1') : event(`e${round}.${n}`, String(1 + roll(3)))))
      const offsets = await commit(...burst)
      all.push(...burst.map((one, n) => ({ event: one, offset: offsets[n]! })))
      if (roll(4) === 0) await eventually(() => followers.every(({ session }) => session.gathering?.() === undefined), 'nothing being gathered')
    }
    await eventually(() => followers.every(({ session }) => session.gathering?.() === undefined), 'nothing being gathered')
    let superseded = 0
    for (const follower of followers) {
      const given = new Set(follower.outlet.ids)
      for (const one of all) {
        const found = await fate(follower, one.event, one.offset)
        if (found.fate === 'superseded') superseded++
        // Where it is not known it is said.
        if (!found.why.includes('may have gone')) expect([one.event.id, found.why, found.given === true]).toEqual([one.event.id, found.why, given.has(one.event.id)])
        else expect(found.fate).toBe('live')
      }
    }
    expect(superseded).toBeGreaterThan(50)
  }, 60_000)

  test('is looked for of whoever is asked about alone, where nobody asks for counts', async () => {
    stand = await Stand.open()
    const followers = Array.from({ length: 50 }, () => stand.follow([{ topics: ['task:*'], pace: { ms: 20, latestOnly: true } }]))
    for (const [place, { session }] of followers.entries()) Object.assign(session.chronicle, { who: { session: `s${place}`, wire: 'process' } })
    const [offset] = await commit(...Array.from({ length: 40 }, (_, n) => event(`e${n}`, '1')))
    await eventually(() => followers.every(({ session }) => session.gathering?.() === undefined), 'nothing being gathered')
    let asked = 0
    const released = stand.lane.chronicles.releaseOf.bind(stand.lane.chronicles)
    stand.lane.chronicles.releaseOf = (audience, at) => (asked++, released(audience, at))
    const deps = { fanout: { standing: () => Promise.resolve(stand.lane) }, journal: stand.store, provenance: stand.store.provenance, worker: 'near' }
    const about = { project: 'default', offset: offset!, isSeen: true, chosen: { session: 's7' } }
    const all = await accountOf(deps, about)
    expect([all.counts.matched, all.counts.superseded, all.told.length, asked]).toEqual([50, 50, 1, 50])
    const own = await accountOf(deps, { ...about, onlyChosen: true })
    expect([own.counts.matched, own.told, asked]).toEqual([1, all.told, 51])
  })

  test('of a connection that ends while it is written to counts what it was written', async () => {
    stand = await Stand.open()
    const follower = stand.follow([{ topics: ['task:*'] }])
    const write = follower.outlet.write.bind(follower.outlet)
    follower.outlet.write = (chunk) => {
      write(chunk)
      stand.lane.close(follower.session)
    }
    const first = event('e1', '1')
    const [offset] = await commit(first)
    const second = event('e2', '1')
    const [later] = await commit(second)
    expect(follower.outlet.ids).toEqual(['e1'])
    expect((await fate(follower, first, offset!)).fate).toBe('live')
    expect((await fate(follower, second, later!)).fate).toBe('disconnected')
  })

  test('of sessions that ended the last so many are remembered', async () => {
    stand = await Stand.open({ traceSessions: 3 })
    const sessions = Array.from({ length: 5 }, () => stand.follow([{ topics: ['task:*'] }]).session)
    for (const session of sessions) stand.lane.close(session)
    expect(stand.lane.chronicles.of('default')).toEqual(sessions.slice(2).map(({ chronicle }) => chronicle))
    expect(stand.lane.chronicles.of('another')).toEqual([])
  })

  test('of those that ended with thousands of topics each fewer are remembered, and of whoever gathers for so many nothing', async () => {
    stand = await Stand.open({ traceSessions: 10 })
    const many = Array.from({ length: 2000 }, (_, place) => `task:${'x'.repeat(50)}${place}`)
    for (let place = 0; place < 10; place++) stand.lane.close(stand.follow([{ topics: many }]).session)
    expect(stand.lane.chronicles.of('default').length).toBeLessThan(2)
    const few = Array.from({ length: 10 }, () => stand.follow([{ topics: ['task:*'] }]).session)
    for (const session of few) stand.lane.close(session)
    expect(stand.lane.chronicles.of('default')).toEqual(few.map(({ chronicle }) => chronicle))
    const gathering = stand.follow([{ topics: [...many, 'task:1'], pace: { ms: 10, latestOnly: true } }])
    const one = event('e1', '1')
    const [offset] = await commit(one)
    await eventually(() => gathering.outlet.ids.length === 1, 'what was gathered')
    expect((await fate(gathering, one, offset!)).why).toContain('may have gone')
  })
})
