/** The events' view: the tail and its standing still, the filter, the inspector and its why. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { button, choicesOf, field, hello, hellos, inspector, list, mode, row, texts, withChoice } from './eventsPage.js'
import { overflows } from './layout.js'
import { PHONE, type Opened } from './opened.js'
import { openStage, operator, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

function open(opening: Parameters<Stage['open']>[1] = {}, on = stage): Promise<Opened> {
  return on.open('/events', { token: own(), ...opening })
}

/** Each test has a project of its own, and so a journal. */
let project = 0
beforeEach(() => project++)
const own = (claims: object = {}): string => token({ sub: 'operator', role: 'admin', project: `p${project}`, ...claims })

async function say(events: readonly EventInput[], on = stage): Promise<void> {
  await on.publish(events, { as: own() })
}

it('shows what was before and what comes, the newest last, and follows it', async () => {
  await say([...hellos(1, 3), { type: 'task.progress', data: { taskId: 'T-1', progress: 40, message: 'half way' } }])
  const opened = await open()
  await row(opened, 'half way').waitFor()
  expect((await texts(opened)).slice(0, 3)).toEqual(['hello 1', 'hello 2', 'hello 3'])
  expect(await row(opened, 'half way').textContent()).toMatch(/task\.progress.*task:T-1.*users\/operator.*40 % · half way/)
  await say(hellos(4, 300))
  await row(opened, 'hello 300').waitFor()
  await eventually(async () => (await list(opened).evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)) < 2, 'the end in sight')
  expect(opened.complaints).toEqual([])
})

it('paused, it stands still and counts; resumed, everything that came is there', async () => {
  await say(hellos(1, 2))
  const opened = await open()
  await row(opened, 'hello 2').waitFor()
  await button(opened, 'Pause').click()
  await mode(opened, 'held')
  await say(hellos(3, 12))
  await opened.shows('10 new')
  expect(await texts(opened)).toEqual(['hello 1', 'hello 2'])
  await button(opened, 'Resume').click()
  await row(opened, 'hello 12').waitFor()
  expect(await texts(opened)).toEqual(Array.from({ length: 12 }, (_, index) => `hello ${index + 1}`))
})

it('is held while somebody reads further up, says how much came, and goes on at a press', async () => {
  await say(hellos(1, 150))
  const opened = await open()
  await row(opened, 'hello 150').waitFor()
  await list(opened).hover()
  await opened.page.mouse.wheel(0, -900)
  await mode(opened, 'held')
  const before = await texts(opened)
  await say(hellos(151, 155))
  await button(opened, /^5 new events/).waitFor()
  expect(await texts(opened)).toEqual(before)
  await button(opened, /^5 new events/).click()
  await row(opened, 'hello 155').waitFor()
  await mode(opened, 'live')
})

it('keeps a bounded list, makes only the rows in sight, and says what it skipped while it stood still, which can be read again', async () => {
  await say(hellos(1, 1))
  const opened = await open()
  await row(opened, 'hello 1').waitFor()
  await button(opened, 'Pause').click()
  await say(hellos(2, 5601))
  await opened.shows('5,600 new')
  await button(opened, 'Resume').click()
  await row(opened, 'hello 5601').waitFor()
  await opened.shows('4,002 lines')
  expect(await list(opened).getByRole('option').count()).toBeLessThan(80)
  await list(opened).focus()
  await opened.page.keyboard.press('Home')
  await row(opened, /^1,600 events came while the list stood still/).click()
  await mode(opened, 'past')
  await row(opened, 'hello 2').waitFor()
  expect((await texts(opened))[0]).toBe('hello 2')
  await button(opened, 'To live').click()
  await say(hellos(5602, 11_000))
  await row(opened, 'hello 11000').waitFor()
  await opened.shows('5,000 lines')
  expect(opened.complaints).toEqual([])
}, 60_000)

it('asks for topics and types, keeps them in the address and after a reload, and shows the hub\'s refusal', async () => {
  await say([hello('hello 1'), ...['T-1', 'T-2'].map((taskId): EventInput => ({ type: 'task.progress', data: { taskId, progress: 10 } })), { type: 'agent.log', data: { agentId: 'a', level: 'info', message: 'of a task', taskId: 'T-1' } }])
  const opened = await open()
  await field(opened, 'Topics').fill('task:T-1')
  await field(opened, 'Topics').press('Enter')
  await row(opened, 'hello 1').waitFor({ state: 'detached' })
  await row(opened, 'of a task').waitFor()
  expect(await list(opened).getByRole('option').count()).toBe(2)
  await field(opened, 'Types').fill('agent.*')
  await field(opened, 'Types').press('Enter')
  await row(opened, /task.progress/).waitFor({ state: 'detached' })
  expect(decodeURIComponent(opened.page.url())).toContain('topic=task:T-1')
  await opened.page.reload()
  await row(opened, 'of a task').waitFor()
  expect(await list(opened).getByRole('option').count()).toBe(1)
  expect(await field(opened, 'Types').inputValue()).toBe('agent.*')
  await field(opened, 'Topics').fill('nonsense')
  await field(opened, 'Topics').press('Enter')
  await opened.page.getByRole('alert').getByText('INVALID_TOPIC').waitFor()
  await field(opened, 'Topics').fill('')
  await field(opened, 'Topics').press('Enter')
  await row(opened, 'of a task').waitFor()
  expect(await opened.page.getByRole('alert').count()).toBe(0)
})

it('says to whom it may not show events what they lack, and shows them what they may see', async () => {
  await say([{ type: 'task.progress', data: { taskId: 'T-1', progress: 10, message: 'for many eyes' } }])
  const opened = await open({ token: own({ sub: 'ann', role: 'viewer', permissions: ['subscribe:task:*'] }) })
  await opened.page.getByRole('alert').getByText('INSUFFICIENT_PERMISSIONS').waitFor()
  await field(opened, 'Topics').fill('task:*')
  await field(opened, 'Topics').press('Enter')
  await row(opened, 'for many eyes').waitFor()
})

it('searches what is shown, and says when nothing has the text', async () => {
  await say([...hellos(1, 40), hello('a needle', { data: { text: 'hay', deep: [{ er: 'NeedLE' }] } })])
  const opened = await open()
  await row(opened, 'hay').waitFor()
  const search = opened.page.getByRole('searchbox', { name: 'Search in what is shown' })
  await search.fill('needle')
  await opened.shows('1 line of 41')
  await say([hello('hello 41'), hello('needle, too')])
  await row(opened, 'needle, too').waitFor()
  expect(await list(opened).getByRole('option').count()).toBe(2)
  await search.fill('nowhere to be found')
  await opened.shows(/None of the 43 lines shown has this text/)
})

it('opens an event by keys alone, shows all of it, leads to what it is about, and closes again', async () => {
  await say([{ type: 'task.progress', data: { taskId: 'T-9', progress: 10, message: 'look at me' } }, ...hellos(1, 3)])
  const opened = await open()
  const { page } = opened
  await row(opened, 'hello 3').waitFor()
  await list(opened).focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await inspector(opened).getByRole('heading', { name: 'task.progress' }).waitFor()
  const tree = inspector(opened).getByRole('tree', { name: 'Data of the event' })
  await tree.getByRole('treeitem').filter({ hasText: 'message: "look at me"' }).waitFor()
  await tree.focus()
  await page.keyboard.press('ArrowLeft')
  expect(await tree.getByRole('treeitem').count()).toBe(1)
  expect(await inspector(opened).getByRole('link', { name: 'task:T-9', exact: true }).getAttribute('href')).toBe('#/tasks/T-9')
  const id = choicesOf(page.url()).get('event') ?? 'none'
  expect(await inspector(opened).textContent()).toContain(id)
  const search = page.getByRole('searchbox', { name: 'Search in what is shown' })
  await search.fill('look at me')
  await search.press('Escape')
  expect([await search.inputValue(), await inspector(opened).count()]).toEqual(['', 1])
  await page.keyboard.press('Escape')
  await inspector(opened).waitFor({ state: 'detached' })
  expect(page.url()).not.toContain('event=')
  expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('listbox')
})

it('explains an event: where it came in, its commit, what followed, who has it; and one subject\'s fate', async () => {
  const answer = await ask(`${stage.hub.url}/api/v1/tasks`, { as: own(), json: { id: 'T-why', type: 'code' } })
  expect(answer.body.ok).toBe(true)
  const opened = await open()
  await row(opened, /task.created/).first().click()
  const why = inspector(opened).getByRole('region', { name: 'Why it did or did not arrive' })
  await why.getByRole('button', { name: 'Explain' }).click()
  await why.getByText(/^Received/).first().waitFor()
  await why.getByText('Committed').waitFor()
  await why.getByRole('columnheader', { name: 'matched' }).waitFor()
  await why.getByRole('textbox', { name: 'Name of the subject' }).fill('operator')
  await why.getByRole('button', { name: 'Explain' }).click()
  await why.locator('[data-fate]').first().waitFor()
  expect(opened.complaints).toEqual([])
})

it('says of an event that nobody knows that it is unknown', async () => {
  await say(hellos(1, 1))
  const opened = await open()
  await row(opened, 'hello 1').click()
  await opened.page.goto(withChoice(opened.page.url(), 'event', 'never-was'))
  await opened.shows('It is neither in the list nor in the journal.')
  await button(opened, 'Explain').click()
  await opened.shows(/The hub does not know it/)
})

it('shows hostile text as text, in the list and in the inspector', async () => {
  const evil = '<img src=x onerror="window.tripped=1">\u001b[31m\u202egnp.exe\u0000{{7*7}}'
  await say([hello(evil, { data: { text: evil, long: 'x'.repeat(60_000), deep: nested(28) } })])
  const opened = await open()
  await row(opened, /img src=x/).click()
  await inspector(opened).getByRole('tree').getByText('\\x1b[31m\\x202egnp.exe\\x00{{7*7}}').waitFor()
  await inspector(opened).getByText('58,000 characters more').click()
  await inspector(opened).getByText('less', { exact: true }).waitFor()
  expect(await opened.page.evaluate(() => ('tripped' in window ? 'tripped' : 'safe'))).toBe('safe')
  expect(await overflows(opened.page)).toEqual([])
})

/** `[[[[…]]]]` */
function nested(depth: number): unknown {
  let value: unknown = 'bottom'
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

it.each(['light', 'dark'] as const)('fits a phone, has nothing that axe finds serious, and complains of nothing, %s', async (colourScheme) => {
  await say([...hellos(1, 60), { type: 'task.progress', data: { taskId: 'T-1', progress: 10, message: 'look at me' } }])
  const opened = await open({ viewport: PHONE, colourScheme })
  await row(opened, 'look at me').click()
  await inspector(opened).getByRole('button', { name: 'Explain' }).click()
  await inspector(opened).getByText('Committed').waitFor()
  expect({ overflows: await overflows(opened.page), axe: await opened.axe(), complaints: opened.complaints }).toEqual({ overflows: [], axe: [], complaints: [] })
})

it('an operator of every project sees the system\'s own events, too', async () => {
  const opened = await open({ token: operator() })
  await field(opened, 'Topics').fill('system')
  await field(opened, 'Topics').press('Enter')
  await stage.publish([{ type: 'system.notification', data: { level: 'info', title: 'Deployment', message: 'it is on staging' } }])
  await row(opened, 'it is on staging').waitFor()
})
