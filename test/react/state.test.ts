import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened } from './browser.js'
import { lines, openTheatre, shows, type Theatre } from './fixture.js'
import './pages/seen.js'

describe('state and presence in a browser', () => {
  let theatre: Theatre
  const opened: Opened[] = []

  beforeAll(async () => {
    theatre = await openTheatre()
  }, 60_000)
  afterEach(async () => {
    for (const page of opened.splice(0)) await page.close()
    await eventually(async () => (await theatre.connections()).total === 0, 'no connection left')
  })
  afterAll(() => theatre.close(), 60_000)

  async function open(...asked: Parameters<Theatre['open']>): ReturnType<Theatre['open']> {
    const page = await theatre.open(...asked)
    opened.push(page)
    return page
  }
  const report = (type: string, taskId: string, more: object = {}) => theatre.publish({ type, data: { taskId, ...more } })

  it('useEntity follows a task from its snapshot to its completion, through a cut; useEntities its pipeline', async () => {
    await theatre.publish({ type: 'task.created', data: { taskId: 'T-1', title: 'Build', pipelineId: 'P-1' } })
    await report('task.progress', 'T-1', { progress: 10 })
    const page = await open('Task', { topic: 'task:T-1', other: 'pipeline:P-1' })
    await shows(page, '#task', 'in_progress 10')
    await report('task.progress', 'T-1', { progress: 60 })
    await shows(page, '#task', 'in_progress 60')
    theatre.proxy.cut('reset')
    await theatre.publish({ type: 'task.created', data: { taskId: 'T-2', title: 'Test', pipelineId: 'P-1' } })
    await report('task.completed', 'T-1', { result: { passed: true } })
    await shows(page, '#task', /^completed/)
    expect(await page.text('#result')).toBe('{"passed":true}')
    await shows(page, '#all', 'T-1=completed T-2=pending')
    const states = await page.page.evaluate(() => globalThis.stage.seen.states)
    expect(states[0]).toBe('loading -')
    expect(states.filter((state) => state.startsWith('loading'))).toHaveLength(2) // StrictMode runs the first effect twice
    expect(page.complaints.filter((line) => !line.includes('WebSocket connection'))).toEqual([])
  })

  it('components that show the same entity share a subscription', async () => {
    await theatre.publish({ type: 'task.created', data: { taskId: 'T-3', pipelineId: 'P-3' } })
    const page = await open('Tasks', { topic: 'task:T-3', other: 'pipeline:P-3' })
    await shows(page, '#task', 'pending -')
    await shows(page, '#all', 'T-3=pending')
    expect(page.asked('subscribe')).toBe(2)
  })

  it('says that there is no such entity, and shows it when it comes to be', async () => {
    const page = await open('Task', { topic: 'task:T-4', other: 'pipeline:P-4' })
    await shows(page, '#task', 'none -')
    await theatre.publish({ type: 'task.created', data: { taskId: 'T-4', pipelineId: 'P-4' } })
    await shows(page, '#task', 'pending -')
  })

  it('shows a refusal of state and of presence as an error', async () => {
    const as = { sub: 'stranger', role: 'viewer', permissions: ['subscribe:agent:*'] } as const
    const task = await open('Task', { topic: 'task:T-5', other: 'pipeline:P-5', as: { ...as, permissions: [...as.permissions] } })
    await shows(task, '#error', 'INSUFFICIENT_PERMISSIONS')
    expect(await task.text('#task')).toBe('none -')
    const watchers = await open('Watchers', { topic: 'task:T-5', as: { ...as, permissions: [...as.permissions] } })
    await shows(watchers, '#error', 'INSUFFICIENT_PERMISSIONS')
    expect([...task.complaints, ...watchers.complaints]).toEqual([])
  })

  it('usePresence sees both pages come, stay through a cut, and go', async () => {
    const ann = await open('Watchers', { topic: 'task:T-6', as: { sub: 'ann' } })
    await shows(ann, '#watchers', 'ann')
    const ben = await open('Watchers', { topic: 'task:T-6', as: { sub: 'ben' } })
    await shows(ben, '#watchers', 'ann ben')
    await shows(ann, '#watchers', 'ann ben')
    const before = ann.asked('presence')
    theatre.proxy.cut('reset')
    // Each connection is told only if it asks.
    await eventually(() => ann.asked('presence') > before, 'to ask again')
    await shows(ann, '#watchers', 'ann ben')
    await ben.page.evaluate(() => globalThis.stage.unmount())
    await shows(ann, '#watchers', 'ann')
  })

  it('the cursor moves with the events for a component that reads it', async () => {
    const page = await open('Place')
    await eventually(async () => (await theatre.connections()).active === 1)
    const before = await page.text('#cursor')
    await theatre.publish(...lines(page.topic, 1, 1))
    await eventually(async () => (await page.text('#cursor')) !== before)
    const cursor = await page.text('#cursor')
    await theatre.publish(...lines(page.topic, 2, 3))
    const { body } = await ask(`${theatre.hub.url}/api/v1/history?${new URLSearchParams({ topics: page.topic, since: cursor }).toString()}`, { as: token() })
    expect(body['events']).toHaveLength(2)
  })
})
