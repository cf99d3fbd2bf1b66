/** Tasks as board and table, and one of them with its whole past, told by real events through public ways. */
import type { EventInput } from '@hubbub/protocol'
import type { Locator } from 'playwright-core'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { HERO, perform, PIPELINES, RUN } from './cast.js'
import { PHONE, type Opened, type Opening } from './opened.js'
import { Projects } from './projects.js'
import { openStage, operator, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage({ env: { HUBBUB_RETRY_MS: '100', HUBBUB_RETENTION_MS: '1000', HUBBUB_RETENTION_COUNT: '2000' } })
  await perform(stage)
}, 60_000)
afterEach(async () => {
  const complaints = await stage.closePages()
  expect(complaints).toEqual([])
})
afterAll(() => stage?.close(), 60_000)

function open(as: string, path: string, opening: Opening = {}): Promise<Opened> {
  return stage.open(path, { token: as, ...opening })
}

const projects = new Projects('tasks')

const task = (taskId: string, title: string, more: object = {}): EventInput => ({ type: 'task.created', data: { taskId, taskTitle: title, ...more } })
const working = (taskId: string, agentId: string, progress: number): EventInput[] => [{ type: 'task.started', data: { taskId, agentId } }, { type: 'task.progress', data: { taskId, agentId, progress } }]

const SOME: readonly EventInput[] = [
  task('a', 'Count the cart', { priority: 'low', pipelineId: 'release', stage: 1 }), ...working('a', 'ada', 30),
  task('b', 'Answer in cents', { priority: 'urgent', pipelineId: 'release', stage: 1, streamId: 'cart' }), ...working('b', 'bob', 80),
  task('c', 'Write it down', { priority: 5, streamId: 'cart' }),
  task('d', 'Blocked one'), { type: 'task.blocked', data: { taskId: 'd', blockedReason: 'waits for a name' } },
  task('e', 'Done one'), { type: 'task.completed', data: { taskId: 'e' } },
]

const column = ({ page }: Opened, name: string): Locator => page.getByRole('region', { name: new RegExp(`^${name}, `) })
const table = ({ page }: Opened): Locator => page.getByRole('table', { name: 'Tasks' })
const ids = ({ page }: Opened): Promise<string[]> => page.locator('main [role=table] [data-row]').evaluateAll((all) => all.sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex'))).map((one) => one.getAttribute('data-row')!.slice('task:'.length)))
const region = ({ page }: Opened, name: string): Locator => page.getByRole('region', { name, exact: true })
const address = ({ page }: Opened): Promise<string> => page.evaluate(() => location.href)

describe('all tasks', () => {
  it('stand on a board by status, and move over it while one looks', async () => {
    const { as, tell } = await projects.begin(stage, SOME)
    const opened = await open(as, '/tasks')
    await column(opened, 'In progress').getByRole('link', { name: /Count the cart/ }).waitFor()
    await column(opened, 'Held up').getByText('waits for a name').waitFor()
    await column(opened, 'Waiting').getByRole('link', { name: /Write it down/ }).waitFor()
    expect(await column(opened, 'Completed').getByRole('link').count()).toBe(1)
    await tell([{ type: 'task.completed', data: { taskId: 'a' } }, ...working('c', 'ada', 12)])
    await column(opened, 'Completed').getByRole('link', { name: /Count the cart/ }).waitFor()
    await column(opened, 'In progress').locator('[data-row="task:c"] [role=progressbar][aria-valuenow="12"]').waitFor()
    expect(await opened.axe()).toEqual([])
  })

  it('stand in a table that is sorted by any column; choices stand in the address and outlive a reload', async () => {
    const { as } = await projects.begin(stage, SOME)
    const opened = await open(as, '/tasks')
    const { page } = opened
    await page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Table' }).click()
    const sorted = async (title: string, order: string): Promise<void> => {
      await table(opened).getByRole('button', { name: title }).click()
      await eventually(async () => (await ids(opened)).join('') === order, `by ${title}: ${order}`)
    }
    await sorted('Priority', 'adecb')
    await sorted('Priority', 'bcdea')
    expect(await table(opened).getByRole('columnheader', { name: 'Priority' }).getAttribute('aria-sort')).toBe('descending')
    await sorted('Task', 'bdaec')
    await sorted('Progress', 'cdabe')
    await sorted('Status', 'cabde')
    await page.getByRole('combobox', { name: 'Agent' }).selectOption('bob')
    await eventually(async () => (await ids(opened)).join('') === 'b', 'bob\'s')
    await page.reload()
    await opened.connection('live')
    await eventually(async () => (await ids(opened)).join('') === 'b', 'bob\'s again')
    expect(await address(opened)).toMatch(/agent=bob/)
    expect(await opened.axe()).toEqual([])
  })

  it('are chosen by status, pipeline, stream and text', async () => {
    const { as } = await projects.begin(stage, SOME)
    const opened = await open(as, '/tasks')
    const { page } = opened
    await page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Table' }).click()
    await page.getByRole('combobox', { name: 'Stream' }).selectOption('cart')
    await eventually(async () => (await ids(opened)).toSorted().join('') === 'bc', 'the stream\'s')
    await page.getByRole('combobox', { name: 'Pipeline' }).selectOption('release')
    await eventually(async () => (await ids(opened)).join('') === 'b', 'and the pipeline\'s')
    await page.getByRole('searchbox', { name: 'Search tasks' }).fill('no such text')
    await page.getByRole('button', { name: 'Show all' }).click()
    await eventually(async () => (await ids(opened)).length === 5, 'all')
    await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^blocked/ }).click()
    await eventually(async () => (await ids(opened)).join('') === 'd', 'the blocked one')
  })

  it('of 1,500 those in sight are made; keys reach the last one', async () => {
    const { as } = await projects.begin(stage, Array.from({ length: 1500 }, (_, n) => task(`t-${n}`, `Task ${String(n).padStart(4, '0')}`)))
    const opened = await open(as, '/tasks')
    const { page } = opened
    await page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Table' }).click()
    await table(opened).getByRole('button', { name: 'Task' }).click()
    await table(opened).getByRole('link', { name: 'Task 0000' }).focus()
    expect(await table(opened).getAttribute('aria-rowcount')).toBe('1501')
    expect((await ids(opened)).length).toBeLessThan(80)
    await page.keyboard.press('ArrowDown')
    await eventually(() => page.evaluate(() => document.activeElement?.textContent === 'Task 0001'), 'the next row')
    await page.keyboard.press('End')
    await eventually(() => page.evaluate(() => document.activeElement?.textContent === 'Task 1499'), 'the last row')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Task 1499', level: 1 }).waitFor()
  })

  it('are a table on a phone, no wider than it', async () => {
    const { as } = await projects.begin(stage, SOME)
    const opened = await open(as, '/tasks', { viewport: PHONE })
    await table(opened).getByRole('link', { name: 'Count the cart' }).waitFor()
    expect(await opened.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
  })

  it('where there are none, what makes one is told; who may not see them is told why', async () => {
    const { as, name } = await projects.begin(stage, [])
    await (await open(as, '/tasks')).shows(/^No tasks: /)
    const stranger = await open(token({ sub: 'agent-only', role: 'viewer', project: name, permissions: ['subscribe:agent:*'] }), '/tasks')
    await stranger.page.getByRole('alert').filter({ hasText: 'INSUFFICIENT_PERMISSIONS' }).waitFor()
  })
})

describe('a task', () => {
  it('has all that is known: state, course, tests, log, checkpoints, GitHub, run, who looks', async () => {
    const opened = await open(operator(), `/tasks/${HERO}`)
    await opened.page.getByRole('heading', { name: 'Retry a declined card once', level: 1 }).waitFor()
    const standing = region(opened, 'How it stands')
    await standing.getByText('green, now tidying up').waitFor()
    expect(await standing.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('70')
    for (const [name, href] of [['coder-2', 'agents/coder-2'], [PIPELINES[0], `pipelines/${PIPELINES[0]}`], [RUN, `runs/${RUN}`]] as const) {
      expect(await standing.getByRole('link', { name, exact: true }).getAttribute('href')).toBe(`#/${href}`)
    }
    await standing.getByText(/^Looking at it now: .*operator/).waitFor()
    await region(opened, 'Progress and confidence').getByRole('img', { name: /progress from 35 % to 70 %, confidence from 40 % to 85 %$/ }).waitFor()
    const tdd = region(opened, 'Test-driven work')
    expect(await tdd.locator('[aria-current=step]').textContent()).toBe('refactor')
    await tdd.getByText('1 cycle').waitFor()
    await tdd.getByRole('img', { name: /^Tests .*passing from 0 to 14, failing from 2 to 0$/ }).waitFor()
    await tdd.getByRole('img', { name: /^Coverage .*lines from 61 % to 74 %/ }).waitFor()
    await region(opened, 'Checkpoints').getByText('green, step 3, phase').waitFor()
    const github = region(opened, 'GitHub')
    const pull = github.getByRole('region', { name: 'Pull request acme/checkout-service#108' })
    await pull.getByText('open', { exact: true }).waitFor()
    const link = pull.getByRole('link', { name: 'acme/checkout-service#108' })
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual(['https://github.com/acme/checkout-service/pull/108', 'noopener noreferrer'])
    await github.getByRole('list', { name: 'Checks' }).getByText('success').waitFor()
    await region(opened, 'Order and result').getByText('by the hub').waitFor()
    expect(await opened.axe()).toEqual([])
  })

  it('tells who had it, and why it was lost', async () => {
    const { as, tell } = await projects.begin(stage, [])
    await stage.ask('/api/v1/tasks', { as, json: { id: 'hard', type: 'code', title: 'Hard work', agentId: 'ada' } })
    await tell([{ type: 'task.accepted', data: { taskId: 'hard' } }, { type: 'task.rejected', data: { taskId: 'hard', reason: 'no sandbox' } }], 'ada')
    const opened = await open(as, '/tasks/hard')
    const history = region(opened, 'Delegation history')
    await history.getByText('rejected: no sandbox').waitFor()
    await eventually(() => tell([{ type: 'task.accepted', data: { taskId: 'hard' } }, { type: 'task.progress', data: { taskId: 'hard', progress: 10 } }], 'ada').then(() => true), 'the second try')
    await tell([{ type: 'task.failed', data: { taskId: 'hard', error: 'the total is off by a cent' } }], 'ada')
    await history.getByText('the total is off by a cent').waitFor()
    const told = (await history.getByRole('listitem').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').replace(/^[\d:]+ /, ''))
    expect(told.map((text) => /^(handed in|#\d offered to ada|accepted by ada|rejected by ada|#\d lost by ada|begun by ada|failed ada)/.exec(text)?.[1])).toEqual(
      ['handed in', '#1 offered to ada', 'accepted by ada', 'rejected by ada', '#1 lost by ada', '#2 offered to ada', 'accepted by ada', 'failed ada'],
    )
    await history.getByText('2 delegations, 1 lost').waitFor()
  })

  it('goes on while one looks: progress, log by level, what it needs and what needs it', async () => {
    const line = (level: string, message: string): EventInput => ({ type: 'agent.log', data: { agentId: 'ada', level, message, taskId: 'a' } })
    const { as, tell } = await projects.begin(stage, [task('a', 'Count the cart', { dependsOn: ['first'] }), ...working('a', 'ada', 30), task('first', 'The first'), task('later', 'The later', { dependsOn: ['a'] }), line('info', 'reading'), line('error', 'no such file')])
    const opened = await open(as, '/tasks/a')
    const log = region(opened, 'Log')
    await log.getByText('reading').waitFor()
    await log.getByRole('button', { name: 'errors' }).click()
    await log.getByText('reading').waitFor({ state: 'detached' })
    await tell([line('error', 'still no such file'), { type: 'task.progress', data: { taskId: 'a', agentId: 'ada', progress: 55 } }])
    await log.getByText('still no such file').waitFor()
    await region(opened, 'How it stands').locator('[role=progressbar][aria-valuenow="55"]').waitFor()
    const needs = region(opened, 'Dependencies')
    expect(await needs.getByRole('list', { name: 'Needs' }).getByRole('link', { name: 'The first' }).getAttribute('href')).toBe('#/tasks/first')
    expect(await needs.getByRole('list', { name: 'Needed by' }).getByRole('link', { name: 'The later' }).getAttribute('href')).toBe('#/tasks/later')
    await tell([{ type: 'task.completed', data: { taskId: 'first' } }])
    await needs.getByRole('list', { name: 'Needs' }).getByText('completed').waitFor()
  })

  it('says so when the journal no longer has all of its past, and still tells its lost tries', async () => {
    const { as, tell } = await projects.begin(stage, [])
    await stage.ask('/api/v1/tasks', { as, json: { id: 'old', type: 'code', title: 'Old work', agentId: 'ada' } })
    await tell([{ type: 'task.rejected', data: { taskId: 'old', reason: 'no sandbox' } }], 'ada')
    const noise = Array.from({ length: 500 }, (_, n): EventInput => ({ type: 'agent.log', data: { agentId: 'noise', level: 'info', message: `${n}` } }))
    await eventually(async () => {
      await tell(noise)
      const { body } = await stage.ask('/api/v1/history?topics=task:old&since=all', { as })
      return !JSON.stringify(body).includes('task.created')
    }, 'a journal without its beginning', 30_000)
    const opened = await open(as, '/tasks/old')
    await opened.page.getByRole('status').filter({ hasText: /The journal (begins at|no longer keeps)/ }).waitFor()
    await region(opened, 'Delegation history').getByText('rejected: no sandbox').waitFor()
  }, 60_000)

  it('with any id and any text is found and harms nothing', async () => {
    const odd = 'octo/hub#42?x=1&y=%2F%'
    const evil = `<img src=x onerror="window.tripped = 1">\u001b]0;x\u0007\u202e${'W'.repeat(5000)}`
    const { as } = await projects.begin(stage, [
      task(odd, 'An odd id', { pipelineId: 'a/b#c%d' }), task('__proto__', evil, { pipelineId: 'constructor', stage: 1, streamId: 'toString' }),
      { type: 'task.progress', data: { taskId: '__proto__', progress: 5, message: evil, agentId: 'hasOwnProperty' } },
      { type: 'agent.log', data: { agentId: 'hasOwnProperty', level: 'info', message: evil, taskId: '__proto__' } },
      { type: 'github.pr_updated', topics: ['task:__proto__'], data: { repository: 'octo/shop', prNumber: 7, title: evil, state: evil, url: 'javascript:window.tripped = 2' } },
    ])
    const opened = await open(as, '/tasks')
    await opened.page.getByRole('link', { name: /An odd id/ }).click()
    await opened.page.getByRole('main').getByText(odd, { exact: true }).waitFor()
    await opened.page.getByRole('link', { name: 'a/b#c%d' }).click()
    await opened.page.getByRole('heading', { name: 'a/b#c%d', level: 1 }).waitFor()
    await opened.go('/tasks/__proto__')
    await region(opened, 'Log').getByText(/^<img src=x/).waitFor()
    expect(await opened.page.locator('main img, main a[href^="javascript" i]').count()).toBe(0)
    expect(await opened.page.evaluate(() => (window as { tripped?: number }).tripped ?? 0)).toBe(0)
    await opened.go('/pipelines/constructor')
    await opened.page.locator('[data-bar="__proto__"]').waitFor()
  })

  it('that nobody knows, or can know, is told as such; so is one that one may not see', async () => {
    const { as, name } = await projects.begin(stage, SOME)
    const opened = await open(as, '/tasks/nobody')
    await opened.shows(/The hub knows no task/)
    await opened.go('/tasks/*')
    await opened.shows(/The hub knows no task/)
    await opened.go('/tasks/a%20b')
    await opened.page.getByRole('alert').filter({ hasText: 'INVALID_TOPIC' }).waitFor()
    const narrow = await open(token({ sub: 'narrow', role: 'viewer', project: name, permissions: ['subscribe:task:a'] }), '/tasks/a')
    await narrow.page.getByRole('heading', { name: 'Count the cart', level: 1 }).waitFor()
    await region(narrow, 'Dependencies').getByText(/cannot be seen: INSUFFICIENT_PERMISSIONS/).waitFor()
    await narrow.go('/tasks/b')
    await narrow.page.getByRole('alert').filter({ hasText: 'INSUFFICIENT_PERMISSIONS' }).waitFor()
  })
})
