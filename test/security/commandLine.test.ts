/** What the command line shows of the secrets that it is given: nothing, neither to whoever reads its output nor to whoever lists the machine's processes. */
import { readFileSync } from 'node:fs'
import { titleOf } from '../../server/src/cli/title.js'
import { readSettings } from '../../server/src/settings/read.js'
import { command, startCommand } from '../cli/command.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { token } from '../harness/token.js'

const SECRET = 'sup3rs3cr3t-0123456789'
/** Nobody listens there. */
const NOBODY = ['--url', 'http://127.0.0.1:1']

test.each([
  ['status', '--token', SECRET, ...NOBODY],
  ['status', `--token=${SECRET}`, ...NOBODY],
  ['status', '--tokne', SECRET],
  ['status', `--tokne=${SECRET}`],
  ['publish', 'task.progress', '--token', SECRET],
  ['sink', 'add', 'not a url', '--topics', 'task:*', '--secret', SECRET, ...NOBODY],
  ['up', '--redis', `http://user:${SECRET}@redis`],
  ['up', '--redis', `redis://user:${SECRET}@127.0.0.1:1`, '--port', '0'],
])('`hubbub %s %s` prints no secret', async (...args) => {
  const { code, stdout, stderr } = await command(args, { HUBBUB_GITHUB_SECRET: SECRET })
  expect([code === 0, stdout + stderr]).toEqual([false, expect.not.stringContaining(SECRET)])
}, 30_000)

test('a setting that is refused is shown without the password in it', () => {
  for (const env of [{ REDIS_URL: `http://user:${SECRET}@redis` }, { REDIS_URL: `http://:a/@${SECRET}@redis` }, { HUBBUB_JWT_SECRET: SECRET }, { OTEL_EXPORTER_OTLP_ENDPOINT: `ftp://user:${SECRET}@otel` }]) {
    expect(() => readSettings(env)).toThrow(expect.objectContaining({ name: 'SettingError', message: expect.not.stringContaining(SECRET) as string }))
  }
})

test('a running command shows others on the machine how it was called, and no secret', async () => {
  expect(titleOf(['tail', 'task:*', '--token', 'a', '--since=1m', '--token=b', '--redis', 'redis://c'])).toBe('hubbub tail task:* --token *** --since=1m --token=*** --redis ***')
  if (process.platform !== 'linux') return
  const hub = await startHub()
  const credential = token()
  const tail = startCommand(['tail', 'task:*', '--url', hub.url, '--token', credential])
  const listed = await eventually(() => {
    const text = readFileSync(`/proc/${tail.child.pid}/cmdline`, 'utf8')
    return text.startsWith('hubbub ') && text
  }, 'the title', 40_000)
  expect(listed).toContain('tail task:*')
  expect(listed).not.toContain(credential.slice(0, 20))
  tail.child.kill('SIGKILL')
  await tail.exited
  await hub.stop()
}, 90_000)
