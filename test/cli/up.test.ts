import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { eventually } from '../harness/eventually.js'
import { command, startCommand, type CommandProcess } from './command.js'

const ready = (hub: CommandProcess): Promise<string> => eventually(() => /^hubbub is ready: (http:\S+)$[^]*curl .*\n/m.exec(hub.stdout())?.[1], 'the ready lines')

/** A printed line, as a shell takes it; `npx hubbub` is this repository's own. */
function paste(line: string): CommandProcess['child'] {
  return spawn('sh', ['-c', line.replace('npx hubbub', `exec "${process.execPath}" server/bin/hubbub.mjs`)], { stdio: ['ignore', 'pipe', 'inherit'] })
}

describe('hubbub up', () => {
  it('prints a URL, a token, and lines that work when they are pasted', async () => {
    const hub = startCommand(['up', '--port', '0'])
    const url = await ready(hub)
    expect(hub.stdout()).toContain('in-memory store')
    const line = (start: string): string => new RegExp(`^${start} .*$`, 'm').exec(hub.stdout())![0]
    const tail = paste(line('npx hubbub tail'))
    let seen = ''
    tail.stdout!.setEncoding('utf8').on('data', (text: string) => (seen += text))
    try {
      await eventually(async () => {
        const curl = paste(line('curl'))
        let answer = ''
        curl.stdout!.on('data', (text: Buffer) => (answer += String(text)))
        await new Promise((done) => curl.once('close', done))
        return answer.includes('"ok":true') && seen.includes('custom.hello')
      }, 'an event through the pasted lines', 10_000, 200)
      const token = /^eyJ\S+$/m.exec(hub.stdout())![0]
      expect(await command(['status', '--url', url, '--token', token])).toMatchObject({ code: 0, stdout: expect.stringContaining('"kind":"memory"') })
      expect(hub.stdout()).toContain(`${url}/#token=${token}`)
      const page = await fetch(`${url}/`)
      expect([page.status, (await page.text()).includes('<title>Hubbub</title>'), page.headers.get('content-security-policy')]).toEqual([200, true, expect.stringContaining("script-src 'self'")])
    } finally {
      tail.kill('SIGINT')
      hub.child.kill('SIGTERM')
    }
    expect(await hub.exited).toEqual({ code: 0, signal: null })
  })

  it('is ready in one line of JSON for a program', async () => {
    const hub = startCommand(['up', '--port', '0', '--json'], { HUBBUB_DASHBOARD: 'off' })
    const { url, token, store } = JSON.parse(await eventually(() => /^\{.*\}$/m.exec(hub.stdout())?.[0], 'the line')) as { url: string; token: string; store: string }
    expect([store, (await command(['status', '--url', url, '--token', token])).code, (await fetch(`${url}/`)).status]).toEqual(['memory', 0, 404])
    hub.child.kill('SIGTERM')
    expect((await hub.exited).code).toBe(0)
  })

  it('stops in order at the first signal, and at once at the second', async () => {
    const hub = startCommand(['up', '--port', '0'])
    await ready(hub)
    hub.child.kill('SIGINT')
    await eventually(() => hub.stderr().includes('stopping in order'))
    hub.child.kill('SIGINT')
    expect([0, 130]).toContain((await hub.exited).code)
  })

  it('stops before it starts, in one line, at a wrong value', async () => {
    const wrong: [string[], Record<string, string>, string][] = [
      [['--port', '99999'], {}, "hubbub: --port: '99999' is not allowed; allowed: an integer from 0 to 65535\n"],
      [[], { HUBBUB_MAX_DEPTH: 'deep' }, "hubbub: HUBBUB_MAX_DEPTH: 'deep' is not allowed; allowed: an integer from 4 to 200 (levels)\n"],
      [[], { HUBBUB_LEASE_RENEW_MS: '6000' }, "hubbub: HUBBUB_LEASE_RENEW_MS: '6000' is not allowed; allowed: less than half of HUBBUB_LEASE_MS (10000)\n"],
      [[], { HUBBUB_OFFLINE_MS: '60000' }, "hubbub: HUBBUB_OFFLINE_MS: '60000' is not allowed; allowed: at least HUBBUB_STALE_MS (90000)\n"],
      [['--role', 'worker'], {}, "hubbub: HUBBUB_ROLE: 'worker' is not allowed without REDIS_URL; allowed: all, or a Redis\n"],
      [['--redis', 'redis://127.0.0.1:1'], {}, 'hubbub: HUBBUB_JWT_SECRET: unset is not allowed with REDIS_URL'],
      [['--nonsense'], {}, "hubbub up: unknown option '--nonsense'"],
      [['now'], {}, "hubbub up: 'now' is one word too many"],
    ]
    for (const [args, env, line] of wrong) {
      const { code, stdout, stderr } = await command(['up', ...args], env)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain(line)
      expect(stderr.trimEnd()).not.toContain('\n')
    }
  })

  it('says that its port is taken', async () => {
    const squatter = createServer()
    await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done))
    const { port } = squatter.address() as AddressInfo
    const { code, stderr } = await command(['up', '--port', String(port)], { HUBBUB_LOG_LEVEL: 'error' })
    squatter.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^hubbub up: .*EADDRINUSE.*${port}\\n$`))
  })
})

describe('hubbub', () => {
  it('explains itself', async () => {
    const [all, one] = await Promise.all([command(['help']), command(['tail', '--help'])])
    for (const name of ['up', 'key', 'token', 'publish', 'tail', 'status', 'dead']) expect(all.stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(one.stdout).toContain('--since WHEN')
    expect([all.code, one.code, (await command(['version'])).stdout]).toEqual([0, 0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
  })

  it('knows its commands', async () => {
    expect(await command(['tial'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^hubbub: 'tial' is no command; there are up, .*\n$/) })
    expect(await command(['constructor'])).toMatchObject({ code: 2 })
  })
})
