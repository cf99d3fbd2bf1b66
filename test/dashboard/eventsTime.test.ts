/** The way back in time: from any place that the journal holds, at the speed of choice, and to live again. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { button, hello, hellos, list, mode, row, slider, texts, withChoice } from './eventsPage.js'
import type { Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

function open(on = stage): Promise<Opened> {
  return on.open('/events', { token: own() })
}

/** Each test has a project of its own, and so a journal. */
let project = 0
beforeEach(() => project++)
const own = (): string => token({ sub: 'operator', role: 'admin', project: `p${project}` })

async function say(events: readonly EventInput[], on = stage): Promise<void> {
  await on.publish(events, { as: own() })
}

it('goes back to the journal\'s beginning by key, plays from there at the speed of choice, and comes to live by itself', async () => {
  await say(hellos(1, 3))
  const opened = await open()
  await row(opened, 'hello 3').waitFor()
  await slider(opened).focus()
  await opened.page.keyboard.press('Home')
  await mode(opened, 'past')
  await row(opened, 'hello 1').waitFor()
  expect(await texts(opened)).toEqual(['hello 1', 'hello 2', 'hello 3'])
  expect(opened.page.url()).toContain('at=')
  await say(hellos(4, 5))
  expect(await texts(opened)).toEqual(['hello 1', 'hello 2', 'hello 3'])
  await button(opened, '60×').click()
  await mode(opened, 'live')
  await row(opened, 'hello 5').waitFor()
  expect(await texts(opened)).toEqual(['hello 1', 'hello 2', 'hello 3', 'hello 4', 'hello 5'])
  await eventually(() => !opened.page.url().includes('at='), 'an address of now')
  await say(hellos(6, 6))
  await row(opened, 'hello 6').waitFor()
})

it('shows only what came after the chosen time, portion by portion, and goes back to live at a press', async () => {
  await say(hellos(1, 20))
  const opened = await open()
  await row(opened, 'hello 20').waitFor()
  // A time that lies between the two.
  await eventually(async () => Date.now() - (await lastAt(opened)) > 2500, 'some time')
  await say(hellos(21, 450))
  await row(opened, 'hello 450').waitFor()
  const at = (await recordedAt('hello 21')) - 500
  await slider(opened).focus()
  await opened.page.keyboard.press('Home')
  await mode(opened, 'past')
  await opened.page.goto(withChoice(opened.page.url(), 'at', String(at)))
  await opened.page.reload()
  await row(opened, 'hello 21').waitFor()
  await opened.shows('200 lines')
  expect((await texts(opened))[0]).toBe('hello 21')
  await button(opened, 'Show what follows').click()
  await opened.shows('400 lines')
  await button(opened, 'To live').click()
  await row(opened, 'hello 450').waitFor()
  await mode(opened, 'live')
})

/** When the hub recorded the newest event, ms since the epoch. */
async function lastAt(opened: Opened): Promise<number> {
  return Date.parse((await list(opened).locator('time').last().getAttribute('datetime')) ?? '')
}

async function recordedAt(text: string): Promise<number> {
  const { body } = await ask(`${stage.hub.url}/api/v1/history?topics=project&since=all&limit=1000`, { as: own() })
  const events = body['events'] as { event: { data: { text: string }; metadata: { recordedAt: number } } }[]
  return events.find(({ event }) => event.data.text === text)!.event.metadata.recordedAt
}

it('tells what the journal no longer holds as a gap', async () => {
  const short = await openStage({ env: { HUBBUB_RETENTION_MS: '500', HUBBUB_RETENTION_COUNT: '10' } })
  try {
    await say(hellos(1, 40), short)
    await eventually(async () => {
      await say([hello('again')], short)
      const { body } = await ask(`${short.hub.url}/api/v1/history?topics=project&since=all`, { as: own() })
      return (body['events'] as unknown[]).length < 30
    }, 'a journal that was cut')
    const opened = await open(short)
    await row(opened, 'again').first().waitFor()
    await opened.page.goto(`${short.url}/#/events?at=${Date.now() - 60_000}`)
    await opened.page.reload()
    await list(opened).locator('[data-gap="trimmed"]').waitFor()
    await opened.page.close()
  } finally {
    await short.close()
  }
}, 60_000)
