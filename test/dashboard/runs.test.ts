/** The runs' views: the list, and a run as a conversation: streaming, whole for whoever comes late, and honest about what is missing. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { overflows } from './layout.js'
import { PHONE, type Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

/** Each test has a project of its own. */
let project = 0
beforeEach(() => project++)
const own = (claims: object = {}): string => token({ sub: 'operator', role: 'admin', project: `p${project}`, ...claims })

function open(path: string, opening: Parameters<Stage['open']>[1] = {}, on = stage): Promise<Opened> {
  return on.open(path, { token: own(), ...opening })
}

/** AG-UI events of a run, as its agent would publish them. */
function of(runId: string, ...events: readonly ({ type: string } & Record<string, unknown>)[]): EventInput[] {
  return events.map((event) => ({ type: `agui.${event.type.toLowerCase()}`, topics: [`run:${runId}`], data: event }))
}

async function say(events: readonly EventInput[], on = stage): Promise<void> {
  await on.publish(events, { as: own() })
}

const begun = (runId: string, more: object = {}) => ({ type: 'RUN_STARTED', threadId: 'th', runId, ...more })
const ended = (runId: string, more: object = {}) => ({ type: 'RUN_FINISHED', threadId: 'th', runId, ...more })
const start = (messageId: string, role = 'assistant') => ({ type: 'TEXT_MESSAGE_START', messageId, role })
const more = (messageId: string, delta: string) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId, delta })
const end = (messageId: string) => ({ type: 'TEXT_MESSAGE_END', messageId })
const message = (messageId: string, text: string, role = 'assistant') => [start(messageId, role), more(messageId, text), end(messageId)]

const talk = ({ page }: Opened) => page.getByRole('region', { name: 'Conversation' })
const entry = (opened: Opened, name: string | RegExp) => talk(opened).getByRole('article', { name })
const state = ({ page }: Opened) => page.getByRole('region', { name: 'State', exact: true })
const tree = (opened: Opened) => state(opened).getByRole('tree')
const status = (opened: Opened, is: string) => opened.page.locator(`h1 ~ * [data-status="${is}"]`).waitFor()

it('lists the runs, by status and by words, and leads to each, its agent and its task', async () => {
  await say([
    ...of('R-1', begun('R-1'), ...message('m1', 'hello'), ended('R-1')).map((event) => ({ ...event, topics: [...event.topics!, 'agent:coder-1', 'task:T-1'] })),
    ...of('R-2', begun('R-2'), { type: 'STEP_STARTED', stepName: 'read the code' }),
    ...of('R-3', begun('R-3'), { type: 'RUN_ERROR', message: 'the model went away' }),
  ])
  const opened = await open('/runs')
  const { page } = opened
  const row = (id: string) => page.locator(`[data-row="run:${id}"]`)
  await row('R-3').waitFor()
  expect(await row('R-1').getAttribute('data-status')).toBe('finished')
  expect(await row('R-2').textContent()).toContain('read the code')
  expect(await row('R-3').getAttribute('data-status')).toBe('failed')
  expect(await row('R-1').getByRole('link', { name: 'T-1' }).getAttribute('href')).toBe('#/tasks/T-1')
  await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^running/ }).click()
  await row('R-1').waitFor({ state: 'detached' })
  await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^All/ }).click()
  await page.getByRole('searchbox', { name: 'Search runs' }).fill('coder-1')
  await row('R-2').waitFor({ state: 'detached' })
  await row('R-1').getByRole('link', { name: 'R-1', exact: true }).click()
  await entry(opened, 'Message of assistant').getByText('hello').waitFor()
  expect(opened.complaints).toEqual([])
})

it('says that there is no run yet, that one is unknown, and what a visitor lacks', async () => {
  const opened = await open('/runs')
  await opened.shows(/No run yet/)
  await opened.go('/runs/never-was')
  await opened.shows(/There is no run of this name/)
  const other = await open('/runs/R-1', { token: own({ sub: 'ann', role: 'viewer', permissions: ['subscribe:task:*'] }) })
  await other.page.getByRole('alert').getByText('INSUFFICIENT_PERMISSIONS').waitFor()
})

it('shows a message grow word by word, and a tool call from its first argument to its result', async () => {
  await say(of('R', begun('R'), ...message('m1', 'What happens when a card is declined?', 'user'), start('m2')))
  const opened = await open('/runs/R')
  await status(opened, 'running')
  const answer = entry(opened, 'Message of assistant')
  await answer.getByText('streaming').waitFor()
  for (const word of ['It is ', 'tried ', 'again.']) await say(of('R', more('m2', word)))
  await answer.getByText('It is tried again.').waitFor()
  await say(of('R', end('m2')))
  await answer.getByText('streaming').waitFor({ state: 'detached' })

  const call = entry(opened, 'Tool call read_file')
  await say(of('R', { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'read_file' }, { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"path":"src/' }))
  await call.getByText('{"path":"src/', { exact: true }).last().waitFor()
  await say(of('R', { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: 'retry.ts"}' }, { type: 'TOOL_CALL_END', toolCallId: 'c1' }))
  await call.getByText('no result yet').click()
  await call.getByRole('tree', { name: 'Arguments of read_file' }).getByText('path: "src/retry.ts"').waitFor()
  await say(of('R', { type: 'TOOL_CALL_RESULT', messageId: 'm3', toolCallId: 'c1', content: 'export const RETRIES = 1' }))
  await call.getByText('export const RETRIES = 1').waitFor()
  await say(of('R', ended('R', { result: { fixed: true } })))
  await status(opened, 'finished')
  await opened.page.getByRole('region', { name: 'Result' }).getByText('fixed: true').waitFor()
  expect(opened.complaints).toEqual([])
})

it('whoever comes late sees what those see who were there: chunks, reasoning, subagents, activities, steps, notes, code', async () => {
  const opened = await open('/runs/R')
  await opened.shows(/There is no run of this name/)
  await say(of(
    'R', begun('R', { parentRunId: 'R-0' }),
    { type: 'STEP_STARTED', stepName: 'read' },
    { type: 'REASONING_START', messageId: 'r' }, { type: 'REASONING_MESSAGE_START', messageId: 'r1', role: 'reasoning' }, { type: 'REASONING_MESSAGE_CONTENT', messageId: 'r1', delta: 'where is it?' }, { type: 'REASONING_MESSAGE_END', messageId: 'r1' }, { type: 'REASONING_END', messageId: 'r' },
    { type: 'SUBAGENT_STARTED', subagentRunId: 's1', name: 'tester' },
    { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm1', role: 'assistant', delta: '12 passed', subagentRunId: 's1' }, { type: 'TEXT_MESSAGE_CHUNK', delta: ', 1 failed', subagentRunId: 's1' },
    { type: 'SUBAGENT_FINISHED', subagentRunId: 's1' },
    { type: 'ACTIVITY_SNAPSHOT', messageId: 'a1', activityType: 'PLAN', content: { done: 1 } }, { type: 'ACTIVITY_DELTA', messageId: 'a1', activityType: 'PLAN', patch: [{ op: 'replace', path: '/done', value: 2 }] },
    { type: 'CUSTOM', name: 'cost', value: { usd: 2 } },
    { type: 'STEP_FINISHED', stepName: 'read' },
    ...message('m2', 'Look:\n```ts\nconst a = "<b>"\n```\nthat is **all**'),
  ))
  const late = await open('/runs/R')
  const told = async (page: Opened): Promise<string[]> => {
    await entry(page, 'Message of assistant').getByText('that is **all**').waitFor()
    return await talk(page).getByRole('article').allInnerTexts()
  }
  expect(await told(late)).toEqual(await told(opened))
  await entry(late, 'Message of assistant').filter({ hasText: 'by tester' }).getByText('12 passed, 1 failed').waitFor()
  await entry(late, 'activity').getByText('done: 2').waitFor()
  await entry(late, 'Step read').getByText(/^took/).waitFor()
  expect(await entry(late, 'Message of assistant').locator('pre').textContent()).toBe('const a = "<b>"')
  expect(await late.page.getByRole('link', { name: 'R-0' }).getAttribute('href')).toBe('#/runs/R-0')
  expect(late.complaints).toEqual([])
})

it('applies changes to the state, and marks one that cannot be applied instead of guessing', async () => {
  await say(of('R', begun('R'), { type: 'STATE_SNAPSHOT', snapshot: { findings: [], file: 'a.ts' } }, { type: 'STATE_DELTA', delta: [{ op: 'add', path: '/findings/-', value: 'first' }, { op: 'replace', path: '/file', value: 'b.ts' }] }))
  const opened = await open('/runs/R')
  await tree(opened).getByText('0: "first"').waitFor()
  await tree(opened).getByText('file: "b.ts"').waitFor()
  await say(of('R', { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/file', value: 'c.ts' }, { op: 'remove', path: '/nowhere' }] }))
  await state(opened).getByText('may be wrong').waitFor()
  await state(opened).getByText('there is no /nowhere').waitFor()
  // All or nothing.
  expect(await tree(opened).getByText('file: "b.ts"').count()).toBe(1)
  await say(of('R', { type: 'STATE_SNAPSHOT', snapshot: { file: 'd.ts' } }))
  await tree(opened).getByText('file: "d.ts"').waitFor()
  await state(opened).getByText('may be wrong').waitFor({ state: 'detached' })
})

it('tells how a run ended: interrupted, with what it waits for; failed, with the text that was cut off', async () => {
  await say([
    ...of('R-1', begun('R-1'), ...message('m1', 'May I?'), ended('R-1', { outcome: { type: 'interrupt', interrupts: [{ id: 'i1', reason: 'approval', message: 'Push to main?' }] } })),
    ...of('R-2', begun('R-2'), start('m1'), more('m1', 'I was about to'), { type: 'RUN_ERROR', message: 'the model went away', code: 'MODEL_GONE' }),
  ])
  const opened = await open('/runs/R-1')
  await status(opened, 'interrupted')
  await opened.page.getByRole('region', { name: 'Interrupted' }).getByText('Push to main?').waitFor()
  await opened.go('/runs/R-2')
  await status(opened, 'failed')
  await talk(opened).getByText('MODEL_GONE').waitFor()
  await entry(opened, 'Message of assistant').getByText('incomplete').waitFor()
})

it('a snapshot of the messages is the truth: what it leaves out is gone, what it tells is whole', async () => {
  await say(of('R', begun('R'), ...message('m1', 'one'), ...message('m2', 'two'), { type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'm2', role: 'assistant', content: 'two, corrected', toolCalls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }] }, { id: 'm3', role: 'tool', toolCallId: 'c1', content: 'seen' }] }))
  const opened = await open('/runs/R')
  await entry(opened, 'Message of assistant').getByText('two, corrected').waitFor()
  expect(await talk(opened).getByText('one', { exact: true }).count()).toBe(0)
  await entry(opened, 'Tool call look').getByText('done').waitFor()
})

/** A journal that forgets at once, but for the last ten events. */
const FORGETFUL = { HUBBUB_RETENTION_MS: '100', HUBBUB_RETENTION_COUNT: '10' }

async function forget(on: Stage, runId: string): Promise<void> {
  await eventually(async () => {
    await say(Array.from({ length: 20 }, (): EventInput => ({ type: 'custom.hello', topics: ['project'], data: {} })), on)
    const { body } = await ask(`${on.hub.url}/api/v1/history?topics=run:${runId}&since=all`, { as: own() })
    return (body['events'] as unknown[]).length === 0
  }, 'a journal that forgot the run')
}

it('marks what is missing behind a gap, and heals when it is told whole again', async () => {
  const short = await openStage({ env: FORGETFUL })
  try {
    await say(of('R', begun('R'), { type: 'STATE_SNAPSHOT', snapshot: { n: 1 } }, start('m1'), more('m1', 'before the gap, ')), short)
    const opened = await open('/runs/R', {}, short)
    const answer = entry(opened, 'Message of assistant')
    await answer.getByText('before the gap,').waitFor()
    short.proxy.refuse(true)
    short.proxy.cut('reset')
    await opened.connection('offline')
    await say(of('R', more('m1', 'in the gap, ')), short)
    await forget(short, 'R')
    short.proxy.refuse(false)
    await opened.connection('live')
    await talk(opened).locator('[data-gap]').waitFor()
    await say(of('R', more('m1', 'behind it'), { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/n', value: 2 }] }), short)
    await answer.getByText('before the gap, behind it').waitFor()
    await answer.getByText('incomplete').waitFor()
    await state(opened).getByText(/1 changes? lies? on what is not known/).waitFor()
    await tree(opened).getByText('n: 1').waitFor()
    await say(of('R', { type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'm1', role: 'assistant', content: 'before, in, behind' }] }, { type: 'STATE_SNAPSHOT', snapshot: { n: 3 } }), short)
    await answer.getByText('before, in, behind').waitFor()
    await answer.getByText('incomplete').waitFor({ state: 'detached' })
    await tree(opened).getByText('n: 3').waitFor()
    await opened.page.close()
  } finally {
    await short.close()
  }
}, 60_000)

it('says that the beginning is missing, and shows what is known when nothing is left of what was said', async () => {
  const short = await openStage({ env: FORGETFUL })
  try {
    await say(of('R', begun('R'), start('m1'), more('m1', 'the beginning, ')), short)
    await forget(short, 'R')
    const opened = await open('/runs/R', {}, short)
    await opened.shows(/The journal no longer holds what was said in this run/)
    await say(of('R', more('m1', 'and the end'), end('m1')), short)
    await opened.shows(/no longer holds the beginning of this run/)
    await entry(opened, 'Message of somebody').getByText('incomplete').waitFor()
    await opened.page.close()
  } finally {
    await short.close()
  }
}, 60_000)

it('follows what is said until the reader looks further up, and again at a press', async () => {
  await say(of('R', begun('R'), ...Array.from({ length: 60 }, (_, index) => message(`m${index}`, `line ${index}`)).flat(), start('last')))
  const opened = await open('/runs/R')
  await entry(opened, 'Message of assistant').getByText('line 59').waitFor()
  const left = () => talk(opened).evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
  await eventually(async () => (await left()) < 50, 'the end in sight')
  await talk(opened).hover()
  await opened.page.mouse.wheel(0, -1500)
  const further = opened.page.getByRole('button', { name: 'To the end' })
  await further.waitFor()
  const before = await talk(opened).evaluate((box) => box.scrollTop)
  await say(of('R', more('last', 'word\n'.repeat(40))))
  await talk(opened).getByText('word').first().waitFor({ state: 'attached' })
  expect(await talk(opened).evaluate((box) => box.scrollTop)).toBeCloseTo(before, -2)
  await further.click()
  await eventually(async () => (await left()) < 50, 'the end in sight again')
})

it('shows hostile text as text', async () => {
  const evil = '<img src=x onerror="window.tripped=1">\u001b]8;;http://evil\u0007\u202egnp.exe'
  await say(of(
    'R', begun('R'), ...message('m1', evil), { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: evil }, { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: evil },
    { type: 'STEP_STARTED', stepName: evil }, { type: 'CUSTOM', name: evil, value: evil }, { type: 'STATE_DELTA', delta: [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }] }, { type: 'RUN_ERROR', message: evil, code: evil },
  ))
  const opened = await open('/runs/R', { viewport: PHONE })
  await entry(opened, 'Message of assistant').getByText('\\x1b]8;;http://evil\\x07\\x202egnp.exe').waitFor()
  expect(await opened.page.evaluate(() => ('tripped' in window ? 'tripped' : 'polluted' in {} ? 'polluted' : 'safe'))).toBe('safe')
  expect(await overflows(opened.page)).toEqual([])
})

it.each(['light', 'dark'] as const)('has nothing that axe finds serious, on a desk and on a phone, %s', async (colourScheme) => {
  await say(of('R', begun('R'), ...message('m1', 'What is it?', 'user'), { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'look' }, { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"a":' }, { type: 'STATE_SNAPSHOT', snapshot: { a: [1, { b: 2 }] } }, { type: 'CUSTOM', name: 'cost', value: { usd: 2 } }, start('m2'), more('m2', 'It is `that`:\n```\ncode\n```\n')))
  const found: string[] = []
  for (const viewport of [{ width: 1280, height: 800 }, PHONE]) {
    const opened = await open('/runs/R', { viewport, colourScheme })
    await entry(opened, 'Message of assistant').getByText('It is `that`:').waitFor()
    found.push(...(await opened.axe()), ...(await overflows(opened.page)), ...opened.complaints)
  }
  expect(found).toEqual([])
})
