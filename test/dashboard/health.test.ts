/** Health: how the hub is, for those who run it; dead letters looked at, tried again and dropped; and what others are told. */
import type { Locator } from 'playwright-core'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened, Opening } from './opened.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(async () => {
  stage?.proxy.refuse(false)
  const complaints = await stage.closePages()
  for (const { partition, id } of await letters()) await stage.ask(`/api/v1/dead/${partition}/${id}`, { method: 'DELETE' })
  expect(complaints).toEqual([])
})
afterAll(() => stage?.close(), 60_000)

function open(opening: Opening = {}): Promise<Opened> {
  return stage.open('/health', opening)
}

const HOSTILE = '<img src=x onerror=alert(1)>'

interface LetterName {
  partition: number
  id: string
}

async function letters(): Promise<LetterName[]> {
  return (await stage.ask('/api/v1/dead')).body['letters'] as LetterName[]
}

/** Events that are taken in and refused by a rule afterwards: nobody waits for them. */
async function refuseLater(...ids: string[]): Promise<void> {
  const before = (await letters()).length
  for (const id of ids) await stage.ask('/api/v1/events', { json: { id, type: 'task.result', data: { taskId: `none-${id}`, result: 1, note: HOSTILE }, ack: 'accepted' } })
  await eventually(async () => (await letters()).length === before + ids.length, 'the dead letters')
}

const region = ({ page }: Opened, name: string): Locator => page.getByRole('region', { name, exact: true })
const letter = (opened: Opened, id: string): Locator => region(opened, 'Dead letters').getByRole('article').filter({ hasText: `task.result ${id}` })

describe('an operator', () => {
  it('sees processes, partitions, connections, rates, latencies and the store, each with its unit', async () => {
    await stage.publish([{ type: 'custom.hello', data: {} }])
    const opened = await open()
    const row = region(opened, 'Processes').locator('tbody tr')
    await row.getByText('up', { exact: true }).waitFor()
    expect(await row.count()).toBe(1)
    expect(await row.innerText()).toMatch(/all\s+up\s+[\d.]+\s+.*\d+ m?s\s+[\d.]+ %\s+[\d.,]+ MiB\s+[\d.]+ ms/)
    await eventually(async () => (await region(opened, 'Partitions').getByRole('list', { name: 'Lag by partition' }).getByRole('listitem').count()) === 4, 'four partitions')
    await region(opened, 'Partitions').getByText(/^Partition 0: 0 entries behind, 0 dead letters, owner /).waitFor()
    await eventually(async () => /websocket\s+1/.test(await region(opened, 'Connections').innerText()), 'this page\'s connection')
    await eventually(async () => /Source to journal\s+[\d.]+ ms/.test(await region(opened, 'Latency of the last minute').innerText()), 'latencies of commits')
    await region(opened, 'Events a second').getByRole('img', { name: /^accepted, taken in, of the last minutes; now [\d.]+ \/s$/ }).waitFor()
    await region(opened, 'Store and sinks').getByText('In memory: forgotten when the hub stops').waitFor()
    // A machine that is busy with other tests may be told of as such.
    await region(opened, 'Verdict').getByText(/All is well|busy/).first().waitFor()
  })

  it('sees what was refused, by its code', async () => {
    for (let time = 0; time < 3; time++) await stage.publish([{ type: 'task.progress', data: { taskId: 'T', progress: 900 } }], { strict: false })
    const opened = await open()
    await eventually(async () => /VALIDATION_ERROR\s+3/.test(await region(opened, 'Refusals of the last hour').innerText()), 'the refusals', 20_000)
  }, 40_000)

  it('keeps what it last heard when the hub is gone, and says that it is old', async () => {
    const opened = await open()
    await region(opened, 'Processes').locator('tbody tr').waitFor()
    stage.proxy.refuse(true)
    stage.proxy.cut('reset')
    await opened.connection('offline')
    await opened.page.getByRole('alert').getByText('UNAVAILABLE').waitFor()
    await opened.page.locator('main header').getByText('stale').waitFor()
    await region(opened, 'Verdict').getByText('When the hub last answered:').waitFor()
    expect(await region(opened, 'Processes').locator('tbody tr').count()).toBe(1)
    stage.proxy.refuse(false)
    await opened.connection('live')
    await opened.page.getByRole('button', { name: 'Ask now' }).click()
    await opened.page.locator('main header').getByText('stale').waitFor({ state: 'detached' })
    opened.complaints.splice(0)
  }, 40_000)
})

describe('dead letters', () => {
  it('are looked at with what came in, and hurt nobody', async () => {
    await refuseLater('late-1')
    const opened = await open()
    const late = letter(opened, 'late-1')
    await late.getByText('TASK_NOT_FOUND').first().waitFor()
    await region(opened, 'Verdict').getByText(/1 dead letter|1 entry/).waitFor({ timeout: 10_000 })
    await late.getByRole('button', { expanded: false }).first().press('Enter')
    await late.getByRole('region', { name: 'Field event' }).getByText(HOSTILE).waitFor()
    await late.getByText(/^Task not found/).waitFor()
    expect(await opened.axe()).toEqual([])
    await late.getByRole('button', { expanded: true }).first().press('Enter')
    await late.getByRole('region', { name: 'Field event' }).waitFor({ state: 'detached' })
  })

  it('are replayed: what was missing is there now, and the event stands in the journal', async () => {
    await refuseLater('late-2')
    await stage.publish([{ type: 'task.created', data: { taskId: 'none-late-2' } }])
    const opened = await open()
    await letter(opened, 'late-2').getByRole('button', { name: 'Replay task.result late-2' }).click()
    await opened.page.getByRole('status').getByText(/^task.result late-2 .* went back to its source stream/).waitFor()
    await letter(opened, 'late-2').waitFor({ state: 'detached' })
    await opened.shows('None: whatever was accepted stands in the journal.')
    await eventually(async () => JSON.stringify((await stage.ask('/api/v1/history?topics=task:none-late-2&since=all')).body).includes('late-2'), 'the event')
  })

  it('are dropped only after a yes: Escape keeps them, and the focus stays where it was', async () => {
    await refuseLater('late-3')
    const opened = await open()
    const drop = letter(opened, 'late-3').getByRole('button', { name: 'Drop task.result late-3' })
    await drop.press('Enter')
    const dialog = opened.page.getByRole('dialog', { name: 'Drop this dead letter?' })
    await dialog.getByText(/task\.result late-3 \(partition \d, letter .+\)/).waitFor()
    expect(await opened.page.evaluate(() => document.activeElement?.textContent)).toBe('Keep it')
    expect(await opened.axe()).toEqual([])
    await opened.page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(await drop.evaluate((button) => document.activeElement === button)).toBe(true)
    expect(await letters()).toHaveLength(1)
    await drop.press('Enter')
    await dialog.getByRole('button', { name: 'Drop it for good' }).click()
    await opened.page.getByRole('status').getByText(/late-3 .* was dropped for good\.$/).waitFor()
    await letter(opened, 'late-3').waitFor({ state: 'detached' })
    expect(await letters()).toEqual([])
  })

  it('that somebody else dropped before are told as gone, with the code', async () => {
    await refuseLater('late-4')
    const opened = await open()
    await letter(opened, 'late-4').waitFor()
    const [{ partition, id }] = (await letters()) as [LetterName]
    await stage.ask(`/api/v1/dead/${partition}/${id}`, { method: 'DELETE' })
    await letter(opened, 'late-4').getByRole('button', { name: 'Replay task.result late-4' }).click()
    await region(opened, 'Dead letters').getByRole('alert').getByText('NOT_FOUND').waitFor()
    await letter(opened, 'late-4').waitFor({ state: 'detached' })
    opened.complaints.splice(0)
  })

  it('are gone through by arrow keys', async () => {
    await refuseLater('late-5', 'late-6', 'late-7')
    const opened = await open()
    await letter(opened, 'late-7').getByRole('button').first().focus()
    const focused = (): Promise<string> => opened.page.evaluate(() => document.activeElement?.textContent ?? '')
    await opened.page.keyboard.press('ArrowDown')
    await eventually(async () => (await focused()).includes('late-6'), 'the focus on the next one')
    await opened.page.keyboard.press('End')
    await eventually(async () => (await focused()).includes('late-5'), 'the focus on the last one')
  })
})

describe('who may not see it', () => {
  it('is told what he would need, and how his page is connected', async () => {
    const opened = await open({ token: token({ sub: 'guest', role: 'viewer' }) })
    await region(opened, 'For operators').getByText('INSUFFICIENT_PERMISSIONS').waitFor()
    await region(opened, 'For operators').getByText(/role admin for every project/).waitFor()
    await region(opened, 'Dead letters').getByText(/for admins/).waitFor()
    await region(opened, 'This page').getByText('WebSocket').waitFor()
    expect(await region(opened, 'Verdict').count()).toBe(0)
    expect(await opened.axe()).toEqual([])
    // A browser tells its console of each refusal: once, for nobody asks again.
    expect(opened.complaints.splice(0).filter((complaint) => complaint.includes('/overview'))).toEqual([expect.stringContaining('403')])
  })

  it('an admin of one project sees its dead letters, and no other\'s', async () => {
    const as = token({ sub: 'lead', role: 'admin', project: 'elsewhere' })
    await refuseLater('late-8')
    await stage.ask('/api/v1/events', { as, json: { id: 'own-1', type: 'task.result', data: { taskId: 'none', result: 1 }, ack: 'accepted' } })
    const opened = await open({ token: as })
    await letter(opened, 'own-1').waitFor()
    expect(await letter(opened, 'late-8').count()).toBe(0)
    opened.complaints.splice(0)
  })
})

describe('a cluster', () => {
  let cluster: Stage

  beforeAll(async () => {
    cluster = await openStage({ workers: 2, env: { HUBBUB_WORKER_MS: '1500' } })
  }, 90_000)
  afterAll(() => cluster?.close(), 60_000)

  it('shows each process by its role, Redis, and a killed worker as silent: what it said last is not told as true', async () => {
    const opened = await cluster.open('/health')
    const rows = region(opened, 'Processes').locator('tbody tr')
    await eventually(async () => (await rows.count()) === 3, 'three processes', 20_000)
    await region(opened, 'Store and sinks').getByText(/^Redis \d/).waitFor()
    expect(await rows.filter({ hasText: 'processor' }).innerText()).toMatch(/0, 1, 2, 3/)
    await cluster.cluster!.workers[1]!.kill('SIGKILL')
    const silent = opened.page.locator('tr[data-status=silent]')
    await silent.getByText('silent').waitFor({ timeout: 20_000 })
    await eventually(async () => /—.*—.*—/s.test(await silent.innerText()), 'no figures of the silent one')
    await eventually(async () => /silent|said nothing/.test(await region(opened, 'Verdict').innerText()), 'a verdict', 20_000)
    expect(await rows.filter({ hasText: 'up' }).count()).toBe(2)
    await opened.close()
  }, 90_000)
})
