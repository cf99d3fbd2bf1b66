import { readCall, readRemote, REMOTE, UsageError, type Flags } from '../../server/src/cli/arguments.js'

const FLAGS: Flags = {
  since: { value: 'WHEN', env: 'T_SINCE', about: '' },
  last: { short: 'n', value: 'N', env: 'T_LAST', about: '' },
  types: { value: 'LIST', env: 'T_TYPES', isList: true, about: '' },
  role: { value: 'R', env: 'T_ROLE', default: 'viewer', about: '' },
  json: { env: 'T_JSON', about: '' },
}

describe('the arguments of a command', () => {
  it('are words and flags, long and short', () => {
    const call = readCall(FLAGS, ['task:1', '--since=10m', '-n', '5', 'task:2', '--json'], {})
    expect(call.words).toEqual(['task:1', 'task:2'])
    expect([call.text('since'), call.integer('last', 0, 10), call.on('json')]).toEqual(['10m', 5, true])
  })

  it('win over the environment, which wins over the default', () => {
    const env = { T_ROLE: 'agent' }
    expect(readCall(FLAGS, ['--role', 'admin'], env).text('role')).toBe('admin')
    expect(readCall(FLAGS, [], env).text('role')).toBe('agent')
    expect(readCall(FLAGS, [], { T_ROLE: '' }).text('role')).toBe('viewer')
  })

  it('take lists by commas, by repetition and from the environment', () => {
    expect(readCall(FLAGS, ['--types', 'a,b', '--types', 'c'], {}).list('types')).toEqual(['a', 'b', 'c'])
    expect(readCall(FLAGS, [], { T_TYPES: 'a, b' }).list('types')).toEqual(['a', 'b'])
    expect(readCall(FLAGS, [], {}).list('types')).toBeUndefined()
  })

  it('take switches from the environment as 1, true, 0, false', () => {
    expect(['1', 'true', '0', 'false', ''].map((text) => readCall(FLAGS, [], { T_JSON: text }).on('json'))).toEqual([true, true, false, false, false])
    expect(() => readCall(FLAGS, [], { T_JSON: 'maybe' }).on('json')).toThrow("T_JSON: 'maybe' is not allowed; allowed: 1, true, 0, false")
  })

  it('are refused in one line that names the flag', () => {
    const refusals = [
      () => readCall(FLAGS, ['--bogus'], {}),
      () => readCall(FLAGS, ['--since'], {}),
      () => readCall(FLAGS, ['--json=1'], {}),
      () => readCall(FLAGS, ['-n', 'x'], {}).integer('last', 0, 10),
      () => readCall(FLAGS, ['-n', '11'], {}).integer('last', 0, 10),
      () => readCall(FLAGS, [], {}).required('since'),
    ]
    for (const refuse of refusals) {
      expect(refuse).toThrow(UsageError)
      expect(refuse).toThrow(/^[^\n]*(--bogus|--since|--json|--last)[^\n]*$/)
    }
  })
})

describe('the hub that a command speaks to', () => {
  it('is the local one unless something else is said', () => {
    expect(readRemote(readCall(REMOTE, [], {}))).toEqual({ url: 'http://127.0.0.1:4000' })
    expect(readRemote(readCall(REMOTE, ['--project', 'p'], { HUBBUB_URL: 'https://hub.example/', HUBBUB_TOKEN: ' t\n' }))).toEqual({ url: 'https://hub.example', token: 't', project: 'p' })
  })

  it('is an http address, with one token', () => {
    for (const url of ['127.0.0.1:4000', 'redis://x', 'http://', 'http:// x']) expect(() => readRemote(readCall(REMOTE, ['--url', url], {}))).toThrow(/--url: .* is not allowed/)
    expect(() => readRemote(readCall(REMOTE, ['--token', 'a b'], {}))).toThrow('--token: white space')
  })
})
