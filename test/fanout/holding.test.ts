/** What a subscription gathers: for how long, and that nothing overtakes it, loses it or repeats it, whatever happens meanwhile (I1, I2, I7). */
import { eventually } from '../harness/eventually.js'
import { CHUNK_BYTES } from '../../server/src/fanout/entry.js'
import type { Pace } from '../../server/src/fanout/subscription.js'
import { event, mail, Stand, type Follower, type Topics } from './stand.js'

/** Longer than any test: what goes, goes for another reason. */
const LONG: Pace = { ms: 60_000, latestOnly: false }
const SHORT: Pace = { ms: 80, latestOnly: false }
/** Three commits come well within it, also on a machine that has other things to do. */
const AMPLE: Pace = { ms: 1000, latestOnly: false }

let stand: Stand
afterEach(() => stand.close())

const paced = (pace: Pace = LONG, ...topics: string[]): Topics => ({ topics: topics.length > 0 ? topics : ['task:1'], pace })
const flushed = (offset: string) => eventually(() => stand.lane.tail.flushed === offset, `${offset} flushed`)

async function commit(...events: Parameters<typeof stand.committer.commit>): Promise<string> {
  const offset = (await stand.committer.commit(...events)).at(-1)!
  await flushed(offset)
  return offset
}

/** As a client that lost its connection now, and comes back with the last cursor that it heard. */
function comesBack(follower: Follower, first: string, asked: Topics[] = [paced()], inbox?: string): Follower {
  stand.lane.close(follower.session)
  return stand.follow(asked, { at: follower.outlet.cursors.at(-1) ?? first, inbox })
}

test('events are gathered for as long as the subscription says, and come as one message', async () => {
  stand = await Stand.open()
  const { outlet } = stand.follow([paced(AMPLE)])
  const begun = performance.now()
  await commit(event('a', '1'))
  await commit(event('b', '1'), event('x', '2'))
  await commit(event('c', '1'))
  expect(outlet.messages).toEqual([])
  await eventually(() => outlet.messages.length > 0)
  // A timer may be a millisecond early.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(AMPLE.ms - 2)
  expect(outlet.messages).toEqual([['a', 'b', 'c']])
  await commit(event('d', '1'))
  await eventually(() => outlet.messages.length > 1)
  expect(outlet.messages[1]).toEqual(['d'])
})

test('an event of an unpaced subscription of the same connection has what waits before it go first', async () => {
  stand = await Stand.open()
  const { outlet } = stand.follow([paced(), { topics: ['task:2'] }])
  await commit(event('a', '1'), event('b', '1'))
  expect(outlet.messages).toEqual([])
  await commit(event('c', '1'), event('d', '2'), event('e', '1'))
  expect(outlet.messages).toEqual([['a', 'b', 'c'], ['d'], ['e']])
})

test('the shortest time of several subscriptions counts', async () => {
  stand = await Stand.open()
  const { outlet } = stand.follow([paced(), paced(SHORT, 'task:2')])
  await commit(event('a', '1'))
  await commit(event('b', '2'))
  await eventually(() => outlet.messages.length > 0)
  expect(outlet.messages).toEqual([['a', 'b']])
})

test('of the latest only the last comes, with the last cursor of all', async () => {
  stand = await Stand.open()
  const { outlet } = stand.follow([paced({ ...SHORT, latestOnly: true }, 'task:*')])
  await commit(event('a', '1'), event('b', '2'), event('c', '1'))
  const last = await commit(event('d', '1'), event('e', '2'))
  await eventually(() => outlet.messages.length > 0)
  expect(outlet.messages).toEqual([['d', 'e']])
  expect(outlet.cursors.at(-1)).toContain(last)
})

test('as much as one message holds does not wait for more', async () => {
  stand = await Stand.open()
  const { outlet } = stand.follow([paced()])
  const large = (id: string) => ({ ...event(id, '1'), data: { text: 'x'.repeat(CHUNK_BYTES / 2) } })
  await commit(large('a'))
  expect(outlet.messages).toEqual([])
  await commit(large('b'))
  expect(outlet.ids).toEqual(['a', 'b'])
})

test('who is cut off in the middle of gathering gets it when it comes back, once', async () => {
  stand = await Stand.open()
  const follower = stand.follow([paced()])
  const first = stand.lane.tail.cursor
  await commit(event('a', '1'), event('b', '1'))
  // Gone without a word: nothing of it was written.
  follower.outlet.write = () => undefined
  const back = comesBack(follower, first)
  await eventually(() => back.session.state === 'live')
  expect(back.outlet.ids).toEqual(['a', 'b'])
  await commit(event('c', '1'), event('d', '2'))
  back.add({ topics: ['task:2'] })
  expect(back.outlet.ids).toEqual(['a', 'b', 'c'])
})

test('no bookmark overtakes what is gathered, not even that of a quiet connection', async () => {
  stand = await Stand.open({ bookmarkMs: 100 })
  const follower = stand.follow([paced({ ms: 700, latestOnly: false })])
  const other = stand.follow([{ topics: ['task:3'] }])
  const first = stand.lane.tail.cursor
  await commit(event('a', '1'))
  const offset = await commit(event('x', '2'))
  // Others that hear nothing are told where they stand, again and again.
  await eventually(() => other.outlet.bookmarks.at(-1)?.endsWith(offset))
  expect(follower.outlet.cursors).toEqual([])
  // What a gateway would tell, too.
  expect(follower.session.positionCursor).toBe(first)
  await eventually(() => follower.outlet.messages.length === 1)
  expect(follower.session.positionCursor).toBe(stand.lane.tail.cursor)
  await eventually(() => follower.outlet.bookmarks.at(-1)?.endsWith(offset))
})

test('a change of subscriptions gives first what was gathered, and the new ones begin behind it', async () => {
  stand = await Stand.open()
  const follower = stand.follow([paced()])
  await commit(event('a', '1'), event('x', '2'))
  const second = follower.add({ topics: ['task:2'] })
  expect(follower.outlet.messages).toEqual([['a']])
  await commit(event('b', '1'))
  follower.remove(second)
  expect(follower.outlet.messages).toEqual([['a'], ['b']])
  await commit(event('c', '1'), event('y', '2'))
  expect(follower.outlet.messages).toEqual([['a'], ['b']])
})

test('who joins an audience that gathers gets nothing from before', async () => {
  stand = await Stand.open()
  const early = stand.follow([paced(SHORT)])
  await commit(event('a', '1'))
  const late = stand.follow([paced(SHORT)])
  await commit(event('b', '1'))
  await eventually(() => late.outlet.messages.length > 0)
  expect(late.outlet.messages).toEqual([['b']])
  expect(early.outlet.ids).toEqual(['a', 'b'])
})

describe('mail', () => {
  test('goes at once, and what was gathered in earlier bursts stands before it', async () => {
    stand = await Stand.open()
    const agent = stand.follow([paced()], { inbox: 'kim' })
    const other = stand.follow([paced()])
    await commit(event('a', '1'), event('b', '1'))
    await commit(mail('m', 'kim'))
    expect(agent.outlet.ids).toEqual(['a', 'b', 'm'])
    await commit(event('c', '1'))
    await commit(mail('n', 'kim'), event('d', '1'))
    expect(agent.outlet.ids).toEqual(['a', 'b', 'm', 'c', 'n', 'd'])
    expect(other.outlet.ids).toEqual(['a', 'b', 'c', 'd'])
  })

  test('stands among what is gathered of the same burst, in the journal\'s order, each once', async () => {
    stand = await Stand.open()
    const agent = stand.follow([paced()], { inbox: 'kim' })
    await commit(event('a', '1'))
    await commit(event('b', '1'), mail('m', 'kim'), event('c', '1', 'inbox:kim'), event('d', '1'))
    expect(agent.outlet.ids).toEqual(['a', 'b', 'm', 'c', 'd'])
  })

  test('does not come again to an agent that comes back with its cursor', async () => {
    stand = await Stand.open()
    const agent = stand.follow([paced()], { inbox: 'kim' })
    const first = stand.lane.tail.cursor
    await commit(event('a', '1'))
    await commit(mail('m', 'kim'))
    await commit(event('b', '1'))
    const heard = [...agent.outlet.ids]
    agent.outlet.write = () => undefined
    const back = comesBack(agent, first, [paced()], 'kim')
    await eventually(() => back.session.state === 'live')
    expect([heard, back.outlet.ids]).toEqual([['a', 'm'], ['b']])
  })
})

describe('a socket that does not drain', () => {
  test('falls back to where gathering began, delays nobody, and gets everything once', async () => {
    stand = await Stand.open({ slowBytes: 100_000 })
    const [slow, quick] = [stand.follow([paced(SHORT)]), stand.follow([paced(SHORT)])]
    slow.outlet.stuck = 200_000
    await commit(event('a', '1'), event('b', '1'))
    await commit(event('c', '1'))
    await eventually(() => quick.outlet.messages.length > 0)
    expect([quick.outlet.ids, slow.outlet.ids, slow.session.state]).toEqual([['a', 'b', 'c'], [], 'catching-up'])
    slow.outlet.release()
    await eventually(() => slow.session.state === 'live')
    expect(slow.outlet.ids).toEqual(['a', 'b', 'c'])
  })

  test('gets stuck in the middle of what was gathered, and goes on behind what it took', async () => {
    stand = await Stand.open({ slowBytes: 100_000 })
    const slow = stand.follow([paced(), { topics: ['task:2'] }])
    slow.outlet.takes = 2
    await commit(event('a', '1'))
    await commit(event('b', '2'), event('c', '1'), event('d', '2'), event('e', '1'))
    expect([slow.outlet.ids, slow.session.state]).toEqual([['a', 'b'], 'catching-up'])
    await commit(event('f', '1'))
    slow.outlet.release()
    await eventually(() => slow.session.state === 'live')
    expect(slow.outlet.ids).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('that cannot take what was gathered when its subscriptions change loses and repeats nothing', async () => {
    stand = await Stand.open({ slowBytes: 100_000 })
    const slow = stand.follow([paced()])
    await commit(event('a', '1'), event('b', '1'), event('x', '2'))
    slow.outlet.stuck = 200_000
    // As a connection does: from here on, wherever the socket is.
    slow.add({ topics: ['task:2'] })
    expect(slow.session.state).toBe('catching-up')
    await commit(event('c', '1'), event('y', '2'))
    slow.outlet.release()
    await eventually(() => slow.session.state === 'live')
    expect(slow.outlet.ids.filter((id) => id !== 'x')).toEqual(['a', 'b', 'c', 'y'])
  })

  test('that cannot take it when the journal jumps reads it again from its own place', async () => {
    stand = await Stand.open({ slowBytes: 100_000 })
    const slow = stand.follow([paced()])
    await commit(event('a', '1'), event('b', '1'))
    slow.outlet.stuck = 200_000
    stand.lane.jumped()
    expect(slow.session.state).toBe('catching-up')
    slow.outlet.release()
    await eventually(() => slow.session.state === 'live')
    expect(slow.outlet.ids).toEqual(['a', 'b'])
  })
})

test('a thousand sockets share one encoding and one buffer of what was gathered', async () => {
  stand = await Stand.open()
  const followers = Array.from({ length: 1000 }, () => stand.follow([paced(SHORT, 'task:1', 'task:2')]))
  await commit(...Array.from({ length: 20 }, (_, place) => event(`e${place}`, String(1 + (place % 2)))))
  await eventually(() => followers.every(({ outlet }) => outlet.messages.length === 1))
  expect(followers[0]!.outlet.messages[0]).toHaveLength(20)
  expect(stand.encodes).toBe(20)
  expect(new Set(followers.map(({ outlet }) => outlet.chunks[0]!.buffer)).size).toBe(1)
})

test('whoever leaves takes nothing from the others, and does not have them hear earlier', async () => {
  stand = await Stand.open()
  const [gone, stays] = [stand.follow([paced(SHORT)]), stand.follow([paced(SHORT)])]
  await commit(event('a', '1'))
  stand.lane.close(gone.session)
  await commit(event('b', '1'))
  await eventually(() => stays.outlet.messages.length > 0)
  expect([stays.outlet.messages, gone.outlet.messages]).toEqual([[['a', 'b']], []])
})

test('the last one to leave leaves nothing behind for whoever comes next', async () => {
  stand = await Stand.open()
  const gone = stand.follow([paced(SHORT)])
  await commit(event('a', '1'))
  stand.lane.close(gone.session)
  const next = stand.follow([paced(SHORT)])
  await commit(event('b', '1'))
  await eventually(() => next.outlet.messages.length > 0)
  expect(next.outlet.messages).toEqual([['b']])
})
