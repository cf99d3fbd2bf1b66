/** What a trace looks through, and where it stops. */
import type { HubEvent } from '@hubbub/protocol'
import { Peers } from '../../server/src/operations/peers.js'
import { createTracer } from '../../server/src/operations/trace.js'
import { findLetter } from '../../server/src/operations/trace-letters.js'
import { Search } from '../../server/src/operations/trace-search.js'
import { Turns } from '../../server/src/operations/trace-turns.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { DeadLetter, DeadLetters, Store } from '../../server/src/store/port.js'
import type { Identity } from '../../server/src/access/identity.js'
import { Committer, memoryStore, progress } from '../harness/store.js'

let store: Store
let committer: Committer

beforeEach(async () => {
  store = await memoryStore()
  committer = await Committer.of(store)
})
afterEach(() => store.close())

const named = (id: string, causationId?: string, more: Partial<HubEvent> = {}): HubEvent => {
  const event = progress('T', 1, more)
  // The id first, as the hub writes it.
  return { ...event, id, metadata: { ...event.metadata, ...(causationId !== undefined && { causationId }) } }
}
const others = (count: number): HubEvent[] => Array.from({ length: count }, (_, n) => named(`other-${n}`))
const search = (more: Partial<ConstructorParameters<typeof Search>[0]> = {}) => new Search({ provenance: store.provenance, partition: 0, sees: ({ project }) => project === 'default', entries: 100_000, ...more })

test('an id is looked for back to the journal\'s beginning, or to where the budget ends', async () => {
  const [first] = await committer.commit(named('old'), ...others(3000))
  const whole = search()
  expect((await whole.find('old'))?.entry.offset).toBe(first)
  const short = search({ entries: 1000 })
  expect(await short.find('old')).toBeUndefined()
  expect([short.looked, short.complete]).toEqual([1000, false])
  const none = search()
  expect(await none.find('nobody')).toBeUndefined()
  expect([none.looked, none.complete]).toEqual([3001, true])
  // By its cursor it is found however old it is.
  expect((await search({ entries: 1 }).find(`${committer.state.epoch}.${first}`))?.event.id).toBe('old')
  expect((await search({ entries: 1 }).find(first!))?.event.id).toBe('old')
  expect(await search().find(`another.${first}`)).toBeUndefined()
})

test('what the asker may not see is gone past: the next of that id is found, or none', async () => {
  await committer.commit(named('twice'), named('twice', undefined, { project: 'other' }))
  expect((await search().find('twice'))?.event.project).toBe('default')
  const [, hidden] = await committer.commit(named('mine'), named('theirs', 'mine', { project: 'other' }), named('after', 'theirs'))
  const mine = (await search().find('mine'))!
  expect(await search().derived(mine)).toEqual({ found: [], complete: true })
  expect(await search().find(hidden!)).toBeUndefined()
  expect(await search().causes((await search().find('after'))!)).toEqual({ found: [], missing: 'theirs' })
})

test('an id that looks like a cursor or an offset is found', async () => {
  await committer.commit(named('12-3'), named('e.12-3'), named('__proto__'), named('0-0'))
  for (const id of ['12-3', 'e.12-3', '__proto__', '0-0']) expect((await search().find(id))?.event.id).toBe(id)
})

test('causes that lead back to themselves end, and so does what followed', async () => {
  await committer.commit(named('a', 'b'), named('b', 'a'), named('a2', 'a'), named('b', 'a2'))
  const found = (await search().find('b'))!
  expect((await search().causes(found)).found.map(({ id }) => id)).toEqual(['a2', 'a'])
  const { found: derived } = await search().derived((await search().find('a'))!)
  expect(derived.map(({ id, derived: more }) => [id, more.map((one) => one.id)])).toEqual([['b', []], ['a2', []]])
})

test('of what followed only so much is looked for, and it says so', async () => {
  await committer.commit(named('root'), ...others(3000), named('late', 'root'))
  const root = (await search().find('root'))!
  expect(await search({ entries: 1000 }).derived(root)).toEqual({ found: [], complete: false })
  expect(await search().derived(root)).toMatchObject({ found: [{ id: 'late' }], complete: true })
  await committer.commit(...Array.from({ length: 1500 }, (_, n) => named(`c${n}`, 'late')))
  const { found, complete } = await search().derived(root)
  expect([found[0]!.derived.length >= 900, complete]).toEqual([true, false])
})

test('a due time is a cause that is no event', async () => {
  await committer.commit(named('fired', 'timer:lease:T'))
  expect(await search().causes((await search().find('fired'))!)).toEqual({ found: [], missing: 'timer:lease:T' })
})

describe('dead letters', () => {
  const letter = (fields: Record<string, string>, stream: DeadLetter['stream'] = 'agents'): DeadLetter => ({ id: '5-0', partition: 0, stream, entry: '4-0', code: 'INVALID_MESSAGE', message: 'no', at: 5, fields })
  const find = (one: DeadLetter, identity: Partial<Identity>, id: string) => {
    const letters = { list: () => Promise.resolve([one]) } as unknown as DeadLetters
    return findLetter(letters, 0, { subject: 'a', role: 'agent', project: 'default', projects: ['default'], permissions: [], via: 'none', ...identity }, id, { rawStreams: 'workflows' })
  }
  const admin = { subject: 'root', role: 'admin' as const, permissions: ['admin'] }
  const own = { event: '{"id":"x"}', identity: '{"source":"/agents/a","project":"default"}', replyTo: 'near' }

  test('are their producer\'s and their project\'s admins\' to know of', async () => {
    expect(await find(letter(own), {}, 'x')).toMatchObject({ status: 'refused', letter: '5-0', received: { worker: 'near', by: '/agents/a' } })
    expect(await find(letter(own), admin, 'x')).toMatchObject({ status: 'refused' })
    expect(await find(letter(own), { subject: 'b' }, 'x')).toBeUndefined()
    expect(await find(letter(own), { ...admin, project: 'other' }, 'x')).toBeUndefined()
    expect(await find(letter(own), {}, 'y')).toBeUndefined()
  })

  test('are looked through a few at a time, back to the thousandth', async () => {
    const all = Array.from({ length: 1005 }, (_, place) => ({ ...letter({ ...own, event: `{"id":"x${place}"}` }), id: `${5000 - place}-0` }))
    const asked: number[] = []
    const list: DeadLetters['list'] = (_, count, before) => {
      asked.push(count)
      const from = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1
      return Promise.resolve(all.slice(from, from + count))
    }
    const seek = (id: string) => findLetter({ list } as unknown as DeadLetters, 0, { subject: 'root', role: 'admin', project: 'default', projects: ['default'], permissions: ['admin'], via: 'none' }, id, { rawStreams: '' })
    expect(await seek('x999')).toMatchObject({ letter: '4001-0' })
    expect(Math.max(...asked)).toBeLessThanOrEqual(20)
    expect(await seek('x1000')).toBeUndefined()
  })

  test('of raw writers vouch for nothing but the project that they asked for', async () => {
    const raw = letter({ event: '{"id":"x","project":"default"}', identity: '{"source":"/agents/a","project":"default"}', worker: 'made up' }, 'workflows')
    expect(await find(raw, {}, 'x')).toBeUndefined()
    const told = await find(raw, admin, 'x')
    expect(told?.received).toEqual({ at: expect.any(String) as string, by: '/streams/workflows', stream: 'workflows', entry: '4-0' })
    // Nonsense without any id has the place of its entry for a name.
    expect(await find(letter({ event: 'nonsense' }, 'workflows'), { ...admin, projects: ['*'] }, 'workflows:4-0')).toMatchObject({ eventId: 'workflows:4-0' })
    expect(await find(letter({ event: 'nonsense' }, 'workflows'), admin, 'workflows:4-0')).toBeUndefined()
  })
})

test('only so many searches run at a time, and only so many wait', async () => {
  const turns = new Turns(1, 1)
  const order: string[] = []
  let finish!: () => void
  const first = turns.take('a', async () => {
    order.push('first')
    await new Promise<void>((resolve) => (finish = resolve))
    throw new Error('of its own')
  })
  const second = turns.take('a', () => Promise.resolve(order.push('second')))
  await expect(turns.take('b', () => Promise.resolve())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  finish()
  await expect(first).rejects.toThrow('of its own')
  await second
  await turns.take('a', () => Promise.resolve(order.push('third')))
  expect(order).toEqual(['first', 'second', 'third'])
})

test('of those who wait at most a quarter are of one project: nobody keeps the others out', async () => {
  const turns = new Turns(1, 8)
  let finish!: () => void
  const first = turns.take('a', () => new Promise<void>((resolve) => (finish = resolve)))
  const waiting = ['a', 'a', 'b'].map((project) => turns.take(project, () => Promise.resolve(project)))
  await expect(turns.take('a', () => Promise.resolve())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  finish()
  await first
  expect(await Promise.all(waiting)).toEqual(['a', 'a', 'b'])
})

test('a search leaves the store and this process to others between two steps', async () => {
  await committer.commit(...others(3000))
  let turned = 0
  const ticking = setInterval(() => turned++, 1)
  await search().find('nobody')
  clearInterval(ticking)
  // In memory a step waits for nothing: without a rest all of them would be one.
  expect(turned).toBeGreaterThan(0)
})

test('a worker that cannot account for its sessions has not answered, and nothing else happens', async () => {
  const [offset] = await committer.commit(named('asked'))
  const roll = { worker: 'near-00000000', alive: () => ['near-00000000'], hear: () => Promise.resolve() }
  const peers = new Peers(roll)
  const fanout = { standing: () => Promise.reject(new Error('the store is away')) }
  const trace = createTracer({ provenance: store.provenance, letters: store.dead, sessions: store.sessions, journal: store, fanout, peers, roll, partitions: 1, settings: settingsWith({ partitions: 1 }) })
  const began = performance.now()
  const told = await trace({ subject: 'root', role: 'admin', project: 'default', projects: ['default'], permissions: ['admin'], via: 'none' }, { eventId: offset! })
  // At once, not after HUBBUB_TRACE_MS; and no rejection is left over, which would end the program (jest fails the test for it).
  expect(performance.now() - began).toBeLessThan(1500)
  expect(told).toMatchObject({ status: 'committed', workers: [{ worker: 'near', answered: false, matched: 0 }] })
  peers.close()
})
