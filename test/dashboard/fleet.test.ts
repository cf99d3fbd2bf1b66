/** Fleet and agent: what one sees of those who work, told by real events through public ways. */
import type { EventInput } from '@hubbub/protocol'
import type { Locator } from 'playwright-core'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(async () => {
  stage?.proxy.refuse(false)
  const complaints = await stage.closePages()
  expect(complaints).toEqual([])
})
afterAll(() => stage?.close(), 60_000)

let projects = 0

/** A project of its own for each test: whoever is told of one fleet must not see another's. */
async function fleetOf(events: readonly EventInput[]): Promise<{ as: string; tell: (more: readonly EventInput[]) => Promise<unknown> }> {
  const as = token({ sub: 'lead', role: 'admin', project: `fleet-${++projects}` })
  const tell = (more: readonly EventInput[]): Promise<unknown> => stage.publish(more, { as })
  await tell(events)
  return { as, tell }
}

function open(as: string, path = '/'): Promise<Opened> {
  return stage.open(path, { token: as })
}

function agent(agentId: string, status?: string, more: object = {}): EventInput[] {
  return [
    { type: 'agent.registered', data: { agentId, agentType: 'coder', capabilities: ['code', 'typescript'], ...more } },
    ...(status === undefined ? [] : [{ type: 'agent.status_changed', data: { agentId, status } }]),
  ]
}

function working(agentId: string, taskId: string, taskTitle: string, progress: number): EventInput[] {
  return [
    { type: 'task.created', data: { taskId, taskTitle } },
    { type: 'task.accepted', data: { taskId, agentId } },
    { type: 'task.progress', data: { taskId, agentId, progress } },
  ]
}

const beat = (agentId: string, cpuUsage: number, memoryUsage: number): EventInput => ({ type: 'agent.heartbeat', data: { agentId, systemMetrics: { cpuUsage, memoryUsage, queueDepth: 4 } } })
const card = ({ page }: Opened, id: string): Locator => page.getByRole('article', { name: `Agent ${id}`, exact: true })
const total = ({ page }: Opened, status: string): Locator => page.getByRole('group', { name: 'Agents by status' }).getByRole('button', { name: new RegExp(`^\\S+ ${status}$`) })
const attention = ({ page }: Opened): Locator => page.getByRole('region', { name: 'Needs attention' })
const names = ({ page }: Opened): Promise<string[]> => page.locator('main article[data-agent-id]').evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset['agentId'] ?? ''))

describe('the fleet', () => {
  it('has a card an agent: status, type, task with its progress, load with units, last beat', async () => {
    const { as } = await fleetOf([...agent('ada'), ...working('ada', 'T-1', 'Count the cart', 45), beat('ada', 12.5, 400 * 1_048_576), beat('ada', 37.5, 512 * 1_048_576)])
    const opened = await open(as)
    const ada = card(opened, 'ada')
    await ada.getByText('busy').waitFor()
    expect(await ada.getByRole('link', { name: 'Count the cart' }).getAttribute('href')).toBe('#/tasks/T-1')
    expect(await ada.getByRole('progressbar', { name: 'Progress of Count the cart' }).getAttribute('aria-valuenow')).toBe('45')
    const said = await ada.innerText()
    for (const figure of ['coder', 'code, typescript', '37.5 %', '512 MiB', /now|\d+ s ago/]) expect(said).toMatch(figure)
    await ada.getByRole('img', { name: 'CPU of the last minutes, now 37.5 %' }).waitFor()
    await opened.shows('1 agent; none needs attention')
  })

  it('shows what happens while one looks, without a word from the visitor', async () => {
    const { as, tell } = await fleetOf(agent('ada'))
    const opened = await open(as)
    await card(opened, 'ada').getByText('No task').waitFor()
    await tell([...agent('ben', 'idle'), ...working('ada', 'T-1', 'Count the cart', 10)])
    await card(opened, 'ben').waitFor()
    await card(opened, 'ada').getByRole('progressbar', { name: 'Progress of Count the cart' }).waitFor()
    await tell([{ type: 'task.progress', data: { taskId: 'T-1', agentId: 'ada', progress: 80 } }])
    await card(opened, 'ada').locator('[role=progressbar][aria-valuenow="80"]').waitFor()
    await tell([{ type: 'task.completed', data: { taskId: 'T-1', agentId: 'ada' } }])
    await card(opened, 'ada').getByText('No task').waitFor()
  })

  it('says of a stalled one that it is alive and does not progress, and puts what is wrong first', async () => {
    const { as } = await fleetOf([
      ...agent('ada'), ...agent('ben', 'error'), ...agent('cleo', 'stale'), ...agent('dan', 'offline'), ...agent('eve'), ...working('eve', 'T-1', 'Count the cart', 5),
      { type: 'agent.status_changed', data: { agentId: 'eve', status: 'stalled' } },
    ])
    const opened = await open(as)
    await card(opened, 'eve').getByText(/^Alive, but not progressing · last report/).waitFor()
    await card(opened, 'cleo').getByText('Silent: gets no new tasks').waitFor()
    expect(await names(opened)).toEqual(['eve', 'ben', 'cleo', 'ada', 'dan'])
    await opened.shows('3 of 5 agents need attention')
    for (const id of ['eve', 'ben', 'cleo']) await attention(opened).getByRole('link', { name: id }).waitFor()
    expect(await attention(opened).getByRole('link', { name: 'dan' }).count()).toBe(0)
  })

  it('lists failed tasks and those that are stuck, and not those that wait for others that go on', async () => {
    const { as, tell } = await fleetOf([
      { type: 'task.created', data: { taskId: 'F', taskTitle: 'Deploy' } }, { type: 'task.failed', data: { taskId: 'F', error: 'the registry did not answer' } },
      { type: 'task.created', data: { taskId: 'B', taskTitle: 'Rotate keys' } }, { type: 'task.blocked', data: { taskId: 'B', blockedReason: 'waits for an approval' } },
    ])
    for (const order of [{ id: 'first', type: 'x', title: 'First' }, { id: 'second', type: 'x', title: 'Second', dependsOn: ['first'] }]) await stage.ask('/api/v1/tasks', { as, json: order })
    const opened = await open(as)
    await attention(opened).getByText(/^the registry did not answer/).waitFor()
    await attention(opened).getByText(/^waits for an approval/).waitFor()
    expect(await attention(opened).getByRole('listitem').count()).toBe(2)
    await stage.ask('/api/v1/tasks/first/cancel', { as, json: {} })
    await attention(opened).getByRole('link', { name: 'Second' }).waitFor()
    await tell([{ type: 'task.status_changed', data: { taskId: 'B', newStatus: 'in_progress' } }])
    await attention(opened).getByRole('link', { name: 'Rotate keys' }).waitFor({ state: 'detached' })
  })

  it('counts by status and filters by it, finds by type, capability and task, and keeps the choice in the address', async () => {
    const { as } = await fleetOf([
      ...agent('ada', 'idle'), ...agent('ben', 'idle', { agentType: 'tester', capabilities: ['browser'] }), ...agent('cleo'), ...working('cleo', 'T-77', 'Count the cart', 5),
    ])
    const opened = await open(as)
    await card(opened, 'ada').waitFor()
    expect(await Promise.all(['All', 'busy', 'idle', 'stalled'].map((status) => total(opened, status).innerText()))).toEqual([expect.stringMatching(/^3/), expect.stringMatching(/^1/), expect.stringMatching(/^2/), expect.stringMatching(/^0/)])
    await total(opened, 'idle').click()
    await eventually(async () => (await names(opened)).join() === 'ada,ben', 'the idle ones')
    await opened.page.reload()
    await eventually(async () => (await names(opened)).join() === 'ada,ben', 'the idle ones after a reload')
    await total(opened, 'All').click()
    const search = opened.page.getByRole('searchbox', { name: 'Search agents' })
    for (const [text, found] of [['tester', 'ben'], ['BROWSER', 'ben'], ['the cart', 'cleo'], ['T-77', 'cleo'], ['coder idle', '']] as const) {
      await search.fill(text)
      await eventually(async () => (await names(opened)).join() === found, `what is found by ${text}`)
    }
    await opened.shows('None of 3 agents is like that.')
    await opened.page.getByRole('button', { name: 'Show all' }).click()
    await eventually(async () => (await names(opened)).length === 3, 'all of them')
    await opened.page.getByRole('combobox', { name: 'Sort' }).selectOption('type')
    await eventually(async () => (await names(opened)).join() === 'ada,cleo,ben', 'the order by type')
  })

  it('makes cards of hundreds only where one looks, and arrow keys reach the last one', async () => {
    const { as } = await fleetOf(Array.from({ length: 300 }, (_, n) => agent(`agent-${n + 1}`, 'idle')).flat())
    const opened = await open(as)
    await opened.shows('300 agents; none needs attention')
    await card(opened, 'agent-1').waitFor()
    expect((await names(opened)).length).toBeLessThan(80)
    await card(opened, 'agent-1').getByRole('link').first().focus()
    await opened.page.keyboard.press('ArrowRight')
    expect(await opened.page.evaluate(() => document.activeElement?.textContent)).toBe('agent-2')
    await opened.page.keyboard.press('End')
    await eventually(() => opened.page.evaluate(() => document.activeElement?.textContent === 'agent-300'), 'the focus on the last')
    expect(await opened.page.getByRole('listitem').filter({ has: card(opened, 'agent-300') }).getAttribute('aria-posinset')).toBe('300')
    expect((await names(opened)).length).toBeLessThan(80)
    await opened.page.keyboard.press('Enter')
    await opened.page.getByRole('heading', { name: 'Agent agent-300', level: 1 }).waitFor()
  })

  it('shows the alerts of the system, by how grave they are', async () => {
    const { as, tell } = await fleetOf([{ type: 'system.notification', data: { level: 'info', title: 'Staging', message: 'version 4.2 is there' } }])
    const opened = await open(as)
    const alerts = opened.page.getByRole('region', { name: 'System alerts' })
    await alerts.getByText('version 4.2 is there').waitFor()
    await tell([{ type: 'system.alert', data: { severity: 'critical', message: 'the disk is full', component: 'build-3' } }])
    await alerts.getByRole('listitem').filter({ hasText: 'build-3' }).getByText('critical').waitFor()
  })

  it('says that nobody is here, and who may not see agents is told so', async () => {
    const { as } = await fleetOf([])
    await (await open(as)).shows('No agents yet.')
    const narrow = await open(token({ sub: 'narrow', role: 'viewer', project: `fleet-${projects}`, permissions: ['subscribe:run:*'] }))
    await narrow.page.getByRole('alert').getByText('INSUFFICIENT_PERMISSIONS').first().waitFor()
    expect(await total(narrow, 'All').innerText()).toMatch(/^—/)
    expect(await narrow.page.getByText('none needs attention').count()).toBe(0)
  })
})

describe('an agent', () => {
  it('has its facts, its tasks, its load over time, its log by level, and the delegations that it lost', async () => {
    const { as, tell } = await fleetOf([
      ...agent('ada'), beat('ada', 20, 300 * 1_048_576), beat('ada', 30, 310 * 1_048_576),
      ...['debug', 'info', 'warn', 'error'].map((level): EventInput => ({ type: 'agent.log', data: { agentId: 'ada', level, message: `a line of ${level}` } })),
      { type: 'agent.output', data: { agentId: 'ada', output: '12 passed', stream: 'stdout' } },
    ])
    await stage.ask('/api/v1/tasks', { as, json: { id: 'T-9', type: 'code', title: 'Retry once', agentId: 'ada' } })
    const ada = { as: token({ sub: 'ada', role: 'agent', project: `fleet-${projects}` }) }
    await stage.publish([{ type: 'task.rejected', data: { taskId: 'T-9', reason: 'no sandbox' } }], ada)
    const opened = await open(as, '/agents/ada')
    const region = (name: string): Locator => opened.page.getByRole('region', { name, exact: true })
    for (const fact of ['coder', 'typescript', 'Registered by']) await region('Facts').getByText(fact, { exact: true }).waitFor()
    await region('Load').getByRole('img', { name: /^CPU over .*: CPU from 20 % to 30 %$/ }).waitFor()
    await region('Load').getByRole('img', { name: /^Memory over .*from 300 MiB to 310 MiB$/ }).waitFor()
    await region('Load').getByText('queueDepth').waitFor()
    await region('Delegations lost').getByText(/no sandbox/).waitFor()
    await region('Log and output').getByText('12 passed').waitFor()
    await region('Log and output').getByRole('button', { name: 'Warnings' }).click()
    await region('Log and output').getByText('a line of info').waitFor({ state: 'detached' })
    await tell([{ type: 'agent.error', data: { agentId: 'ada', code: 'EMPTY', message: 'the model answered nothing' } }, ...working('ada', 'T-10', 'Count the cart', 33)])
    await region('Log and output').getByText('the model answered nothing').waitFor()
    await region('Current tasks').locator('[role=progressbar][aria-valuenow="33"]').waitFor()
    await region('Recent events').getByText('task.progress').first().waitFor()
  })

  it('is reached by its card, whatever its id', async () => {
    const id = 'a/b?c=%2F#ü&<i>'
    const { as } = await fleetOf(agent(id, 'idle'))
    const opened = await open(as)
    await card(opened, id).getByRole('link').first().click()
    await opened.page.getByRole('heading', { name: `Agent ${id}`, level: 1 }).waitFor()
    await opened.page.getByRole('region', { name: 'Facts' }).waitFor()
  })

  it('that nobody knows is told as such', async () => {
    const { as } = await fleetOf([])
    const opened = await open(as, '/agents/nobody')
    await opened.shows(/The hub knows no agent/)
    await opened.shows('It wrote nothing that the journal still has.')
  })
})

it('without the hub ages are no ages, and what is shown is said to be of before', async () => {
  const { as } = await fleetOf([...agent('ada', 'idle')])
  const opened = await open(as)
  await card(opened, 'ada').getByText(/now|s ago/).waitFor()
  stage.proxy.refuse(true)
  stage.proxy.cut('reset')
  await opened.connection('offline')
  await opened.shows('1 agent; none needs attention (when last heard)')
  await card(opened, 'ada').getByText(/\d\d:\d\d:\d\d/).waitFor()
  stage?.proxy.refuse(false)
  await opened.connection('live')
  await card(opened, 'ada').getByText(/now|ago/).waitFor()
  opened.complaints.splice(0)
})
