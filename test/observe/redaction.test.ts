/** What a debug tap writes of an event's data: nothing that is secret, nothing that acts, and not much of it. */
import { maskedOf, shapeOf, shownText, visible } from '../../server/src/observe/tap-redaction.js'

const JWT = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLWl0'

describe('the shape of data', () => {
  test('says types and sizes, and no value', () => {
    const data = { taskId: 'T-1', progress: 40, done: false, none: null, tags: ['secret-a', 'b'], nested: { token: 'abc', deep: [{ x: 'y' }] }, empty: [] }
    expect({ ...(shapeOf(data) as object) }).toEqual({
      taskId: 'string(3)', progress: 'number', done: 'boolean', none: 'null', tags: ['array(2)', 'string(8)'], nested: { token: 'string(3)', deep: ['array(1)', { x: 'string(1)' }] }, empty: 'array(0)',
    })
  })

  test('ends at a depth, and at a number of fields', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 'x' : { next: deep(levels - 1) })
    expect(JSON.stringify(shapeOf(deep(50))).length).toBeLessThan(200)
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, place) => [`f${place}`, place]))
    expect(Object.keys(shapeOf(wide) as object)).toHaveLength(31)
    expect(JSON.stringify(shapeOf(Array.from({ length: 100_000 }, () => ({ a: 1 }))))).toBe('["array(100000)",{"a":"number"}]')
  })

  test('takes a field called __proto__ for a field', () => {
    const shape = shapeOf(JSON.parse('{"__proto__":{"polluted":true},"constructor":"x"}')) as object
    expect(JSON.stringify(shape)).toBe('{"__proto__":{"polluted":"boolean"},"constructor":"string(1)"}')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('shows no secret that stands where a name should', () => {
    expect(Object.keys(shapeOf({ [JWT]: 1, ['ghp_0123456789abcdefghij0123456789abcdef']: 2 }) as object)).toEqual(['***'])
  })
})

describe('values', () => {
  test.each([
    'token', 'accessToken', 'access_token', 'refresh-token', 'secret', 'clientSecret', 'password', 'passwd', 'dbPassword', 'authorization', 'Authorization', 'apiKey', 'api_key', 'X-Api-Key', 'x-hub-signature-256', 'cookie', 'Set-Cookie',
    'privateKey', 'sessionId', 'credentials', 'jwt', 'passphrase',
  ])('of %s are masked', (name) => {
    expect({ ...(maskedOf({ [name]: 'hunter2' }) as object) }).toEqual({ [name]: '***' })
    expect(JSON.stringify(maskedOf({ outer: [{ [name]: { value: 'hunter2' } }] }))).not.toContain('hunter2')
  })

  test.each([
    ['a JSON Web Token', `before ${JWT} after`, 'before *** after'],
    ['one that was cut', JWT.slice(0, 40), '***'],
    ['a bearer', 'Authorization: Bearer abc.def-123', 'Authorization: ***'],
    ['a key of this hub', 'hub_0123456789abcdef_secretsecretsecret', '***'],
    ['a key of GitHub', 'clone with ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'clone with ***'],
    ['a key of a model', 'sk-ant-api03-abcdefghijklmnop', '***'],
    ['a key of AWS', 'AKIAIOSFODNN7EXAMPLE', '***'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----', '***'],
    ['a password in a URL', 'postgres://app:hunter2@db/main', 'postgres://***@db/main'],
    ['a parameter of a URL', 'https://x.example/cb?code=abc123&state=1&access_token=zzz', 'https://x.example/cb?code=***&state=1&access_token=***'],
    ['an assignment', 'PASSWORD=hunter2 node .', 'PASSWORD=*** node .'],
    ['an assignment of a longer name', 'export DB_PASSWORD=hunter2 GITHUB_TOKEN=abc; client_secret: "a b"', 'export DB_PASSWORD=*** GITHUB_TOKEN=***; client_secret: ***'],
    ['JSON of a tool\'s arguments', '{"user":"ann","password":"hun\\"ter2","n":1}', '{"user":"ann","password":***,"n":1}'],
    ['JSON in JSON', '{\\"user\\":\\"ann\\",\\"apiKey\\":\\"hunter2\\"}', '{\\"user\\":\\"ann\\",\\"apiKey\\":***}'],
    ['a header', 'GET /\nAuthorization: hunter2\nCookie: sid=hunter2; theme=dark\nHost: x', 'GET /\\u000aAuthorization: ***\\u000aCookie: ***\\u000aHost: x'],
    ['an option', 'login --password hunter2 --token=abc; curl -u ann:hunter2 x', 'login --password *** --token=***; curl -u ann:*** x'],
    ['a password in a URL that holds what URLs are made of', 'redis://:p@ss/word@db/0', 'redis://***@db/0'],
    ['a long run of letters and digits', 'key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'key ***'],
  ])('with %s are masked in it', (_, text, shown) => {
    expect(maskedOf({ note: text })).toMatchObject({ note: shown })
  })

  test('of headers and variables are masked in whatever form they are listed', () => {
    const data = { rawHeaders: ['Host', 'x', 'Cookie', 'hunter2'], headers: [['x-api-key', 'hunter2']], env: [{ name: 'DB_PASSWORD', value: 'hunter2' }, { key: 'colour', value: 'red' }], auth: 'hunter2', key: 'hunter2', 'x-auth': 'hunter2' }
    const shown = JSON.stringify(maskedOf(data))
    expect(shown).not.toContain('hunter2')
    for (const plain of ['"Host","x"', 'DB_PASSWORD', '"colour","value":"red"']) expect(shown).toContain(plain)
  })

  test('that are no secrets are shown', () => {
    const data = { title: 'Implement JWT authentication', id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', path: 'server/src/gateway/websocket/dialects/autosdlc/conversation.ts', maxTokens: 4096, completion_tokens: 12, n: 1.5, ok: true, none: null }
    expect({ ...(maskedOf(data) as object) }).toEqual(data)
  })

  test('are cut: text, lists, fields, depth', () => {
    const shown = maskedOf({ text: 'ab '.repeat(400_000), list: Array.from({ length: 5000 }, (_, place) => place) }) as { text: string; list: unknown[] }
    expect(shown.text).toBe(`${'ab '.repeat(66)}ab... (1200000)`)
    expect(shown.list).toHaveLength(11)
    expect(shown.list.at(-1)).toBe('and 4990 more')
    const deep = (levels: number): unknown => (levels === 0 ? 'x' : { next: deep(levels - 1) })
    expect(JSON.stringify(maskedOf(deep(500))).length).toBeLessThan(200)
  })

  test('are so many a line, however they are nested', () => {
    const bush = (levels: number): unknown => (levels === 0 ? 'leaf of the bush' : Object.fromEntries(Array.from({ length: 20 }, (_, place) => [`f${place}`, bush(levels - 1)])))
    for (const shown of [maskedOf(bush(4)), shapeOf(bush(4)), maskedOf([[bush(4)]])]) expect(JSON.stringify(shown).length).toBeLessThan(10_000)
    expect(JSON.stringify(maskedOf(bush(4)))).toContain('and 19 more')
  })

  test('that a cut would end within a secret are masked before', () => {
    expect(shownText(`${'a '.repeat(90)}${JWT}`)).not.toContain('eyJ')
  })

  test('of a megabyte made to be slow are looked at quickly', () => {
    const began = performance.now()
    for (const text of ['eyJ'.repeat(300_000), '?'.repeat(1_000_000), 'token='.repeat(160_000), `${'a-'.repeat(500_000)}=`, '://'.repeat(300_000), '-----BEGIN PRIVATE KEY-----'.repeat(40_000)]) shownText(text)
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe('text that acts on whoever reads it', () => {
  test.each([
    ['colours and cursors of a terminal', '\u001b[2J\u001b[31mred', '\\u001b[2J\\u001b[31mred'],
    ['an OSC sequence', '\u001b]8;;http://evil\u0007click', '\\u001b]8;;http://evil\\u0007click'],
    ['a turned direction', 'file\u202egnp.exe', 'file\\u202egnp.exe'],
    ['a line of its own', 'a\n{"level":60}', 'a\\u000a{"level":60}'],
    ['half a character', 'a\ud800b', 'a\\ud800b'],
    ['C1 controls', 'a\u009b31mb', 'a\\u009b31mb'],
  ])('%s is written as it is called', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
    expect(shownText(text)).toBe(shown)
    expect(Object.keys(shapeOf({ [text]: 1 }) as object)).toEqual([shown])
  })
})
