/** Snapshot plus tail equals the fold of the journal, for a thousand random histories of projects at work. */
import { compareOffsets, matches, ORIGIN, parseCursor, StateView, type EntityView, type HubEvent, type Offset } from '@hubbub/protocol'
import { KINDS } from '@hubbub/protocol'
import { snapshot } from '../../server/src/operations/snapshot.js'
import { openShop, type Shop } from '../processor/shop.js'
import { dice } from '../store/fixture.js'
import { randomAction } from './actions.js'

const HISTORIES = Number(process.env['HISTORIES'] ?? 1000)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const TOPICS = [['*', 'project'], ['task:*'], ['pipeline:p0'], ['stream:s0', 'agent:a0'], ['agent:*', 'checkpoint:*', 'run:*'], ['task:t1', 'checkpoint:t1'], ['pipeline:p1:stage:1']]

interface Entry {
  offset: Offset
  event: HubEvent
}

interface Snapshot {
  topics: string[]
  at: Offset
  entities: EntityView[]
}

let shop: Shop
beforeAll(async () => {
  // Due times come while the rest happens, many in each history.
  const times = { acceptMs: 50, taskLeaseMs: 60, retryMs: 50, retryMostMs: 60, staleMs: 60, offlineMs: 80, forgetMs: 120, cancelMs: 50, stalledMs: 50, heartbeatMs: 50, finishedMs: 150, taskTries: 2 }
  shop = await openShop('memory', { ...times, finishedCount: 5, retentionCount: 1_000_000, retentionBytes: 2_000_000_000 })
})
afterAll(() => shop.close())

test(`in ${HISTORIES} histories (SEED=${SEED})`, async () => {
  const roll = dice(SEED)
  let events = 0
  for (let number = 0; number < HISTORIES; number++) {
    const project = `h${number}`
    const there = shop.at(project)
    const { last: begin } = await shop.stage.store.head(0)
    const topics = TOPICS[roll(TOPICS.length)]!
    const early: Snapshot[] = []
    for (let round = 0; round < 5; round++) {
      const doing = Array.from({ length: 4 + roll(8) }, () => randomAction(roll, there))
      early.push(await take(project, topics))
      await Promise.all(doing)
    }
    const [whole, part] = [await take(project, TOPICS[0]!), await take(project, topics)]
    const journal = await read(project, begin)
    events += journal.length
    expect({ number, entities: folded({ topics: TOPICS[0]!, at: ORIGIN, entities: [] }, journal, whole.at) }).toEqual({ number, entities: sorted(whole.entities) })
    for (const then of early) expect({ number, topics, entities: folded(then, journal, part.at) }).toEqual({ number, topics, entities: sorted(part.entities) })
  }
  expect(events).toBeGreaterThan(HISTORIES * 20)
}, 300_000)

async function take(project: string, topics: string[]): Promise<Snapshot> {
  const identity = { subject: 'w', role: 'admin' as const, project, projects: ['*'], permissions: ['admin'], via: 'none' as const }
  const { cursor, entities, next } = await snapshot({ state: shop.stage.store.state, partitions: 1 }, identity, { topics })
  expect(next).toBeUndefined()
  return { topics, at: parseCursor(cursor)!.offset, entities }
}

async function read(project: string, begin: Offset): Promise<Entry[]> {
  const { last } = await shop.stage.store.head(0)
  const entries: Entry[] = []
  for (let after = begin; compareOffsets(after, last) < 0; ) {
    const page = await shop.stage.store.readRange(0, after, last, 10_000)
    for (const { offset, event } of page.entries) {
      const parsed = JSON.parse(event) as HubEvent
      if (parsed.project === project) entries.push({ offset, event: parsed })
    }
    after = page.reached
  }
  return entries
}

/** What somebody who watches the topics has made of the snapshot by then. */
function folded({ topics, at, entities }: Snapshot, journal: readonly Entry[], until: Offset): EntityView[] {
  const view = new StateView(topics, entities)
  for (const { offset, event } of journal) {
    if (compareOffsets(offset, at) > 0 && compareOffsets(offset, until) <= 0 && matches({ topics }, event)) view.apply(event, offset)
  }
  return sorted(KINDS.flatMap((kind) => view.list(kind)))
}

function sorted(entities: readonly EntityView[]): EntityView[] {
  return [...entities].sort((a, b) => (`${a.kind} ${a.id}` < `${b.kind} ${b.id}` ? -1 : 1))
}
