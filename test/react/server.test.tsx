import { renderToString } from 'react-dom/server'
import { connect } from '@hubbub/client'
import { createFakeHub } from '@hubbub/client/testing'
import { ConnectionStatus, HubbubProvider, useEvents, useHubbub } from '@hubbub/react'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { lines, openTheatre, shows, type Theatre } from './fixture.js'
import { Scene } from './pages/scenes.js'

describe('rendering on a server', () => {
  let theatre: Theatre

  beforeAll(async () => {
    theatre = await openTheatre()
  }, 60_000)
  afterAll(() => theatre.close(), 60_000)

  const settings = () => ({ url: `http://127.0.0.1:${theatre.proxy.port}`, token: token(), topic: 'agent:rendered', other: 'pipeline:rendered' })

  it('gives the initial state and opens nothing; the browser takes it over without a warning and goes on', async () => {
    const markup = renderToString(<Scene name="Dashboard" settings={settings()} />)
    expect(markup).toContain('data-state="connecting"')
    expect(markup).toContain('<p id="task">loading -</p>')
    expect(markup).toContain('<p id="watchers">loading</p>')
    expect(theatre.proxy.accepted()).toBe(0)
    expect(await theatre.connections()).toEqual({ total: 0, active: 0 })

    const { topic, other } = settings()
    const page = await theatre.open('Dashboard', { topic, other, markup })
    await page.holds('section[data-status=live]')
    await theatre.publish(...lines(topic, 1, 1))
    await shows(page, '#last', 'line 1')
    await shows(page, '#watchers', 'tester')
    await shows(page, '#task', 'none -')
    expect(page.complaints).toEqual([])
    expect(theatre.proxy.accepted()).toBe(1)
    await page.close()
  })

  it('of useWebSocket opens nothing either', async () => {
    const before = theatre.proxy.accepted()
    expect(renderToString(<Scene name="Sockets" settings={settings()} />)).toContain('<section data-connected="false">')
    await eventually(async () => (await theatre.connections()).total === 0)
    expect(theatre.proxy.accepted()).toBe(before)
  })

  it('works with a client that the program opened, a real one or a fake', () => {
    const Page = () => {
      const { status } = useEvents('task:1')
      return <p>{`${status} ${useHubbub() === fake}`}</p>
    }
    const fake = createFakeHub().client()
    expect(renderToString(<HubbubProvider client={fake}><Page /><ConnectionStatus /></HubbubProvider>)).toContain('<p>connecting true</p>')
    expect(fake.state).not.toBe('closed')
    fake.close()
    const real = connect(settings().url, { token: token() })
    expect(renderToString(<HubbubProvider client={real}><Page /></HubbubProvider>)).toContain('<p>connecting false</p>')
    real.close()
  })

  it('says what is missing when there is no provider', () => {
    const Page = () => <p>{useEvents('task:1').status}</p>
    expect(() => renderToString(<Page />)).toThrow('There is no <HubbubProvider> above this component.')
  })
})
