/** The log holds no credential, whoever puts one into a line, and nothing in it acts on the terminal of whoever reads it. */
import { createLog, harmlessLine } from '../../server/src/observe/log.js'
import { token } from '../harness/token.js'

const JWT = token()
const KEY = `hub_0123456789abcdef_${'Ab3_-'.repeat(8)}xyz`

/** What was written, line by line. */
function logged(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  write(createLog('trace', 'n1', { write: (line) => void lines.push(line) }))
  return lines
}

function withCause(text: string): Error {
  return new Error(`outer ${text}`, { cause: new Error(text) })
}

const LEAKS: [string, (log: ReturnType<typeof createLog>) => void][] = [
  ['a field of that name', (log) => log.info({ token: 'opaque-0123456789' }, 'x')],
  ['a header', (log) => log.info({ headers: { authorization: 'opaque-0123456789', cookie: 'opaque-0123456789', 'x-api-key': 'opaque-0123456789' } }, 'x')],
  ['headers of a request', (log) => log.info({ request: { headers: { authorization: 'opaque-0123456789', 'x-api-key': 'opaque-0123456789' } } }, 'x')],
  ['an address', (log) => log.info({ url: `/api/v1/stream?topics=*&token=${JWT}&x=1` }, 'x')],
  ['an address with a key', (log) => log.info({ path: `/socket.io/?EIO=4&apiKey=${KEY}` }, `GET /ws?apiKey=${KEY}`)],
  ['an address that is encoded', (log) => log.info({ url: `/x?query=%7B%22auth%22%3A%22${KEY}%22%7D`, next: `/y%3Ftoken%3D${JWT}` }, `Bearer%20${KEY}`)],
  ['a message', (log) => log.warn(`refused Bearer ${JWT}`)],
  ['a scheme and something that is no JWT', (log) => log.warn('refused Bearer opaque-0123456789')],
  ['an error, its stack and its cause', (log) => log.error({ err: withCause(`no way with ${JWT} or ${KEY}`) }, 'failed')],
  ['an error of Redis, with the address and the password', (log) => log.error({ err: new Error('connect redis://admin:opaque-0123456789@redis:6379 failed') }, 'failed')],
  ['a command line', (log) => log.info({ argv: `hubbub status --token opaque-0123456789` }, 'x')],
  ['a child of the log', (log) => log.child({ part: 'x', token: 'opaque-0123456789' }).info({ url: `?token=${JWT}` }, 'x')],
  ['a sink\'s secret', (log) => log.info({ sink: { id: 's', secret: 'opaque-0123456789' }, text: `whsec_${'A'.repeat(32)}` }, 'x')],
]

test.each(LEAKS)('a credential in %s is not written', (_where, write) => {
  const [line = '', ...rest] = logged(write)
  expect(rest).toEqual([])
  for (const secret of [JWT, JWT.split('.')[1]!, KEY, KEY.slice(-20), 'opaque-0123456789', 'A'.repeat(32)]) expect(line).not.toContain(secret)
  expect(line).toContain('***')
  expect(() => JSON.parse(line) as unknown).not.toThrow()
})

test('what is none stays as it was', () => {
  const plain = { url: 'http://127.0.0.1:4000', path: '/api/v1/history', key: '0123456789abcdef', partition: 3, code: 'AUTH_INVALID_TOKEN', tokens: 7, message: 'a token of the agent is needed', topics: 'task:*' }
  const [line] = logged((log) => log.info(plain, 'hub is up'))
  expect(JSON.parse(line!)).toMatchObject({ ...plain, node: 'n1', msg: 'hub is up' })
})

test('a line is one line, and nothing in it acts on a terminal', () => {
  const hostile = 'a\u001b[2J\u001b]0;owned\u0007\r\nb\u009b31m\u202ec\u2066\u2028d\u200b'
  const lines = logged((log) => log.warn({ path: hostile, err: new Error(hostile) }, hostile))
  expect(lines).toHaveLength(1)
  // oxlint-disable-next-line no-control-regex
  expect(lines[0]!.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/)
  expect(JSON.parse(lines[0]!)).toMatchObject({ path: hostile, msg: hostile })
})

test('a megabyte of what begins like a secret is looked at quickly', () => {
  const made = ['eyJ'.repeat(300_000), '://a:'.repeat(200_000), `?token=${'&token='.repeat(100_000)}`, '--token '.repeat(100_000), 'Bearer '.repeat(100_000), `hub_0123456789abcdef_`.repeat(40_000)]
  // Gone through once for each place that looks like a beginning, it would take hours.
  const begun = performance.now()
  for (const text of made) harmlessLine(JSON.stringify({ text }))
  expect(performance.now() - begun).toBeLessThan(20_000)
}, 60_000)
