/// <reference lib="dom" />
/**
 * What the dashboard costs whoever looks at it while a fleet works: `npm run bench:dashboard -- [--seconds 300] [--events 1000] [--agents 300] [--path /]`.
 * A hub in memory, a load of a known end, one Chromium page. Prints frame times (between two animation frames), the heap after a collection each
 * half minute, and whether what stands there at the end is the state that the hub has. Exit code 1 when a limit is passed or a row is wrong.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connect, type EntityView } from '@hubbub/client'
import { chromium, type CDPSession, type Page } from 'playwright-core'
import { signToken } from '../../server/dist/access/tokens.js'
import { loadFleet, type LoadResult } from './dashboard/load.js'
import { framesSoFar, keepFrames, percentile, type Frames } from './dashboard/frames.js'
import { startChild } from './ground/processes.js'
import { SECRET } from './ground/token.js'

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** ms, of the 95th percentile; share, over the heap at the end of the first minute. */
const MOST = { frameMs: 33, growth: 0.1 }
const LOOK_S = 30
const SETTLE_MS = 15_000
/** Where rows of a kind stand, one for each entity. */
const VIEWS = { agent: '/', task: '/tasks', pipeline: '/pipelines' } as const
type Shown = keyof typeof VIEWS

interface Look {
  /** Since the load began. */
  seconds: number
  /** Bytes, after a collection; of JavaScript alone, and of what the page has in all. */
  heap: number
  /** Of the time since the look before. */
  frames: Frames
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '300' }, events: { type: 'string', default: '1000' }, agents: { type: 'string', default: '300' }, path: { type: 'string', default: '/' } } })
const [seconds, eventsPerSecond, agents] = [values.seconds, values.events, values.agents].map((text) => {
  if (Number(text) > 0) return Number(text)
  throw new RangeError(`'${text}' is not allowed; allowed: a number above 0`)
}) as [number, number, number]
if (!existsSync(PROGRAM)) throw new Error(`there is no Chromium at ${PROGRAM}: name one with CHROMIUM`)
process.exitCode = (await watch()) ? 0 : 1

async function watch(): Promise<boolean> {
  const hub = await startChild('ground/hubProcess.js', { jwtSecret: SECRET, messageRate: 10_000, messageBurst: 10_000 })
  const url = String(hub.ready['url'])
  const token = signToken(SECRET, { sub: 'bench', role: 'admin', projects: ['*'], project: 'default' }, '2h')
  const browser = await chromium.launch({ executablePath: PROGRAM, chromiumSandbox: false })
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${url}/#token=${token}`)
    await page.locator('[role=status][data-connection=live]').waitFor()
    await go(page, values.path)
    say(`${agents} agents, ${eventsPerSecond} events/s, ${seconds} s; a page at ${values.path}`)
    const [looks, load] = await Promise.all([look(page), loadFleet({ url, token, seconds, eventsPerSecond, agents })])
    const wrong = await compare(page, url, token, load)
    return tell(looks, load, [...wrong, ...complaints])
  } finally {
    await browser.close()
    await hub.stop()
  }
}

async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((hash) => void (window.location.hash = hash), path)
  await page.waitForFunction((hash) => window.location.hash === hash && document.querySelector('main h1') !== null, `#${path}`)
}

/** At the end of the first minute, then each half minute; of a load that is shorter in its middle and at its end. */
async function look(page: Page): Promise<Look[]> {
  const wire = await page.context().newCDPSession(page)
  const times = seconds > 90 ? Array.from({ length: Math.floor((seconds - 60) / LOOK_S) + 1 }, (_, n) => 60 + n * LOOK_S) : [seconds / 2, seconds]
  await page.evaluate(keepFrames)
  const began = performance.now()
  const looks: Look[] = []
  for (const at of times) {
    await new Promise((done) => setTimeout(done, at * 1000 - (performance.now() - began)))
    const frames = await page.evaluate(framesSoFar)
    looks.push({ seconds: at, frames, heap: await heapOf(wire) })
    // What the collection took is no frame of the page's own.
    await page.evaluate(framesSoFar)
    say(line(looks.at(-1)!))
  }
  return looks
}

async function heapOf(wire: CDPSession): Promise<number> {
  await wire.send('HeapProfiler.collectGarbage')
  return (await wire.send('Runtime.getHeapUsage')).usedSize
}

/** Rows that are missing, wrong or too many, as the hub's snapshot has them; and what the snapshot has otherwise than the load left it. */
async function compare(page: Page, url: string, token: string, { final }: LoadResult): Promise<string[]> {
  const client = connect(url, { token })
  const { entities } = await client.snapshot(['*'])
  client.close()
  const wrong = entities.flatMap((entity) => (entity.kind === 'agent' && final.agents[entity.id]?.status !== entity.status ? [`the hub has ${entity.id} as ${entity.status}`] : []))
  for (const [kind, path] of Object.entries(VIEWS) as [Shown, string][]) {
    await go(page, path)
    const expected = entities.filter((entity): entity is EntityView<Shown> => entity.kind === kind)
    const until = performance.now() + SETTLE_MS
    for (let faults = ['nothing was read']; ; ) {
      faults = differences(kind, expected, await rowsOf(page))
      if (faults.length > 0 && performance.now() < until) continue
      wrong.push(...faults)
      break
    }
    say(`${path}: ${expected.length} ${kind}s compared`)
  }
  return wrong
}

function differences(kind: Shown, expected: readonly EntityView<Shown>[], rows: Record<string, string>): string[] {
  const known = new Set(expected.map(({ id }) => `${kind}:${id}`))
  return [
    ...expected.flatMap((entity) => {
      const shown = rows[`${kind}:${entity.id}`]
      const progress = 'progress' in entity && entity.progress !== undefined ? Math.round(entity.progress) : '-'
      return shown === `${entity.status} ${progress}` || shown === `${entity.status} -` ? [] : [`${kind} ${entity.id} is ${entity.status} ${progress}; shown: ${shown ?? 'nothing'}`]
    }),
    ...Object.keys(rows).filter((key) => key.startsWith(`${kind}:`) && !known.has(key)).map((key) => `${key} is shown and is not there`),
  ]
}

/** Status and progress of each row, by `kind:id`; virtual lists make them as one scrolls. */
function rowsOf(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const rows: Record<string, string> = {}
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    const boxes = [...document.querySelectorAll('main, main *')].filter((box) => box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY))
    for (const box of [document.scrollingElement!, ...boxes]) {
      box.scrollTop = 0
      for (let before = -1; before !== box.scrollTop; ) {
        await frame()
        for (const row of document.querySelectorAll<HTMLElement>('main [data-row]')) {
          const { row: key = '', status } = row.dataset
          const bar = key.startsWith('agent:') ? undefined : row.querySelector('[role=progressbar]')
          rows[key] = `${status} ${bar?.getAttribute('aria-valuenow') ?? '-'}`
        }
        before = box.scrollTop
        box.scrollTop += box.clientHeight * 0.7
      }
    }
    return rows
  })
}

function tell(looks: readonly Look[], load: LoadResult, wrong: readonly string[]): boolean {
  const [first, last] = [looks[0]!, looks.at(-1)!]
  const growth = last.heap / first.heap - 1
  const all = looks.flatMap(({ frames }) => frames)
  const p95 = percentile(all, 0.95)
  say(`\nload: ${load.committed} events, ${load.eventsPerSecond} a second, ${load.refused} refused`)
  say(`frames: p50 ${percentile(all, 0.5)} ms, p95 ${p95} ms (at most ${MOST.frameMs}), p99 ${percentile(all, 0.99)} ms, longest ${percentile(all, 1)} ms`)
  say(`heap: ${mb(first.heap)} after ${first.seconds} s, ${mb(last.heap)} after ${last.seconds} s: ${(growth * 100).toFixed(1)} % more (at most ${MOST.growth * 100})`)
  say(wrong.length === 0 ? 'every row is as the hub has it' : `wrong: ${wrong.length}\n  ${wrong.slice(0, 20).join('\n  ')}`)
  return p95 <= MOST.frameMs && growth <= MOST.growth && wrong.length === 0 && load.refused === 0
}

function line({ seconds: at, frames, heap }: Look): string {
  return `  ${String(at).padStart(4)} s: ${frames.length} frames, p50 ${percentile(frames, 0.5)} ms, p95 ${percentile(frames, 0.95)} ms, longest ${percentile(frames, 1)} ms; heap ${mb(heap)}`
}

function mb(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
