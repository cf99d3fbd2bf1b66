import { startHub, type HubProcess } from '../harness/hub.js'
import { SECRET, token } from '../harness/token.js'
import { command } from './command.js'

describe('commands against a running hub', () => {
  let hub: HubProcess
  let env: Record<string, string>
  const lines = (text: string): Record<string, unknown>[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

  beforeAll(async () => {
    hub = await startHub()
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token() }
  })
  afterAll(() => hub.stop())

  it('publish one event', async () => {
    const { code, stdout } = await command(['publish', 'custom.hello', '--topic', 'task:1', '--data', '{"n":1}', '--id', 'once'], env)
    expect([code, lines(stdout)]).toEqual([0, [{ id: 'once', type: 'custom.hello', offset: expect.any(String) }]])
    expect(lines((await command(['publish', 'custom.hello', '--data', '{"n":1}', '--id', 'once'], env)).stdout)).toMatchObject([{ id: 'once', duplicate: true }])
  })

  it('publish lines of JSON, in order, and say which lines failed', async () => {
    const input = `${Array.from({ length: 700 }, (_, n) => JSON.stringify({ n })).join('\n')}\nnot json\n\n{"n":700}\n`
    const { code, stdout, stderr } = await command(['publish', 'custom.line', '--topic', 'task:lines', '--data', '-'], env, input)
    expect(code).toBe(1)
    expect(stderr).toBe('hubbub publish: line 701: it is not JSON: not json\n')
    expect(lines(stdout)).toHaveLength(701)
    const { stdout: kept } = await command(['tail', 'task:lines', '--since', 'all', '--no-follow'], env)
    expect(lines(kept).map(({ data }) => (data as { n: number }).n)).toEqual(Array.from({ length: 701 }, (_, n) => n))
  })

  it('publish nothing that the hub refuses, and say why', async () => {
    const refused = await command(['publish', 'task.progress', '--data', '{"taskId":"1","progress":"x"}'], env)
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^hubbub publish: VALIDATION_ERROR: .*progress.*\n$/) })
    for (const args of [[], ['custom.x'], ['custom.x', '--data', '{'], ['custom.x', 'y', '--data', '{}']]) expect((await command(['publish', ...args], env)).code).toBe(2)
  })

  it('sign tokens that the hub takes', async () => {
    const signed = await command(['token', '--sub', 'ci', '--role', 'service', '--ttl', '5m'], { HUBBUB_JWT_SECRET: SECRET })
    expect(signed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^eyJ\S+\n$/) })
    expect(await command(['publish', 'custom.ci', '--data', '{}'], { ...env, HUBBUB_TOKEN: signed.stdout })).toMatchObject({ code: 0 })
    for (const args of [['--role', 'admin'], ['--sub', 'a', '--role', 'king'], ['--sub', 'a', '--ttl', 'soon']]) {
      expect(await command(['token', ...args], { HUBBUB_JWT_SECRET: SECRET })).toMatchObject({ code: 2, stdout: '' })
    }
    expect(await command(['token', '--sub', 'a'])).toMatchObject({ code: 2, stderr: expect.stringContaining('HUBBUB_JWT_SECRET: unset') })
  })

  it('make, list and revoke keys', async () => {
    const made = await command(['key', 'create', '--sub', 'bot', '--role', 'viewer'], env)
    const key = made.stdout.trim()
    expect(key).toMatch(/^hub_/)
    const asBot = { ...env, HUBBUB_TOKEN: key }
    expect((await command(['tail', '*', '-n', '1', '--no-follow'], asBot)).code).toBe(0)
    expect(await command(['publish', 'custom.x', '--data', '{}'], asBot)).toMatchObject({ code: 1, stderr: expect.stringContaining('INSUFFICIENT_PERMISSIONS') })
    const listed = lines((await command(['key', 'list'], env)).stdout).find(({ subject }) => subject === 'bot')!
    expect((await command(['key', 'revoke', String(listed['id'])], env)).code).toBe(0)
    expect(await command(['status'], asBot)).toMatchObject({ code: 1, stderr: expect.stringContaining('AUTH_REVOKED') })
    expect((await command(['key', 'revoke'], env)).code).toBe(2)
    expect(await command(['key', 'revoke', 'nobody'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
  })

  it('show the status', async () => {
    expect(JSON.parse((await command(['status'], env)).stdout)).toMatchObject({ role: 'all', store: { kind: 'memory', partitions: 4 } })
  })

  it('list dead letters, and know which there are', async () => {
    expect(await command(['dead', 'list'], env)).toMatchObject({ code: 0, stdout: '' })
    expect(await command(['dead', 'show', '0/1-0'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
    expect(await command(['dead', 'drop', 'x'], env)).toMatchObject({ code: 2, stderr: expect.stringContaining('PARTITION/OFFSET') })
    expect((await command(['dead'], env)).code).toBe(2)
  })

  it('fail with a code and a remedy: no hub, no token, a wrong one', async () => {
    expect(await command(['status', '--url', 'http://127.0.0.1:1'], env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/UNAVAILABLE: Cannot reach the hub at http:\/\/127.0.0.1:1/) })
    expect(await command(['tail', '*', '--url', 'http://127.0.0.1:1'], env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/Cannot reach the hub/) })
    expect(await command(['status'], { HUBBUB_URL: hub.url })).toMatchObject({ code: 1, stderr: expect.stringMatching(/AUTH_MISSING_TOKEN: .*Send a token/) })
    expect(await command(['tail', '*'], { ...env, HUBBUB_TOKEN: token({}, 'another secret, also longer than 32 characters') })).toMatchObject({ code: 1, stderr: expect.stringContaining('AUTH_INVALID_TOKEN') })
  })
})
