/** `hubbub top` where things end: its hub, its token, its terminal's room, its own turn in the foreground. And what a pipe gets of hostile text. */
import { connect, type Client } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'
import { command, startCommand } from './command.js'
import { startOnTerminal, type Terminal } from './terminal.js'

const OPERATOR = { projects: ['*'], project: 'default' }

describe('hubbub top, at its ends', () => {
  let hub: HubProcess
  let env: Record<string, string>
  let client: Client
  let terminal: Terminal

  beforeAll(async () => {
    hub = await startHub()
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token(OPERATOR) }
    client = connect(hub.url, { token: token() })
    for (const index of [0, 1]) await client.publish('agent.registered', { agentId: `coder-${index}`, agentType: 'coder', capabilities: [] })
  })
  afterEach(() => terminal?.close())
  afterAll(async () => {
    client.close()
    await hub.stop()
  })

  const open = async (own: Record<string, string> = {}, size?: { columns: number; rows: number }): Promise<void> => {
    terminal = startOnTerminal(['top'], { ...env, ...own }, size)
    await eventually(() => terminal.text().includes('AGENT'), 'the table')
  }

  it('takes each key once after it was stopped and goes on', async () => {
    await open()
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) process.kill(await terminal.pid, signal)
    await eventually(() => terminal.written().split('\u001b[?1049h').length === 3, 'the screen again')
    terminal.press('/coder')
    await eventually(() => / \/ coder█/.test(terminal.text()), `the filter; it is ${terminal.lines().at(-1)}`)
  })

  it('stays on the screen after Ctrl-Z where no shell waits for it', async () => {
    await open()
    terminal.press('\u001a')
    await eventually(() => terminal.written().split('\u001b[?1049h').length === 3 && terminal.isFullScreen() && terminal.text().includes('coder-1'), 'the screen again')
    terminal.press('q')
    expect((await terminal.exited).code).toBe(0)
  })

  it('marks what it knew of a hub that does not answer, and draws no figure for that time', async () => {
    const other = await startHub()
    terminal = startOnTerminal(['top'], { HUBBUB_URL: other.url, HUBBUB_TOKEN: token(OPERATOR) }, { columns: 140, rows: 30 })
    await eventually(() => /latency +commit/.test(terminal.text()), 'the overview')
    expect(terminal.text()).not.toContain('stale')
    await other.kill('SIGKILL')
    await eventually(() => /stale +the hub does not answer: rates and health are as of \d\d:\d\d:\d\d/.test(terminal.text()), 'the mark', 30_000)
    await eventually(() => /events +▁+ /.test(terminal.text()), 'a time without a figure', 30_000)
    const again = await startHub({ port: other.port })
    await eventually(() => /latency +commit/.test(terminal.text()) && !terminal.text().includes('stale'), 'what is true again', 30_000)
    await again.stop()
  }, 90_000)

  it('ends with the reason when its token does', async () => {
    await open({ HUBBUB_TOKEN: token({ ...OPERATOR, exp: Math.floor(Date.now() / 1000) + 6 }) })
    expect((await terminal.exited).code).toBe(1)
    await eventually(() => /hubbub top: (AUTH|TOKEN)_\w+: /.test(terminal.text()), 'the reason')
    expect([terminal.isFullScreen(), terminal.isCursorHidden()]).toEqual([false, false])
  }, 60_000)

  it('shows the table in a few lines, and cuts nothing in the middle of a figure', async () => {
    await open({}, { columns: 30, rows: 6 })
    await eventually(() => terminal.text().includes('coder-0'), 'its rows')
    await terminal.close()
    await open({}, { columns: 70, rows: 20 })
    await eventually(() => /latency/.test(terminal.text()), 'the overview')
    expect(terminal.lines().find((line) => line.includes('latency'))).toMatch(/…$/)
    await terminal.close()
    terminal = startOnTerminal(['top'], env, { columns: 1, rows: 1 })
    await eventually(() => terminal.isFullScreen(), 'the screen')
    terminal.press('q')
    expect((await terminal.exited).code).toBe(0)
  })

  it('JSON of a hostile text moves no cursor and is the same text', async () => {
    const text = 'a\u009b31m\u007f\u009d0;owned\u009c\u202eevil\u{e0041}\ufeff\u2028end'
    await client.publish('custom.text', { text }, { topics: ['project'] })
    const { stdout } = await command(['tail', 'project', '-n', '1', '--no-follow', '--json'], env)
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u007f-\u009f\u2028\u202e\ufeff]/)
    expect((JSON.parse(stdout) as { data: unknown }).data).toEqual({ text })
  })

  it('tail --follow-task in a pipe tells of a gap, and ends quietly when it is stopped', async () => {
    const other = await startHub()
    const own = { HUBBUB_URL: other.url, HUBBUB_TOKEN: token() }
    const engine = connect(other.url, { token: token() })
    await engine.publish('task.created', { taskId: 't' })
    engine.close()
    const stopped = startCommand(['tail', '--follow-task', 't'], own)
    await eventually(() => stopped.events().length > 0, 'its past')
    stopped.child.kill('SIGINT')
    expect([(await stopped.exited).code, stopped.stderr()]).toEqual([1, ''])
    const following = startCommand(['tail', '--follow-task', 't'], own)
    await eventually(() => following.events().length > 0, 'its past')
    await other.kill('SIGKILL')
    const again = await startHub({ port: other.port })
    expect((await following.exited).code).toBe(1)
    expect(following.stderr()).toContain('-- gap: ')
    await again.stop()
  }, 60_000)
})
