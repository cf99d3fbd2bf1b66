/** Pipelines, their streams and one of them: what one sees of work in stages, told by real events through public ways. */
import type { EventInput } from '@hubbub/protocol'
import type { Locator } from 'playwright-core'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { PHONE, type Opened, type Opening } from './opened.js'
import { Projects } from './projects.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage({ env: { HUBBUB_RETRY_MS: '100' } })
}, 60_000)
afterEach(async () => {
  const complaints = await stage.closePages()
  expect(complaints).toEqual([])
})
afterAll(() => stage?.close(), 60_000)

function open(as: string, path: string, opening: Opening = {}): Promise<Opened> {
  return stage.open(path, { token: as, ...opening })
}

const projects = new Projects('pipelines')

const started = (pipelineId: string, name: string): EventInput => ({ type: 'pipeline.started', data: { pipelineId, name } })
const created = (taskId: string, place: object): EventInput => ({ type: 'task.created', data: { taskId, taskTitle: `Title of ${taskId}`, ...place } })
const begun = (taskId: string, agentId = 'ada'): EventInput => ({ type: 'task.started', data: { taskId, agentId } })
const completed = (taskId: string): EventInput => ({ type: 'task.completed', data: { taskId } })

const row = ({ page }: Opened, key: string): Locator => page.locator(`main [data-row="${key}"]`)
const bar = ({ page }: Opened, title: string): Locator => page.getByRole('group', { name: /^Time line of/ }).getByRole('link', { name: new RegExp(`^${title},`) })
const names = ({ page }: Opened): Promise<string[]> => page.locator('main article[data-row^="pipeline:"]').evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset['row'] ?? ''))

const RELEASE: readonly EventInput[] = [
  started('release', 'Release 4.2'),
  created('plan', { pipelineId: 'release', stage: 1 }), begun('plan'), completed('plan'),
  created('code', { pipelineId: 'release', stage: 2, streamId: 'cart', dependsOn: ['plan'] }), begun('code'),
  created('docs', { pipelineId: 'release', stage: 2, streamId: 'cart' }),
  { type: 'task.blocked', data: { taskId: 'docs', blockedReason: 'waits for a name' } },
  { type: 'pipeline.progress', data: { pipelineId: 'release', progress: 40, currentStep: 'compile', estimatedCompletion: new Date(Date.now() + 600_000).toISOString() } },
]

describe('all pipelines', () => {
  it('each has its status, progress, stages, running step and when it is expected', async () => {
    const { as } = await projects.begin(stage, [...RELEASE, started('night', 'Nightly'), { type: 'pipeline.failed', data: { pipelineId: 'night', error: 'the disk is full', step: 'load test' } }])
    const opened = await open(as, '/pipelines')
    const release = row(opened, 'pipeline:release')
    await release.getByRole('link', { name: 'Release 4.2' }).waitFor()
    expect(await release.getAttribute('data-status')).toBe('running')
    expect(await release.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40')
    expect(await release.getByRole('list', { name: 'Stages' }).getByRole('listitem').allTextContents()).toEqual(['1Stage 1: 1 of 1 done', '2Stage 2: 0 of 2 done, 1 running, 1 blocked'])
    await release.getByText('Now: compile').waitFor()
    await release.getByText(/^expected in (10 min|9 min \d+ s)$/).waitFor()
    await row(opened, 'pipeline:night').getByText('the disk is full').waitFor()
    expect(await opened.axe()).toEqual([])
  })

  it('changes while one looks, and a new one comes in', async () => {
    const { as, tell } = await projects.begin(stage, RELEASE)
    const opened = await open(as, '/pipelines')
    await row(opened, 'pipeline:release').waitFor()
    await tell([completed('code'), { type: 'pipeline.progress', data: { pipelineId: 'release', progress: 75 } }, started('second', 'Another one')])
    await row(opened, 'pipeline:release').locator('[role=progressbar][aria-valuenow="75"]').waitFor()
    await row(opened, 'pipeline:second').waitFor()
  })

  it('a stream tells what blocks it, and leads there', async () => {
    const { as, tell } = await projects.begin(stage, [...RELEASE, { type: 'stream.blocked', data: { streamId: 'cart', streamName: 'Cart', blockedReason: 'the schema is being reviewed', blockedTaskIds: ['docs'] } }])
    const opened = await open(as, '/pipelines')
    const cart = row(opened, 'stream:cart')
    await cart.getByText('the schema is being reviewed').waitFor()
    expect(await cart.getAttribute('data-status')).toBe('blocked')
    expect(await cart.getByRole('link', { name: 'docs', exact: true }).getAttribute('href')).toBe('#/tasks/docs')
    await tell([begun('docs')])
    await cart.getByText('the schema is being reviewed').waitFor({ state: 'detached' })
    const href = await cart.getByRole('link', { name: 'Cart' }).getAttribute('href')
    expect(href).toBe('#/tasks?stream=cart')
    await cart.getByRole('link', { name: 'Cart' }).click()
    await opened.page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor()
    expect(await opened.page.getByRole('combobox', { name: 'Stream' }).inputValue()).toBe('cart')
    // In another tab it leads to the same.
    const tab = await opened.context.newPage()
    await tab.goto(`${stage.url}/#token=${as}`)
    await tab.goto(`${stage.url}/${href}`)
    await eventually(async () => (await tab.getByRole('combobox', { name: 'Stream' }).inputValue()) === 'cart', 'the same choice')
  })

  it('are chosen by status and text; the choice stands in the address and outlives a reload', async () => {
    const { as } = await projects.begin(stage, [...RELEASE, started('a', 'Alpha'), started('b', 'Beta'), { type: 'pipeline.completed', data: { pipelineId: 'b' } }])
    const opened = await open(as, '/pipelines')
    const { page } = opened
    await eventually(async () => (await names(opened)).length === 3, 'three pipelines')
    await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^running/ }).click()
    await eventually(async () => (await names(opened)).length === 2, 'those that run')
    await page.getByRole('searchbox', { name: 'Search pipelines and streams' }).fill('alp')
    await eventually(async () => (await names(opened)).join() === 'pipeline:a', 'the one')
    await eventually(() => page.evaluate(() => /status=running/.test(location.href) && /q=alp/.test(location.href)), 'the choice in the address')
    await page.reload()
    await opened.connection('live')
    await eventually(async () => (await names(opened)).join() === 'pipeline:a', 'the one, again')
    expect(await page.getByRole('searchbox', { name: 'Search pipelines and streams' }).inputValue()).toBe('alp')
    await page.getByRole('searchbox', { name: 'Search pipelines and streams' }).fill('nothing like it')
    await page.getByRole('button', { name: 'Show all' }).click()
    await eventually(async () => (await names(opened)).length === 3, 'all again')
  })

  it('where there are none, what makes one is told; who may not see them is told why', async () => {
    const { as, name } = await projects.begin(stage, [])
    const opened = await open(as, '/pipelines')
    await opened.shows(/^No pipelines: /)
    await opened.shows(/^No streams: /)
    const stranger = await open(token({ sub: 'agent-only', role: 'viewer', project: name, permissions: ['subscribe:agent:*'] }), '/pipelines')
    await stranger.page.getByRole('alert').filter({ hasText: 'INSUFFICIENT_PERMISSIONS' }).first().waitFor()
    expect(await stranger.page.getByText(/^No pipelines: /).count()).toBe(0)
  })
})

describe('a pipeline', () => {
  it('has a lane a stage with its tasks as bars, steps as marks, and the tasks in words', async () => {
    const { as, tell } = await projects.begin(stage, [...RELEASE, { type: 'pipeline.step_completed', data: { pipelineId: 'release', step: 'fetch', outputs: { commit: 'c0ffee' } } }])
    const opened = await open(as, '/pipelines/release')
    await opened.page.getByRole('heading', { name: 'Release 4.2', level: 1 }).waitFor()
    expect(await bar(opened, 'Title of plan').getAttribute('data-status')).toBe('completed')
    expect(await bar(opened, 'Title of code').getAttribute('data-status')).toBe('in_progress')
    expect(await bar(opened, 'Title of docs').count()).toBe(0)
    await opened.page.getByRole('listitem').filter({ hasText: /^fetch$/ }).waitFor({ state: 'attached' })
    expect(await row(opened, 'task:docs').innerText()).toContain('waits for a name')
    await tell([begun('docs', 'bob')])
    await bar(opened, 'Title of docs').waitFor()
    await row(opened, 'task:docs').getByRole('link', { name: 'bob' }).waitFor()
    expect(await opened.axe()).toEqual([])
  })

  it('shows the dependencies of the task that has the focus; keys go from bar to bar and into one', async () => {
    const { as } = await projects.begin(stage, RELEASE)
    const opened = await open(as, '/pipelines/release')
    const { page } = opened
    await bar(opened, 'Title of plan').focus()
    await page.keyboard.press('ArrowRight')
    await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('data-bar') === 'code'), 'the next bar')
    await page.getByText(/; needs Title of plan$/).waitFor()
    expect(await page.getByRole('group', { name: /^Time line of/ }).locator('svg path').count()).toBe(1)
    await page.keyboard.press('+')
    await page.getByRole('button', { name: 'Fit' }).click()
    await bar(opened, 'Title of code').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Title of code', level: 1 }).waitFor()
  })

  it('shows a try that was lost beside the one that followed', async () => {
    const { as, tell } = await projects.begin(stage, [started('retry', 'Retried')])
    await stage.ask('/api/v1/tasks', { as, json: { id: 'hard', type: 'code', title: 'Hard work', pipelineId: 'retry', stage: 1, agentId: 'ada' } })
    await tell([{ type: 'task.accepted', data: { taskId: 'hard' } }, { type: 'task.rejected', data: { taskId: 'hard', reason: 'no sandbox' } }], 'ada')
    const opened = await open(as, '/pipelines/retry')
    await opened.page.locator('[title="Try 1, ada: rejected: no sandbox"]').waitFor({ state: 'attached' })
    // Refused until it is offered again.
    await eventually(() => tell([{ type: 'task.accepted', data: { taskId: 'hard' } }, { type: 'task.progress', data: { taskId: 'hard', progress: 10 } }], 'ada').then(() => true), 'the second try')
    await opened.page.getByRole('group', { name: /^Time line of/ }).getByRole('link', { name: 'Hard work, in progress, 1 lost' }).waitFor()
  })

  it('stays one time line with 300 tasks: all of them drawn, one stop for Tab, no wider than the window', async () => {
    const tasks = Array.from({ length: 300 }, (_, n) => [created(`t-${n}`, { pipelineId: 'many', stage: n % 4 }), begun(`t-${n}`, `agent-${n % 20}`), ...(n % 3 ? [completed(`t-${n}`)] : [])]).flat()
    const { as } = await projects.begin(stage, [started('many', 'Three hundred'), ...tasks])
    const opened = await open(as, '/pipelines/many')
    const bars = opened.page.locator('[data-bar]')
    await eventually(async () => (await bars.count()) === 300, '300 bars')
    expect(await opened.page.locator('[data-bar][tabindex="0"]').count()).toBe(1)
    expect(await opened.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
  })

  it('is a list on a phone', async () => {
    const { as } = await projects.begin(stage, RELEASE)
    const opened = await open(as, '/pipelines/release', { viewport: PHONE })
    await row(opened, 'task:code').waitFor()
    expect(await opened.page.getByRole('group', { name: /^Time line of/ }).count()).toBe(0)
  })

  it('shows its result and artifacts, or why it failed', async () => {
    const { as } = await projects.begin(stage, [started('good', 'Good'), { type: 'pipeline.completed', data: { pipelineId: 'good', result: { url: 'https://site.example' }, artifacts: [{ name: 'site.tar.gz' }] } }, started('bad', 'Bad'), { type: 'pipeline.failed', data: { pipelineId: 'bad', error: 'two links lead nowhere' } }])
    const opened = await open(as, '/pipelines/good')
    await opened.shows(/https:\/\/site\.example/)
    await opened.shows(/site\.tar\.gz/)
    await opened.go('/pipelines/bad')
    await opened.page.getByRole('region', { name: 'How it stands' }).getByText('two links lead nowhere').waitFor()
  })

  it('that nobody knows, or can know, is told as such', async () => {
    const { as } = await projects.begin(stage, [])
    const opened = await open(as, '/pipelines/nobody')
    await opened.shows(/The hub knows no pipeline/)
    await opened.go('/pipelines/*')
    await opened.shows(/The hub knows no pipeline/)
    await opened.go('/pipelines/a%20b')
    await opened.page.getByRole('alert').filter({ hasText: 'INVALID_TOPIC' }).waitFor()
  })
})
