/**
 * Every view on a team at work, by light and dark, on a desk and on a phone: nothing complains, everybody can read and reach it, nothing is wider than the
 * window.
 */
import { eventually } from '../harness/eventually.js'
import { beats, perform } from './cast.js'
import { walkByTab } from './keyboard.js'
import { overflows } from './layout.js'
import { DESKTOP, PHONE, type Opened } from './opened.js'
import { ROUTES } from './routes.js'
import { openStage, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
  await perform(stage)
}, 90_000)
afterAll(() => stage?.close(), 60_000)

describe.each([
  ['a desk', 'light', DESKTOP],
  ['a desk', 'dark', DESKTOP],
  ['a phone', 'light', PHONE],
  ['a phone', 'dark', PHONE],
] as const)('on %s, %s', (_place, colourScheme, viewport) => {
  let opened: Opened

  beforeAll(async () => {
    opened = await stage.open('/', { colourScheme, viewport })
  }, 60_000)
  afterAll(() => opened?.close())

  it.each(ROUTES)('$name', async (route) => {
    const { page, complaints } = opened
    await opened.go(route.path)
    const shown = page.locator('main').getByText(route.shows).filter({ visible: true }).first()
    if (route.isLive) await eventually(() => stage.publish(beats()).then(() => shown.isVisible()), route.name, 10_000, 300)
    await shown.waitFor()
    // A new view begins at its top.
    const scrolled = await page.evaluate(() => window.scrollY)
    const found = { scrolled, overflows: await overflows(page), axe: await opened.axe(), ...(await walkByTab(page)), complaints: complaints.splice(0) }
    expect(found).toEqual({ scrolled: 0, overflows: [], axe: [], missed: [], unseen: [], stuck: [], complaints: [], stops: expect.any(Number) })
    expect(found.stops).toBeGreaterThan(5)
  }, 60_000)
})

it('the page\'s policy holds: no script of markup, no handler, no code made of text, no other host', async () => {
  const { page, close } = await stage.open()
  const tried = await page.evaluate(async () => {
    const attempt = (deed: () => unknown): string => {
      try {
        deed()
        return 'done'
      } catch (error) {
        return (error as Error).name
      }
    }
    const markup = attempt(() => (document.body.innerHTML = '<img src=x onerror="window.tripped = 1">'))
    const script = document.createElement('script')
    const text = attempt(() => (script.textContent = 'window.tripped = 2'))
    // In a task of the page's own: what a debugger evaluates may do what the page must not.
    const code = await new Promise((done) => setTimeout(() => done(attempt(() => (Reflect.construct(Function, ['window.tripped = 3']) as () => void)()))))
    const image = new Image()
    const handler = attempt(() => image.setAttribute('onerror', 'window.tripped = 4'))
    const loaded = await new Promise((done) => {
      image.addEventListener('error', () => done('refused'))
      image.addEventListener('load', () => done('loaded'))
      image.src = 'http://canary.invalid/pixel.png'
    })
    const other = await fetch('http://canary.invalid/').then(() => 'asked', () => 'refused')
    return { markup, text, code, handler, loaded, other, tripped: (window as { tripped?: number }).tripped ?? 0 }
  })
  await close()
  expect(tried).toEqual({ markup: 'TypeError', text: 'TypeError', code: 'EvalError', handler: 'TypeError', loaded: 'refused', other: 'refused', tripped: 0 })
})
