import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened } from './browser.js'
import { idsOf, lines, openTheatre, shows, type Theatre } from './fixture.js'
import './pages/seen.js'

describe('the connection in a browser', () => {
  let theatre: Theatre
  let opened: Opened | undefined

  beforeAll(async () => {
    theatre = await openTheatre()
  }, 60_000)
  afterEach(async () => {
    theatre.proxy.refuse(false)
    await opened?.close()
    await eventually(async () => (await theatre.connections()).total === 0, 'no connection left')
  })
  afterAll(() => theatre.close(), 60_000)

  async function open(...asked: Parameters<Theatre['open']>): ReturnType<Theatre['open']> {
    const page = await theatre.open(...asked)
    opened = page
    return page
  }

  it('ConnectionStatus and useConnection tell of a cut and of the way back', async () => {
    const page = await open('Connection')
    const status = 'section > [role=status]'
    await shows(page, status, 'Live')
    expect(await page.text('#transport')).toBe('websocket')
    theatre.proxy.refuse(true)
    theatre.proxy.cut('reset')
    await shows(page, status, /Offline|Connecting/)
    await shows(page, '#error', 'UNAVAILABLE')
    expect(await page.text('#transport')).toBe('')
    theatre.proxy.refuse(false)
    await shows(page, status, 'Live')
    await shows(page, '#error', '')
    const attributes = await page.page.$eval(status, (element) => Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])))
    expect(attributes).toEqual({ role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true', class: 'hubbub-status hubbub-status--live mine', 'data-state': 'live' })
    expect(await page.text('#custom b')).toBe('live')
    const states = await page.page.evaluate(() => globalThis.stage.seen.states)
    expect(states).toEqual(expect.arrayContaining(['connecting', 'live', 'offline']))
    expect(states.at(-1)).toBe('live')
  })

  it('a refused credential is an error and an end, and nothing is thrown', async () => {
    const page = await open('Connection', { token: 'nonsense' })
    await shows(page, '#error', /^AUTH_/)
    await shows(page, 'section > [role=status]', 'Disconnected')
    expect(page.complaints).toEqual([])
  })

  it('another credential makes another connection, and ends the one before', async () => {
    const before = theatre.proxy.accepted()
    const page = await open('Relogin', { other: token({ sub: 'somebody-else' }) })
    await shows(page, 'section > [role=status]', 'Live')
    await page.page.evaluate(() => globalThis.stage.toggle())
    // A browser may open a socket in advance that nothing comes through: the hub counts those that are connections.
    await eventually(() => theatre.proxy.accepted() - before >= 2, 'a second connection')
    await eventually(async () => (await theatre.connections()).total === 1, 'the first to be closed')
    await shows(page, 'section > [role=status]', 'Live')
    expect(page.complaints).toEqual([])
  })

  it('useWebSocket subscribes, hears every message once, sends, and shares its connection', async () => {
    const before = theatre.proxy.accepted()
    const page = await open('Sockets')
    await page.holds('section[data-connected=true]')
    await shows(page, 'i', 'true')
    await eventually(() => page.asked('subscribe') >= 2)
    await eventually(async () => (await theatre.connections()).active === 1)
    await page.page.click('button')
    await shows(page, '#message', /sent/)
    const message = JSON.parse(await page.text('#message')) as Record<string, unknown>
    const agentId = page.topic.split(':')[1]
    expect(message).toEqual({
      id: 'sent',
      type: 'agent_log',
      timestamp: expect.any(Number),
      data: { agentId, level: 'info', message: 'from the page' },
      metadata: { version: '1.0', source: '/users/tester' },
    })
    const other = lines(page.other, 1, 40)
    await theatre.publish(...other, { id: 'status', type: 'agent.status_changed', data: { agentId, status: 'busy' } })
    await shows(page, '#message', /"agent_status"/)
    const { heard, states, errors } = await page.page.evaluate(() => globalThis.stage.seen)
    expect(heard).toEqual(['sent', ...idsOf(other), 'status'])
    expect(states).toEqual(idsOf(other).map((id) => `agent_log ${id}`))
    expect([errors, page.complaints]).toEqual([[], []])
    expect(theatre.proxy.accepted() - before).toBe(1)
    await page.page.evaluate(() => globalThis.stage.unmount())
    await eventually(async () => (await theatre.connections()).total === 0, 'the connection to be closed')
  })

  it('useWebSocket shows why a subscription was refused', async () => {
    const page = await open('Sockets', { as: { sub: 'stranger', role: 'viewer', permissions: ['subscribe:task:*'] } })
    await shows(page, '#error', 'INSUFFICIENT_PERMISSIONS')
  })

  it('the plain SDK publishes, hears, comes back and watches in a page, over WebSocket and over polling', async () => {
    for (const transports of [['websocket'], ['polling']] as const) {
      const page = await open('none', { as: { sub: `plain-${transports[0]}` } })
      const task = `plain-${transports[0]}`
      const begun = await page.page.evaluate(
        async ({ url, credential, topic, taskId, ways }) => {
          const client = globalThis.stage.connect(url, { token: credential, transports: [...ways], reconnect: { minMs: 50, maxMs: 200 } })
          globalThis.stage.client = client
          client.on('*', (event) => globalThis.stage.seen.heard.push(event.id))
          client.onState((state) => globalThis.stage.seen.states.push(state))
          await client.subscribe([topic, `task:${taskId}`])
          const live = await client.watch(`task:${taskId}`)
          live.onChange(({ after }) => globalThis.stage.seen.errors.push(`${after?.kind} ${after?.id}`))
          await client.publish('task.created', { taskId }, { id: `created-${taskId}` })
          return client.transport
        },
        { url: `http://127.0.0.1:${theatre.proxy.port}`, credential: token({ sub: task }), topic: page.topic, taskId: task, ways: transports },
      )
      expect(begun).toBe(transports[0])
      const sent = lines(page.topic, 1, 20)
      theatre.proxy.cut('reset')
      await theatre.publish(...sent)
      await eventually(async () => (await page.page.evaluate(() => globalThis.stage.seen.heard.length)) === 21)
      const seen = await page.page.evaluate(() => globalThis.stage.seen)
      expect(seen.heard).toEqual([`created-${task}`, ...idsOf(sent)])
      expect(seen.errors[0]).toBe(`task ${task}`)
      await page.page.evaluate(() => globalThis.stage.client!.close())
      await page.close()
    }
  })
})
