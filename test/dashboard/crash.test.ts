/** The worker under open pages is killed: they say so, come back on another one, and show neither a wrong row nor one too few (I2, I8). */
import { eventually } from '../harness/eventually.js'
import { perform } from './cast.js'
import type { Opened } from './opened.js'
import { expectedRows, rowsOf, type Rows } from './rows.js'
import { openStage, type Stage } from './stage.js'

/** Of each view the rows that it has one for each entity of. */
const VIEWS = [
  { path: '/', kinds: ['agent'] },
  { path: '/pipelines', kinds: ['pipeline', 'stream'] },
  { path: '/tasks', kinds: ['task'] },
] as const

let stage: Stage
const pages: Opened[] = []

beforeAll(async () => {
  stage = await openStage({ workers: 2, env: { HUBBUB_WORKER_MS: '1500', HUBBUB_GRACE_MS: '500' } })
  await perform(stage)
  for (const { path } of VIEWS) pages.push(await stage.open(path))
}, 120_000)
afterAll(async () => {
  for (const page of pages) await page.close()
  await stage?.close()
}, 60_000)

/** What happens while nobody's page hears it: new ones of each kind, changes, ends. */
async function goOn(round: string): Promise<void> {
  await stage.publish(
    Array.from({ length: 40 }, (_, n) => [
      { type: 'agent.registered', data: { agentId: `${round}-${n}`, agentType: 'coder', capabilities: [round] } },
      { type: 'agent.status_changed', data: { agentId: `coder-${1 + (n % 3)}`, status: n % 2 ? 'busy' : 'error' } },
      { type: 'task.created', data: { taskId: `T-${round}-${n}`, taskTitle: `${round} ${n}`, pipelineId: `P-${round}-${n % 4}`, stage: 1 + (n % 3), streamId: `S-${round}` } },
      { type: 'task.progress', data: { taskId: `T-${round}-${n}`, progress: n * 2, pipelineId: `P-${round}-${n % 4}` } },
      ...(n % 5 === 0 ? [{ type: 'task.completed', data: { taskId: `T-${round}-${n}` } }] : []),
      { type: 'task.progress', data: { taskId: 'T-107', progress: 50 + n } },
    ]).flat(),
  )
}

async function expectAllRows(): Promise<void> {
  for (const [index, { kinds }] of VIEWS.entries()) {
    const page = pages[index]!
    let wrong: string[] = ['nothing was read']
    const agrees = async (): Promise<boolean> => {
      const entities = (await Promise.all(kinds.map((kind) => stage.entities(['*'], kind)))).flat()
      const rows = await rowsOf(page)
      const shown: Rows = Object.fromEntries(Object.entries(rows).filter(([key]) => kinds.some((kind) => key.startsWith(`${kind}:`))))
      wrong = differences(shown, expectedRows(entities))
      return entities.length > 0 && wrong.length === 0
    }
    await eventually(agrees, `the rows of ${VIEWS[index]!.path}`, 20_000).catch(() => undefined)
    expect([VIEWS[index]!.path, wrong]).toEqual([VIEWS[index]!.path, []])
  }
}

/** A row need not show a bar. */
function differences(shown: Rows, expected: Rows): string[] {
  const fits = (told: string, wanted: string): boolean => told === wanted || told === wanted.replace(/ \S+$/, ' -')
  return [
    ...Object.entries(expected).filter(([key, wanted]) => !fits(shown[key] ?? '', wanted)).map(([key, wanted]) => `${key} is ${wanted}; shown: ${shown[key] ?? 'nothing'}`),
    ...Object.keys(shown).filter((key) => !(key in expected)).map((key) => `${key} is shown and is not there`),
  ].slice(0, 20)
}

it('before it, every row is as a client of our own has it', async () => {
  await expectAllRows()
}, 90_000)

it('a killed worker is told as offline, and the pages come back on the other one with every row right', async () => {
  const [killed, other] = stage.cluster!.workers
  for (const { page } of pages) await page.evaluate(() => void (window.document.title = 'not loaded again'))
  stage.proxy.refuse(true)
  stage.proxy.retarget(other!.port)
  await killed!.kill('SIGKILL')
  stage.hub = other!
  for (const page of pages) await page.connection('offline')
  await goOn('away')
  stage.proxy.refuse(false)
  for (const page of pages) await page.connection('live')
  await expectAllRows()
  await goOn('back')
  await expectAllRows()
  for (const { page } of pages) {
    expect(await page.title()).toBe('not loaded again')
    expect(await page.locator('[data-gap]').count()).toBe(0)
  }
}, 180_000)
