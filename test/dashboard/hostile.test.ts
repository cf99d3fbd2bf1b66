/**
 * Text that wants something, in every field of every event: it is shown, and does nothing. The pages run without their policy, which must not be
 * what saves them (`walk.test.ts` shows that it would).
 */
import type { Page } from 'playwright-core'
import { eventually } from '../harness/eventually.js'
import { CANARY, eventsOf, WORLDS, type World } from '../harness/hostile.js'
import { overflows } from './layout.js'
import { DESKTOP, PHONE, type Opened } from './opened.js'
import { openStage, type Stage } from './stage.js'

const BATCH_BYTES = 2_000_000

let stage: Stage

beforeAll(async () => {
  stage = await openStage({ env: { HUBBUB_MAX_EVENT_BYTES: '2000000' } })
  for (const world of WORLDS) await publish(world)
}, 120_000)
afterAll(() => stage?.close(), 60_000)

async function publish(world: World): Promise<void> {
  const batches = [[]] as ReturnType<typeof eventsOf>[]
  let bytes = 0
  for (const event of eventsOf(world)) {
    bytes += JSON.stringify(event).length
    if (bytes > BATCH_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(event)
  }
  for (const batch of batches) await stage.publish(batch)
}

async function open(viewport: Opened['page'] extends Page ? { width: number; height: number } : never): Promise<Opened & { dialogs: string[] }> {
  const opened = await stage.open('/', { viewport, withoutPolicy: true })
  const dialogs: string[] = []
  opened.page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  return Object.assign(opened, { dialogs })
}

/** Whatever opens on the page is opened. */
async function unfold(page: Page): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const opened = await page.evaluate(() => {
      const closed = [...document.querySelectorAll<HTMLElement>('main details:not([open]) > summary, main button[aria-expanded=false]:not([disabled])')].filter((element) => element.checkVisibility())
      for (const element of closed.slice(0, 40)) element.click()
      return closed.length
    })
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    if (opened === 0) return
  }
}

/** What happened that must not, or is not as it should be; one line each, with the place. */
async function harm({ page, complaints, requests, dialogs }: Opened & { dialogs: string[] }, place: string): Promise<string[]> {
  const found = await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const turned: string[] = []
    while (texts.nextNode()) {
      const text = texts.currentNode.textContent ?? ''
      if (/[\u202a-\u202e\u2066-\u2069]/.test(text) && !/isolate|plaintext/.test(getComputedStyle(texts.currentNode.parentElement!).unicodeBidi)) turned.push(text.slice(0, 60))
    }
    const links = [...document.querySelectorAll<HTMLAnchorElement>('a[href]')].filter(({ origin }) => origin !== window.location.origin)
    const injected = document.querySelectorAll('#injected, body script:not([src^="./assets/"]), iframe, object, embed, base, body style, body link, img:not([src="./icon.svg"])')
    const handlers = [...document.querySelectorAll('*')].filter((element) => element.getAttributeNames().some((name) => name.startsWith('on')))
    const brief = ({ outerHTML }: Element) => outerHTML.slice(0, 150)
    return [
      ...('tripped' in window ? [`it ran: ${String(window.tripped)}`] : []),
      ...[...injected].map((element) => `injected: ${brief(element)}`),
      ...handlers.map((element) => `a handler: ${brief(element)}`),
      ...links.filter(({ protocol, rel }) => !/^https?:$/.test(protocol) || !rel.split(' ').includes('noopener')).map((link) => `a link: ${brief(link)}`),
      ...turned.map((text) => `turns what is beside it: ${text}`),
    ]
  })
  const abroad = requests.filter((url) => url.includes(CANARY) || new URL(url).hostname !== '127.0.0.1').map((url) => `asked for ${url}`)
  return [...found, ...abroad, ...dialogs, ...(await overflows(page)), ...complaints.splice(0)].map((line) => `${place}: ${line}`)
}

async function visit(opened: Opened & { dialogs: string[] }, path: string, mark: string): Promise<string[]> {
  await opened.go(path)
  const holds = () => opened.page.evaluate((text) => (document.querySelector('main')?.textContent ?? '').includes(text), mark)
  const missing = await eventually(holds).then(() => [], () => [`${path}: ${mark} is not shown`])
  await unfold(opened.page)
  return [...missing, ...(await harm(opened, path))]
}

describe.each([
  ['on a desk', DESKTOP],
  ['on a phone', PHONE],
] as const)('%s', (_place, viewport) => {
  let opened: Opened & { dialogs: string[] }

  beforeAll(async () => {
    opened = await open(viewport)
  }, 60_000)
  afterAll(() => opened?.close())

  it.each(['/', '/pipelines', '/tasks', '/runs'])('%s lists them all, and nothing happens', async (path) => {
    expect(await visit(opened, path, 'hostile1')).toEqual([])
  })

  it.each(WORLDS)('$name does nothing in the views of one entity, and in the list of its events', async ({ id, mark, text }) => {
    const harms: string[] = []
    for (const view of ['agents', 'pipelines', 'tasks', 'runs']) harms.push(...(await visit(opened, `/${view}/${encodeURIComponent(id)}`, mark)))
    harms.push(...(await visit(opened, `/events?topic=${encodeURIComponent(`agent:${id}`)}`, '')))
    harms.push(...(await visit(opened, '/events', '')))
    // What comes while one looks, and all of it in the inspector.
    await stage.publish([{ id: `live-${mark}-${viewport.width}`, type: 'agent.log', data: { agentId: id, level: 'error', message: text, [mark.replaceAll('_', '')]: [text] } }])
    await opened.page.getByRole('option', { name: 'agent.log' }).last().click()
    await unfold(opened.page)
    harms.push(...(await harm(opened, 'inspector')))
    expect(harms).toEqual([])
  }, 60_000)
})
