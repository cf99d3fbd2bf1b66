/** What the page does not know it does not say: by whose clock an age is told, what a thing is called by now, and whether a run still lasts when its hub began anew. */
import { setInterval } from 'node:timers/promises'
import type { EventInput } from '@hubbub/protocol'
import { startHub } from '../harness/hub.js'
import type { Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

const BEAT_MS = 100
/** A page looks at the clocks five times before it calls its own fast, which takes it 10 s on a machine with nothing else to do. */
const SKEW_MS = 40_000

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

function open(path: string, before?: () => void): Promise<Opened> {
  return stage.open(path, before ? { before } : {})
}

/** Runs in the page, which can take nothing along from here. */
function fast(): void {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...given: [] | [number]) {
      super(given[0] ?? Right.now() + 300_000)
    }

    static override now = (): number => Right.now() + 300_000
  } as DateConstructor
}

function slow(): void {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...given: [] | [number]) {
      super(given[0] ?? Right.now() - 300_000)
    }

    static override now = (): number => Right.now() - 300_000
  } as DateConstructor
}

const clocks = ({ page }: Opened) => page.locator('[data-skew]')

it('a clock that is minutes fast or slow is told, with by how much; one that is right is not', async () => {
  const [ahead, behind, right] = [await open('/', fast), await open('/', slow), await open('/')]
  const over = new AbortController()
  // At the pace of a live hub: a flood would leave pages and hub no time to agree about anything.
  const beating = (async () => {
    for await (const _ of setInterval(BEAT_MS)) {
      if (over.signal.aborted) return
      await stage.publish([{ type: 'agent.heartbeat', data: { agentId: 'agent-1' } } satisfies EventInput])
    }
  })()
  try {
    await clocks(ahead).getByText(/is about (4 min 5\d s|5 min 0 s) ahead of the hub/).waitFor({ timeout: SKEW_MS })
    await clocks(behind).getByText(/is about (4 min 5\d s|5 min 0 s) behind the hub/).waitFor({ timeout: SKEW_MS })
    expect(await clocks(right).count()).toBe(0)
  } finally {
    over.abort()
    await beating
  }
}, 120_000)

it('a name that becomes known while one looks is the title, whole', async () => {
  const name = `Release of ${'the shop '.repeat(20)}`.trim()
  await stage.publish([{ type: 'task.created', data: { taskId: 'T-1', pipelineId: 'P-1' } }])
  const opened = await open('/pipelines/P-1')
  await opened.page.getByRole('heading', { name: 'P-1', exact: true }).waitFor()
  await stage.publish([{ type: 'pipeline.started', data: { pipelineId: 'P-1', name } }])
  await opened.page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
})

it('a run of a hub that began anew is not told as running, nor for how long', async () => {
  await stage.publish([{ type: 'agui.run_started', topics: ['run:R-1'], data: { type: 'RUN_STARTED', threadId: 'th', runId: 'R-1' } }])
  const opened = await open('/runs/R-1')
  await opened.page.locator('[data-row="run:R-1"][data-status=running]').waitFor()
  await stage.hub.kill('SIGKILL')
  await opened.connection('offline')
  const next = await startHub()
  try {
    stage.proxy.retarget(next.port)
    await opened.connection('live')
    await opened.page.locator('[data-row="run:R-1"][data-status=unknown]').waitFor()
    await opened.page.locator('dt', { hasText: 'Runs for' }).locator('xpath=following-sibling::dd[1]').getByText('—').waitFor()
  } finally {
    await next.stop()
  }
}, 60_000)
