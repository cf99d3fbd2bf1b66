/** A project in which anybody does anything, by seed: whatever came of it, the state is the fold of the journal and hangs together, and work gets done. */
import { openStore, storeOptions } from '../../server/src/store/open.js'
import { eventually } from '../harness/eventually.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { act, AGENTS, chance, finishAll, groupsOfDeleted, QUICK, SKILLS, tasksOf, type Chance } from './anybody.js'
import { contradictions, disagreements, faultsOfHistory, journalOf, stored } from './inspection.js'
import { openShop, type Shop } from './shop.js'
import { redisOfFile, stopRedisOfFile } from './stage.js'

const SEEDS = (process.env.HUBBUB_TEST_SEEDS ?? '1,114').split(',').map(Number)
const STEPS = 120

afterAll(stopRedisOfFile)

async function live(shop: Shop, by: Chance, between: () => Promise<void>): Promise<void> {
  for (const agent of AGENTS) await shop.hire(agent, { capabilities: SKILLS.filter(() => by.is(0.6)), maxTasks: 1 + by.below(3) })
  for (let step = 0; step < STEPS; step++) {
    const tasks = await tasksOf(shop)
    const count = tasks.filter(({ id }) => id.startsWith('t')).length
    const acts = Array.from({ length: 1 + by.below(4) }, () => act(shop, by, tasks, count))
    await between()
    await Promise.allSettled(acts)
  }
}

async function judge(shop: Shop & { stop(): Promise<void> }): Promise<void> {
  const open = await finishAll(shop)
  await shop.stop()
  const journal = (await journalOf(shop.stage.store)).map(({ event }) => event)
  const entities = await stored(shop.stage.store)
  expect([...(await disagreements(shop.stage.store)), ...contradictions(entities, groupsOfDeleted(journal)), ...faultsOfHistory(journal)]).toEqual([])
  expect(open.map(({ id, status }) => `${id} ${status}`)).toEqual([])
}

describe.each(SEEDS)('anything goes, seed %s', (seed) => {
  let shop: Shop & { stop(): Promise<void> }
  afterEach(() => shop.close())

  test('in one processor', async () => {
    const opened = await openShop('memory', QUICK)
    shop = { ...opened, stop: () => opened.processor.stop() }
    await live(shop, chance(seed), async () => {})
    await judge(shop)
  })

  test('in one that holds next to nothing in memory', async () => {
    const opened = await openShop('memory', QUICK)
    await opened.processor.stop()
    const forgetful = opened.stage.processor('p2', undefined, { stateEntities: 1 })
    await forgetful.start()
    shop = { ...opened, stop: () => forgetful.stop() }
    await live(shop, chance(seed), async () => {})
    await judge(shop)
  })

  test('in two on a Redis that is cut off, so that each takes over from the other', async () => {
    const opened = await openShop('redis', { ...QUICK, leaseMs: 500, leaseRenewMs: 100 })
    await opened.processor.stop()
    const { port } = await redisOfFile()
    const proxies: Proxy[] = []
    const stops: (() => Promise<void>)[] = []
    for (const id of ['p1', 'p2']) {
      const proxy = await startProxy({ port })
      const store = await openStore(storeOptions({ ...opened.stage.settings, redisUrl: `redis://127.0.0.1:${proxy.port}` }))
      const processor = opened.stage.processor(id, store)
      await processor.start()
      proxies.push(proxy)
      stops.push(async () => {
        await processor.stop()
        await store.close()
        await proxy.close()
      })
    }
    shop = { ...opened, stop: async () => void (await Promise.all(stops.map((stop) => stop()))) }
    const by = chance(seed)
    await live(shop, by, async () => {
      const proxy = by.of(proxies)
      if (by.is(0.25)) proxy.cut(by.is(0.5) ? 'reset' : 'end')
      else if (by.is(0.06)) {
        // Until the other one has taken over: whoever is behind it wakes up as a stranger.
        proxy.blackhole(true)
        const other = proxy === proxies[0] ? 'p2' : 'p1'
        await eventually(async () => (await opened.stage.store.owners())[0] === other, `${other} owning the partition`)
        proxy.blackhole(false)
      }
    })
    await judge(shop)
  }, 120_000)
})
