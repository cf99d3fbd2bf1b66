/** Text of events reaches a terminal as text: nothing of it moves the cursor, colours, rings, names the window or copies. */
import { connect, type Client } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { eventsOf, WORLDS } from '../harness/hostile.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'
import { startOnTerminal, type Terminal } from './terminal.js'

// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[\d*(?:;\d+)*m/g
/** What `top` draws with: places, lines cleared, the other screen, the cursor, wrapping. */
// oxlint-disable-next-line no-control-regex
const DRAWING = /\u001b\[(?:\d+;1H|2K|2J|K|\?(?:1049|25|7)[hl])/g
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/

describe('hostile text on a terminal', () => {
  let hub: HubProcess
  let env: Record<string, string>
  let client: Client
  let terminal: Terminal | undefined
  let published = 0

  beforeAll(async () => {
    hub = await startHub({ env: { HUBBUB_MESSAGE_RATE: '1000000', HUBBUB_MESSAGE_BURST: '1000000', HUBBUB_FAMILY_RATES: '*=1000000' } })
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token({ projects: ['*'], project: 'default' }) }
    client = connect(hub.url, { token: token({ role: 'service' }) })
    for (const world of WORLDS) {
      const answers = await Promise.allSettled(eventsOf(world).map(({ type, data, id, topics }) => client.publish(type, data, { id, topics })))
      published += answers.filter(({ status }) => status === 'fulfilled').length
    }
  }, 120_000)
  afterEach(() => terminal?.close())
  afterAll(async () => {
    client.close()
    await hub.stop()
  })

  const isHarmless = (seen: Terminal): void => {
    const rest = seen.written().replaceAll(COLOURS, '').replaceAll(DRAWING, '')
    expect(FORBIDDEN.exec(rest)).toBeNull()
    expect([seen.title(), seen.bells()]).toEqual(['', 0])
  }

  it('an event is a line, whatever is in it', async () => {
    expect(published).toBeGreaterThan(500)
    terminal = startOnTerminal(['tail', '*', '--since', 'all', '--no-follow'], env, { columns: 120, rows: 40 })
    expect((await terminal.exited).code).toBe(0)
    await eventually(() => terminal!.lines().filter((line) => line !== '').length > published, 'all lines')
    const odd = terminal.lines().filter((line) => line !== '' && !/^(pid \d+$|\d\d:\d\d:\d\d\.\d{3} {2})/.test(line))
    expect(odd).toEqual([])
    isHarmless(terminal)
  }, 60_000)

  it.each([['task'], ['agent'], ['pipeline']])('%s show and list', async (kind) => {
    for (const { id } of WORLDS.slice(0, 9)) {
      terminal = startOnTerminal([kind, 'show', id], env, { columns: 100, rows: 60 })
      expect([id, (await terminal.exited).code]).toEqual([id, 0])
      isHarmless(terminal)
    }
    terminal = startOnTerminal([kind, 'list'], env, { columns: 100, rows: 60 })
    expect((await terminal.exited).code).toBe(0)
    isHarmless(terminal)
  }, 120_000)

  it('top', async () => {
    terminal = startOnTerminal(['top'], env)
    await eventually(() => terminal!.text().includes('AGENT'), 'the table')
    terminal.press('\r')
    await eventually(() => terminal!.text().includes('capabilities'), 'the facts')
    terminal.press('\u001b')
    terminal.press('\t')
    await eventually(() => terminal!.text().includes('TRIES'), 'the tasks')
    expect(terminal.lines()[0]).toContain('hubbub top')
    terminal.press('q')
    await terminal.exited
    isHarmless(terminal)
  })
})
