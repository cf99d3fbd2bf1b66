/** Whose page it is: nothing that one visitor, or one project, saw stays for the next. */
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage
const visitor = (claims: object = {}): string => token({ sub: 'first', role: 'admin', projects: ['alpha', 'beta'], project: 'alpha', ...claims })

beforeAll(async () => {
  stage = await openStage()
  await stage.publish([
    { type: 'task.created', data: { taskId: 'T-1', taskTitle: 'A matter of alpha alone' } },
    { type: 'agent.registered', data: { agentId: 'agent-of-alpha' } },
  ], { as: visitor() })
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

function open(path: string): Promise<Opened> {
  return stage.open(path, { token: visitor() })
}

const projects = ({ page }: Opened) => page.getByRole('combobox', { name: 'Project' })
const text = ({ page }: Opened): Promise<string> => page.evaluate(() => document.body.textContent ?? '')

it('a printed address that is given to an open tab signs its visitor in, and its token leaves the address bar', async () => {
  const opened = await open('/tasks')
  const next = visitor({ sub: 'second' })
  await opened.page.evaluate((secret) => void (window.location.href = `/#token=${secret}&project=beta`), next)
  await opened.page.getByTitle('Signed in as').getByText('second').waitFor()
  await opened.connection('live')
  expect(opened.page.url()).toMatch(/\/#\/$/)
  expect(await projects(opened).inputValue()).toBe('beta')
  await opened.page.goBack()
  expect(opened.page.url()).not.toContain(next)
})

it('another project\'s page shows nothing of the one before, and the choice keeps the focus', async () => {
  const opened = await open('/tasks/T-1')
  await opened.shows('A matter of alpha alone')
  await projects(opened).focus()
  await projects(opened).selectOption('beta')
  await opened.shows('The hub knows no task T-1')
  expect(await text(opened)).not.toContain('A matter of alpha alone')
  expect(await projects(opened).evaluate((element) => element === document.activeElement)).toBe(true)
  await projects(opened).selectOption('alpha')
  await opened.shows('A matter of alpha alone')
})

it('whoever signs out leaves nothing on the page', async () => {
  const opened = await open('/tasks/T-1')
  await opened.shows('A matter of alpha alone')
  await opened.page.getByRole('button', { name: 'Sign out' }).click()
  await opened.page.getByRole('textbox', { name: 'Token' }).waitFor()
  expect(await text(opened)).not.toContain('A matter of alpha alone')
  expect(await opened.page.getByRole('navigation').count()).toBe(0)
})

it('a renewed token goes on where the visitor was, with the focus where it was', async () => {
  const opened = await stage.open('/tasks', { token: visitor({ exp: Math.floor(Date.now() / 1000) + 4 }) })
  const search = opened.page.getByRole('searchbox', { name: 'Search tasks' })
  await search.fill('alpha')
  const field = opened.page.getByRole('textbox', { name: 'Token' })
  await field.fill(visitor())
  await opened.page.getByRole('button', { name: 'Sign in' }).click()
  await eventually(() => search.evaluate((element) => element === document.activeElement), 'the search has the focus again')
  expect(await search.inputValue()).toBe('alpha')
})
