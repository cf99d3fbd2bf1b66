import { startReceiver, type Receiver } from '../gateway/sinksReceiver.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'
import { command } from './command.js'

describe('hubbub sink', () => {
  let hub: HubProcess
  let receiver: Receiver
  let env: Record<string, string>
  const lines = (text: string): Record<string, unknown>[] => text.trimEnd().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)

  beforeAll(async () => {
    receiver = await startReceiver()
    hub = await startHub({ env: { HUBBUB_SINK_PRIVATE: 'allow', HUBBUB_SINK_HTTP: 'allow' } })
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token({ sub: 'ci', role: 'service' }) }
  })
  afterAll(async () => {
    await hub.stop()
    await receiver.shut()
  })

  it('adds, lists, shows, pauses, resumes and removes one', async () => {
    const added = await command(['sink', 'add', receiver.url, '--topics', 'task:*,agent:a1', '--types', 'task.*', '--format', 'slack', '--template', '{{data.taskId}}!', '--id', 'chat'], env)
    expect([added.code, lines(added.stdout)]).toEqual([0, [expect.objectContaining({ id: 'chat', secret: expect.stringMatching(/^whsec_/), format: 'slack', topics: ['task:*', 'agent:a1'], types: ['task.*'] })]])
    expect((await command(['publish', 'task.progress', '--data', '{"taskId":"T","progress":1}'], env)).code).toBe(0)
    await receiver.holds(1)
    expect(JSON.parse(receiver.taken[0]!.body)).toMatchObject({ text: 'T!' })
    await eventually(async () => lines((await command(['sink', 'show', 'chat'], env)).stdout)[0]!['deliveries'] === 1, 'the delivery being counted')
    expect(lines((await command(['sink', 'list'], env)).stdout)).toEqual([expect.objectContaining({ id: 'chat', status: 'active', deliveries: 1 })])
    expect(lines((await command(['sink', 'pause', 'chat'], env)).stdout)).toEqual([expect.objectContaining({ status: 'paused', reason: 'paused by ci' })])
    expect(lines((await command(['sink', 'resume', 'chat'], env)).stdout)).toEqual([expect.objectContaining({ status: 'active' })])
    expect(lines((await command(['sink', 'remove', 'chat'], env)).stdout)).toEqual([{ ok: true, id: 'chat' }])
    expect(await command(['sink', 'list'], env)).toMatchObject({ code: 0, stdout: '' })
    expect(await command(['sink', 'remove', 'chat'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
  })

  it('says what is wrong', async () => {
    for (const args of [[], ['add'], ['add', receiver.url], ['add', receiver.url, '--topics', 'nonsense'], ['add', receiver.url, '--topics', 'task:*', '--types', 'X'], ['pause'], ['list', 'x'], ['show', 'a', 'b']]) {
      expect([args, (await command(['sink', ...args], env)).code]).toEqual([args, 2])
    }
    expect(await command(['sink', 'add', 'ftp://x', '--topics', 'task:*'], env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^hubbub sink: INVALID_MESSAGE: `url` must be an https/) })
    expect(await command(['sink', 'list'], { ...env, HUBBUB_TOKEN: token({ role: 'viewer' }) })).toMatchObject({ code: 1, stderr: expect.stringContaining('INSUFFICIENT_PERMISSIONS') })
    expect((await command(['help', 'sink'], env)).stdout).toContain('--topics T')
  })
})
