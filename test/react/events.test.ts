import { eventually } from '../harness/eventually.js'
import { idsOf, lines, openTheatre, shows, type Theatre } from './fixture.js'
import type { Opened } from './browser.js'
import './pages/seen.js'

describe('useEvents in a browser, in StrictMode', () => {
  let theatre: Theatre
  let opened: (Opened & { topic: string; other: string }) | undefined

  beforeAll(async () => {
    theatre = await openTheatre()
  }, 60_000)
  afterEach(async () => {
    await opened?.close()
    await eventually(async () => (await theatre.connections()).total === 0, 'no connection left')
  })
  afterAll(() => theatre.close(), 60_000)

  async function open(scene = 'Events', settings: Parameters<Theatre['open']>[1] = {}): Promise<Opened & { topic: string; other: string }> {
    return (opened = await theatre.open(scene, settings))
  }
  const isLive = (page: Opened) => page.holds('section[data-status=live]')
  const heard = ({ page }: Opened): Promise<string[]> => page.evaluate(() => globalThis.stage.seen.heard)

  it('shows events as they come, and keeps the last ones', async () => {
    const page = await open()
    await isLive(page)
    const sent = lines(page.topic, 1, 30)
    for (const event of sent.slice(0, 3)) await theatre.publish(event)
    await shows(page, '#last', 'line 3')
    expect(await page.text('ol')).toBe(idsOf(sent.slice(0, 3)).join(''))
    await theatre.publish(...sent.slice(3))
    await shows(page, '#last', 'line 30')
    expect(await page.text('ol')).toBe(idsOf(sent.slice(-20)).join(''))
    expect(await heard(page)).toEqual(idsOf(sent))
    expect(page.complaints).toEqual([])
  })

  it('has one connection and one subscription, whatever is mounted twice and however often it renders equal arguments', async () => {
    const before = theatre.proxy.accepted()
    const page = await open()
    await isLive(page)
    expect(await theatre.connections()).toEqual({ total: 1, active: 1 })
    for (let n = 0; n < 5; n++) await page.page.evaluate(() => globalThis.stage.again())
    await page.holds('section[data-again="5"]')
    // Behind whatever the renderings may have asked for.
    await page.page.evaluate(() => globalThis.stage.client!.publish('custom.marker', {}))
    expect([page.asked('subscribe'), page.asked('unsubscribe'), page.asked('publish')]).toEqual([1, 0, 1])
    expect(theatre.proxy.accepted() - before).toBe(1)
  })

  it('leaves nothing behind when it is unmounted, and comes back when it is mounted again', async () => {
    const page = await open()
    await isLive(page)
    await page.page.evaluate(() => globalThis.stage.unmount())
    await eventually(async () => (await theatre.connections()).total === 0, 'the connection to be closed')
    await page.page.evaluate(() => globalThis.stage.mount())
    await isLive(page)
    await theatre.publish(...lines(page.topic, 1, 1))
    await shows(page, '#last', 'line 1')
    expect(await theatre.connections()).toEqual({ total: 1, active: 1 })
    expect(page.complaints).toEqual([])
  })

  it('goes through cut connections without a gap and without a duplicate (I1, I2)', async () => {
    const page = await open()
    await isLive(page)
    const sent = lines(page.topic, 1, 120)
    for (let round = 0; round < 4; round++) {
      await theatre.publish(...sent.slice(round * 30, round * 30 + 10))
      const before = theatre.proxy.accepted()
      theatre.proxy.cut('reset')
      await theatre.publish(...sent.slice(round * 30 + 10, round * 30 + 30))
      // A connection that is back within a frame was never seen to be away.
      await eventually(() => theatre.proxy.accepted() > before, 'another connection')
      await isLive(page)
    }
    await shows(page, '#last', 'line 120')
    expect(await heard(page)).toEqual(idsOf(sent))
    expect(await page.page.evaluate(() => globalThis.stage.seen.gaps)).toBe(0)
    expect(await page.text('ol')).toBe(idsOf(sent.slice(-20)).join(''))
  })

  it('lets go while it is hidden, and goes on where it was when it is shown again', async () => {
    const page = await open('Hidden')
    await isLive(page)
    const sent = lines(page.topic, 1, 9)
    await theatre.publish(...sent.slice(0, 3))
    await shows(page, '#last', 'line 3')
    await page.page.evaluate(() => globalThis.stage.toggle())
    await eventually(async () => (await theatre.connections()).active === 0, 'the subscription to be left')
    await theatre.publish(...sent.slice(3, 6))
    await page.page.evaluate(() => globalThis.stage.toggle())
    await shows(page, '#last', 'line 6')
    await theatre.publish(...sent.slice(6))
    await shows(page, '#last', 'line 9')
    expect(await heard(page)).toEqual(idsOf(sent))
    expect(await page.text('ol')).toBe(idsOf(sent).join(''))
    expect((await theatre.connections()).total).toBe(1)
  })

  it('shows other topics and nothing of those before when its topics change', async () => {
    const page = await open('Switch')
    await isLive(page)
    await theatre.publish(...lines(page.topic, 1, 2))
    await shows(page, '#last', 'line 2')
    await page.page.evaluate(() => globalThis.stage.toggle())
    await shows(page, 'ol', '')
    await isLive(page)
    const sent = lines(page.other, 1, 1)
    await theatre.publish(...lines(page.topic, 3, 3), ...sent)
    await shows(page, '#last', 'line 1')
    expect(await page.text('ol')).toBe(idsOf(sent).join(''))
    expect([page.asked('subscribe'), page.asked('unsubscribe')]).toEqual([2, 1])
  })

  it('renders a burst of 1,000 events a few times, and hands every one to onEvent in order', async () => {
    const page = await open()
    await isLive(page)
    await page.page.evaluate(() => (globalThis.stage.seen.commits = 0))
    const sent = lines(page.topic, 1, 1000)
    await theatre.publish(...sent)
    await shows(page, '#last', 'line 1000')
    const { commits } = await page.page.evaluate(() => globalThis.stage.seen)
    expect(await heard(page)).toEqual(idsOf(sent))
    expect(commits).toBeLessThan(20)
    expect(commits).toBeGreaterThan(0)
  })

  it('shows a refusal as an error, and throws nothing', async () => {
    const page = await open('Events', { as: { sub: 'stranger', role: 'viewer', permissions: ['subscribe:task:*'] } })
    await shows(page, '#error', 'INSUFFICIENT_PERMISSIONS')
    await page.holds('section[data-status=closed]')
    expect(page.complaints).toEqual([])
  })

  it('subscribes to nothing without topics', async () => {
    const page = await open('Nothing')
    await shows(page, '#nothing', 'idle false')
    await eventually(async () => (await theatre.connections()).total === 1)
    expect(await theatre.connections()).toEqual({ total: 1, active: 0 })
  })
})
