/** Much at once: what one cause or one moment brings is done in parts, and refuses or stops nobody. */
import type { Batch } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { stored } from './inspection.js'
import { openShop, type Shop } from './shop.js'

let shop: Shop
const open = async (settings = {}) => (shop = await openShop('memory', settings))
afterEach(() => shop?.close())

const tokenOf = async (taskId: string) => (await shop.until('task', taskId, (task) => task.status === 'delegated' && task.leaseToken)).leaseToken!

describe('much at once', () => {
  const unlimited = { familyRates: '*=1000000' }

  test('an agent that comes to much waiting work gets all that it takes', async () => {
    await open(unlimited)
    await Promise.all(Array.from({ length: 4000 }, (_, n) => shop.order(`t${n}`)))
    await shop.hire('a', { maxTasks: 10_000 })
    await eventually(async () => (await shop.mail('a')).length === 4000, 'all tasks offered')
  })

  test('a long line of tasks that wait for each other fails with its first, whose agent is answered', async () => {
    await open(unlimited)
    await Promise.all(Array.from({ length: 5000 }, (_, n) => shop.order(`t${n + 1}`, { dependsOn: [`t${n}`] })))
    await shop.hire('a')
    await shop.order('t0')
    await tokenOf('t0')
    await shop.say('a', 'task.failed', { taskId: 't0' })
    await shop.until('task', 't5000', ({ status }) => status === 'failed')
  })

  test('more dependents than one cause moves, in pipelines that are not in memory, are freed', async () => {
    await open(unlimited)
    await Promise.all(Array.from({ length: 1500 }, (_, n) => shop.order(`t${n}`, { dependsOn: ['t'], pipelineId: `p${n}` })))
    await shop.processor.stop()
    await shop.stage.processor('p2').start()
    await shop.order('t')
    await shop.hire('a')
    await tokenOf('t')
    await shop.say('a', 'task.result', { taskId: 't' })
    await eventually(async () => (await stored(shop.stage.store)).every((entity) => entity.kind !== 'task' || entity.status !== 'blocked'), 'all being free')
  })

  test('a task that waits for thousands is taken', async () => {
    await open(unlimited)
    await shop.say('service:x', 'task.created', { taskId: 'many', dependsOn: Array.from({ length: 3000 }, (_, n) => `d${n}`) })
    expect((await shop.find('task', 'many'))?.status).toBe('blocked')
  })

  test('what is due together and brings much with it goes in several commits', async () => {
    await open(unlimited)
    const deadline = new Date(Date.now() + 4000).toISOString()
    const { store } = shop.stage
    const commit = store.commit.bind(store)
    let most = 0
    store.commit = (partition: number, batch: Batch) => {
      most = Math.max(most, batch.appends.length)
      return commit(partition, batch)
    }
    for (let n = 0; n < 100; n++) await Promise.all([shop.order(`d${n}`, { deadline }), ...Array.from({ length: 50 }, (_, k) => shop.order(`d${n}.${k}`, { dependsOn: [`d${n}`], pipelineId: 'p', streamId: 's' }))])
    await eventually(async () => (await stored(store)).every((entity) => entity.kind !== 'task' || entity.status === 'failed'), 'all being failed', 20_000, 200)
    expect(most).toBeLessThan(10_000)
  })
})
