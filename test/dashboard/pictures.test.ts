/** The pictures that the documents show. With HUBBUB_SCREENSHOTS=1 they are taken anew, of the demo about half way through its hour (two minutes). */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { connect, type Client, type EntityView } from '@hubbub/client'
import { startChromium } from '../browser/chromium.js'
import { eventually } from '../harness/eventually.js'
import { ended, leash } from '../harness/leash.js'
import { DESKTOP, openPage, PHONE, type Opening } from './opened.js'

const FOLDER = resolve('docs/images')
const MOST_BYTES = 200_000
const VIEWS = ['fleet', 'agent', 'pipelines', 'pipeline', 'tasks', 'task', 'runs', 'run', 'events', 'health'] as const
/** Besides light on a desk. */
const OTHERS: Readonly<Record<string, Opening>> = { 'fleet-dark': { colourScheme: 'dark' }, 'fleet-phone': { viewport: PHONE }, 'pipeline-dark': { colourScheme: 'dark' }, 'task-phone': { viewport: PHONE } }
const PICTURES = [...VIEWS, ...Object.keys(OTHERS)]
/** What a view has so many of when it has read what it shows. */
const READY: Readonly<Record<(typeof VIEWS)[number], readonly [selector: string, least: number]>> = {
  fleet: ['[data-row^="agent:"] svg path[d*="L"]', 6], agent: ['svg', 1], pipelines: ['[data-row^="pipeline:"]', 3], pipeline: ['[data-row^="task:"]', 5], tasks: ['[data-row^="task:"]', 8],
  task: ['svg', 2], runs: ['a[href*="/runs/"]', 5], run: ['article, [role=listitem], li', 5], events: ['[role=option]', 20], health: ['table, [role=table]', 2],
}
const SPEED = '15'
/** Of the demo's tasks, when the pictures are taken. */
const COMPLETED = 11
const DEADLINE_MS = 240_000

if (process.env['HUBBUB_SCREENSHOTS'] === '1') beforeAll(takeAll, DEADLINE_MS + 120_000)

it(`show every view, in files of at most ${MOST_BYTES} bytes`, () => {
  const faults = PICTURES.map((name) => [name, resolve(FOLDER, `${name}.png`)] as const).filter(([, path]) => !existsSync(path) || statSync(path).size > MOST_BYTES).map(([name]) => name)
  expect(faults).toEqual([])
})

async function takeAll(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  const demo = spawn(process.execPath, ['examples/demo/main.mjs', '--port', '0', '--speed', SPEED, '--seed', '42'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } })
  leash(demo)
  let said = ''
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const chromium = await startChromium()
  try {
    const found = await eventually(() => /(http\S+)\/#token=(\S+)/.exec(said), 'the demo\'s address', 60_000)
    const [url, token] = [found[1]!, found[2]!]
    const client = connect(url, { token })
    await eventually(async () => (await all(client, 'task')).filter(({ status }) => status === 'completed').length >= COMPLETED, 'the middle of the hour', DEADLINE_MS, 1000)
    const paths = await pathsOf(client)
    client.close()
    for (const name of PICTURES) {
      const view = name.split('-')[0] as (typeof VIEWS)[number]
      const opened = await openPage(chromium.browser, url, paths[view], { token, viewport: DESKTOP, ...OTHERS[name] })
      const [selector, least] = READY[view]
      await eventually(async () => (await opened.page.locator(`main ${selector}`).count()) >= least, `the content of ${view}`, 60_000)
      // It catches up with what it asked for of the past.
      await opened.connection('live')
      await opened.page.getByText(/^Reading .*…$/).first().waitFor({ state: 'detached' })
      await opened.page.screenshot({ path: resolve(FOLDER, `${name}.png`), animations: 'disabled', caret: 'hide' })
      await opened.close()
    }
  } finally {
    await chromium.close()
    demo.kill('SIGTERM')
    await ended(demo)
  }
}

async function all<K extends 'agent' | 'task' | 'pipeline' | 'run'>(client: Client, kind: K): Promise<EntityView<K>[]> {
  const { entities } = await client.snapshot(`${kind}:*`)
  return entities.filter((entity): entity is EntityView<K> & EntityView => entity.kind === kind)
}

/** Of each view one with much to see. */
async function pathsOf(client: Client): Promise<Record<(typeof VIEWS)[number], string>> {
  const task = (await all(client, 'task')).find(({ id }) => id.startsWith('cart-totals'))!
  const pipeline = (await all(client, 'pipeline')).find(({ id }) => id === task.pipelineId)!
  const agent = (await all(client, 'agent')).find(({ currentTasks, status }) => status === 'busy' && currentTasks.length > 0)!
  const run = (await all(client, 'run')).toSorted((a, b) => b.messages + b.toolCalls - a.messages - a.toolCalls)[0]!
  const to = (view: string, { id }: { id: string }) => `/${view}/${encodeURIComponent(id)}`
  return {
    fleet: '/', pipelines: '/pipelines', tasks: '/tasks', runs: '/runs', events: '/events', health: '/health',
    agent: to('agents', agent), pipeline: to('pipelines', pipeline), task: to('tasks', task), run: to('runs', run),
  }
}
