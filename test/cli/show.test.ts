import { spawnSync } from 'node:child_process'
import { connect, type Client } from '@hubbub/client'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'
import { command, startCommand } from './command.js'
import { startOnTerminal } from './terminal.js'

describe('what is known, on a terminal', () => {
  let hub: HubProcess
  let env: Record<string, string>
  let client: Client
  const order = async (taskId: string, more: object = {}): Promise<void> => {
    await client.publish('task.created', { taskId, taskTitle: `Title of ${taskId}`, pipelineId: 'release', stage: 1, ...more })
    await client.publish('task.accepted', { taskId, agentId: 'coder' })
    await client.publish('task.progress', { taskId, progress: 40, message: 'half way', agentId: 'coder' })
  }

  beforeAll(async () => {
    hub = await startHub()
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token() }
    client = connect(hub.url, { token: token() })
    await client.publish('agent.registered', { agentId: 'coder', agentType: 'coder', capabilities: ['ts', 'git'] })
    await client.publish('pipeline.started', { pipelineId: 'release', name: 'Release 7' })
    await order('build')
    await client.publish('pipeline.step_completed', { pipelineId: 'release', step: 'checkout' })
  })
  afterAll(async () => {
    client.close()
    await hub.stop()
  })

  it.each([
    ['task', 'build', [/^task build {2}in progress {2}█+[▏▎▍▌▋▊▉]?░+ 40 %$/m, /title +Title of build/, /agent +coder$/m, /pipeline +release, stage 1/, /last events\n(.*\n)*.*task\.progress/]],
    ['agent', 'coder', [/^agent coder {2}\w+/m, /capabilities +ts, git/, /in_progress +█+░+ +40 % {2}Title of build/]],
    ['pipeline', 'release', [/^pipeline release {2}running/m, /name +Release 7/, /STAGE +DONE/, /1 +0\/1 +1/, /✓ checkout/, /Title of build {2}build {2}→ coder/]],
  ] as const)('%s show', async (kind, id, shown) => {
    const terminal = startOnTerminal([kind, 'show', id], { ...env, NO_COLOR: '1' }, { columns: 140, rows: 50 })
    expect((await terminal.exited).code).toBe(0)
    await eventually(() => shown.every((part) => part.test(terminal.text())), `all of ${terminal.text()}`)
    const { code, stdout } = await command([kind, 'show', id, '-n', '3'], env)
    const found = JSON.parse(stdout) as { events: unknown[] }
    expect([code, found, found.events.length <= 3]).toMatchObject([0, { kind, id }, true])
  })

  it('list shows all, or those with a status', async () => {
    const all = await command(['task', 'list'], env)
    expect(all.stdout.trim().split('\n').map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['build'])
    expect(await command(['task', 'list', '--status', 'failed,completed'], env)).toMatchObject({ code: 0, stdout: '' })
    const terminal = startOnTerminal(['agent', 'list'], env)
    await terminal.exited
    await eventually(() => /coder +coder +\w+ +build/.test(terminal.text()), 'the table')
  })

  it('what is not there is said with a code; wrong words are wrong usage', async () => {
    expect(await command(['task', 'show', 'nobody'], env)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^hubbub task: TASK_NOT_FOUND: .*'nobody'/) })
    expect(await command(['pipeline', 'show', 'nobody'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
    for (const args of [['task'], ['task', 'show'], ['task', 'show', 'a b'], ['task', 'show', '*'], ['agent', 'drop', 'x'], ['task', 'show', 'a', 'b'], ['task', 'show', 'a', '-n', 'many']]) {
      expect([args, (await command(args, env)).code]).toEqual([args, 2])
    }
  })

  it('tail --follow-task shows a task until its end: its bar stays below what is said', async () => {
    await order('long')
    const terminal = startOnTerminal(['tail', '--follow-task', 'long'], env)
    await eventually(() => terminal.lines().findLast((line) => line !== '')?.match(/in_progress +████░+ +40 % {2}Title of long/), 'its bar')
    await client.publish('task.progress', { taskId: 'long', progress: 80, agentId: 'coder' })
    await client.publish('agent.log', { agentId: 'coder', level: 'info', message: 'nearly there', taskId: 'long' })
    await eventually(() => terminal.lines().findLast((line) => line !== '')?.includes('80 %') && terminal.text().includes('nearly there'), 'what came')
    expect(terminal.lines().filter((line) => line.startsWith('in_progress'))).toHaveLength(1)
    await client.publish('task.completed', { taskId: 'long' })
    expect((await terminal.exited).code).toBe(0)
    await eventually(() => terminal.lines().some((line) => line.startsWith('completed')), 'the last word')
  })

  it('tail --follow-task ends with 1 for one that fails, and in a pipe gives JSON', async () => {
    await order('short')
    const running = startCommand(['tail', '--follow-task', 'short'], env)
    await eventually(() => running.events().some(({ type }) => type === 'task.progress'), 'its past')
    await client.publish('task.failed', { taskId: 'short', error: 'no disk' })
    expect((await running.exited).code).toBe(1)
    expect(running.events().map(({ type }) => type)).toContain('task.failed')
    expect(await command(['tail', '--follow-task', 'nobody'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('TASK_NOT_FOUND') })
    for (const args of [['task:1'], ['-n', '3'], ['--types', 'task.*'], ['--no-follow']]) expect([args, (await command(['tail', ...args, '--follow-task', 'x'], env)).code]).toEqual([args, 2])
  })

  it('completes commands, words and flags', async () => {
    const { stdout } = await command(['completion', 'bash'])
    const complete = (...words: string[]): string[] => {
      const script = `set -u\n${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _hubbub; echo "\${COMPREPLY[@]}"`
      const { stderr, stdout: found } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
      expect(stderr).toBe('')
      return found.trim().split(' ')
    }
    expect(complete('hubbub', 'ta')).toEqual(expect.arrayContaining(['tail', 'task']))
    expect(complete('hubbub', 'task', '')).toEqual(expect.arrayContaining(['show', 'list', '--json']))
    expect(complete('hubbub', 'tail', '--fol')).toEqual(['--follow-task'])
    expect(complete('hubbub', 'dead', 'r')).toEqual(['replay'])
    expect(complete('hubbub', 'nonsense', '')).toEqual([''])
    for (const shell of ['zsh', 'fish']) expect(await command(['completion', shell])).toMatchObject({ code: 0, stdout: expect.stringContaining('follow-task') })
    expect(await command(['completion', 'tcsh'])).toMatchObject({ code: 2, stderr: expect.stringContaining('bash, zsh, fish') })
  })
})
