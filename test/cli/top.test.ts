import { connect, type Client } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'
import { command } from './command.js'
import { startOnTerminal, type Terminal } from './terminal.js'

const ESC = '\u001b'
const UP = `${ESC}[A`
const DOWN = `${ESC}[B`
const END = `${ESC}[F`
const NASTY = `${ESC}]0;owned\u0007${ESC}[2J${ESC}[1;1H\r\n\u202eevil\u009b31m`

describe('hubbub top', () => {
  let hub: HubProcess
  let env: Record<string, string>
  let client: Client
  let terminal: Terminal

  beforeAll(async () => {
    hub = await startHub()
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token({ projects: ['*'], project: 'default' }) }
    client = connect(hub.url, { token: token() })
    for (const [index, status] of ['idle', 'busy', 'error'].entries()) {
      await client.publish('agent.registered', { agentId: `coder-${index}`, agentType: 'coder', capabilities: ['ts'] })
      await client.publish('agent.heartbeat', { agentId: `coder-${index}`, systemMetrics: { cpuUsage: 10 * index + 5, memoryUsage: 3_000_000 } })
      await client.publish('agent.status_changed', { agentId: `coder-${index}`, status })
    }
    await client.publish('task.created', { taskId: 'login', taskTitle: 'Write the login' })
    await client.publish('task.accepted', { taskId: 'login', agentId: 'coder-1' })
    await client.publish('task.progress', { taskId: 'login', progress: 50, agentId: 'coder-1' })
  })
  afterEach(() => terminal?.close())
  afterAll(async () => {
    client.close()
    await hub.stop()
  })

  const open = async (own: Record<string, string> = {}, size?: { columns: number; rows: number }): Promise<Terminal> => {
    terminal = startOnTerminal(['top'], { ...env, ...own }, size)
    await eventually(() => terminal.text().includes('AGENT'), 'the table')
    return terminal
  }
  const rowOf = (id: string): string | undefined => terminal.lines().find((line) => new RegExp(`[ ▸]${id}\\b`).test(line))
  const places = (): number[] => ['coder-0', 'coder-1', 'coder-2'].map((id) => terminal.lines().findIndex((line) => line.includes(`${id} `)))
  const quit = async (): Promise<void> => {
    terminal.press('q')
    expect((await terminal.exited).code).toBe(0)
    expect([terminal.isFullScreen(), terminal.isCursorHidden()]).toEqual([false, false])
  }

  it('shows the fleet and the hub, and what changes, as it changes', async () => {
    await open()
    expect(terminal.isFullScreen() && terminal.isCursorHidden()).toBe(true)
    expect(rowOf('coder-1')).toMatch(/coder +busy +Write the login +█+▌?░+ 50 % +15 % +2\.9 MB/)
    expect(terminal.text()).toMatch(/agents +3 .*1 busy/)
    await eventually(() => /latency +commit p50/.test(terminal.text()), 'the overview')
    expect(terminal.text()).toMatch(/store +memory +ping/)
    await client.publish('task.progress', { taskId: 'login', progress: 75, agentId: 'coder-1' })
    await client.publish('agent.status_changed', { agentId: 'coder-2', status: 'idle' })
    await eventually(() => rowOf('coder-1')?.includes('75 %') && rowOf('coder-2')?.includes('idle'), 'the change')
    await quit()
  })

  it('is worked by keys: sorts, filters, marks, opens, holds still, shows tasks', async () => {
    await open()
    await client.publish('agent.status_changed', { agentId: 'coder-2', status: 'error' })
    await eventually(() => places()[2]! < places()[0]!, 'what needs somebody first')
    terminal.press('s')
    await eventually(() => places()[0]! < places()[1]! && places()[1]! < places()[2]!, 'the order of names')
    terminal.press('r')
    await eventually(() => places()[2]! < places()[1]!, 'the other way round')
    terminal.press('/BUSY')
    await eventually(() => terminal.text().includes('/ BUSY█'))
    terminal.press('\r')
    await eventually(() => terminal.text().includes('1 of 3 agents by name, reversed'), 'the filter')
    terminal.press('\r')
    await eventually(() => /agent coder-1 +busy/.test(terminal.text()) && terminal.text().includes('capabilities  ts'), 'its facts')
    terminal.press(ESC)
    await eventually(() => terminal.text().includes('1 of 3'), 'the table again')
    terminal.press(ESC)
    await eventually(() => terminal.text().includes('3 of 3'), 'all of them')
    terminal.press(END)
    await eventually(() => terminal.lines().some((line) => line.startsWith('▸coder-0')), 'the mark at the end')
    terminal.press(`${UP}${UP}${DOWN}`)
    await eventually(() => terminal.lines().some((line) => line.startsWith('▸coder-1')), 'the mark in the middle')
    terminal.press('?')
    await eventually(() => terminal.text().includes('hold still'), 'the help')
    terminal.press('x')
    terminal.press('\t')
    await eventually(() => /▸login +in_progress +coder-1/.test(terminal.text()), 'the tasks')
    terminal.press('p')
    await eventually(() => terminal.text().includes('HELD'))
    await quit()
  })

  it('gives the terminal back when it is ended by a signal', async () => {
    await open()
    process.kill(await terminal.pid, 'SIGTERM')
    await terminal.exited
    expect([terminal.isFullScreen(), terminal.isCursorHidden()]).toEqual([false, false])
    await open()
    terminal.press('\u0003')
    expect((await terminal.exited).code).toBe(0)
    expect([terminal.isFullScreen(), terminal.isCursorHidden()]).toEqual([false, false])
  })

  it('says when the hub is away, and goes on when it is back', async () => {
    const other = await startHub()
    terminal = startOnTerminal(['top'], { HUBBUB_URL: other.url, HUBBUB_TOKEN: token() })
    await eventually(() => terminal.text().includes('● live'))
    await other.kill('SIGKILL')
    await eventually(() => terminal.text().includes('● offline'))
    const again = await startHub({ port: other.port })
    await eventually(() => terminal.text().includes('● live'), 'being back', 20_000)
    await quit()
    await again.stop()
  })

  it('fits small terminals, and lets nobody\'s text move the cursor, ring or name the window', async () => {
    await client.publish('task.created', { taskId: 'nasty', taskTitle: NASTY })
    await client.publish('task.accepted', { taskId: 'nasty', agentId: 'coder-0' })
    await client.publish('agent.registered', { agentId: 'coder-0', agentType: NASTY, capabilities: [NASTY] })
    await open({}, { columns: 80, rows: 16 })
    await eventually(() => rowOf('coder-0')?.includes(']0;owned'), 'its text')
    expect(terminal.lines().filter((line) => line.includes('coder-0'))).toHaveLength(1)
    terminal.press('\t')
    await eventually(() => terminal.lines().some((line) => line.includes('nasty')))
    terminal.press('\r')
    await eventually(() => terminal.text().includes('title'))
    expect([terminal.title(), terminal.bells(), terminal.lines()[0]!.includes('hubbub top')]).toEqual(['', 0, true])
    await quit()
  })

  it('shows what the token may see, and refuses what it may not', async () => {
    await open({ HUBBUB_TOKEN: token({ role: 'viewer' }) })
    await eventually(() => terminal.text().includes('INSUFFICIENT_PERMISSIONS, an operator\'s token shows them'))
    expect(rowOf('coder-1')).toBeDefined()
    await quit()
    expect(await command(['top', '--once'], { ...env, HUBBUB_TOKEN: token({ role: 'viewer', permissions: ['subscribe:run:*'] }) })).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('INSUFFICIENT_PERMISSIONS') })
    expect(await command(['top', 'now'], env)).toMatchObject({ code: 2 })
  })

  it('is one picture with --once, and JSON in a pipe', async () => {
    const picture = await command(['top', '--once'], env)
    expect(picture).toMatchObject({ code: 0, stdout: expect.stringMatching(/coder-1 +coder +busy/) })
    // oxlint-disable-next-line no-control-regex
    expect(picture.stdout).not.toMatch(/\u001b/)
    const { stdout } = await command(['top'], env)
    expect(JSON.parse(stdout)).toMatchObject({ overview: { store: { kind: 'memory' } }, agents: expect.arrayContaining([expect.objectContaining({ id: 'coder-1' })]) })
  })
})
