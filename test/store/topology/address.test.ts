import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingError, settingsWith } from '../../../server/src/settings/read.js'
import { parseAddress } from '../../../server/src/store/redis/address.js'
import { readTls } from '../../../server/src/store/redis/dial.js'
import { SlotMap, slotOf } from '../../../server/src/store/redis/slots.js'

const PLAIN = { tls: false, credentials: {}, database: 0, master: '', sentinelCredentials: {} }

describe('an address of Redis', () => {
  test.each([
    ['redis://127.0.0.1', { ...PLAIN, kind: 'standalone', endpoints: [{ host: '127.0.0.1', port: 6379 }] }],
    ['rediss://hub:p%40ss%2F@redis.example:6380/3', { ...PLAIN, kind: 'standalone', tls: true, endpoints: [{ host: 'redis.example', port: 6380 }], credentials: { username: 'hub', password: 'p@ss/' }, database: 3 }],
    ['redis://:secret@[::1]:7000', { ...PLAIN, kind: 'standalone', endpoints: [{ host: '::1', port: 7000 }], credentials: { password: 'secret' } }],
    ['redis+sentinel://a,b:26380/hub', { ...PLAIN, kind: 'sentinel', endpoints: [{ host: 'a', port: 26_379 }, { host: 'b', port: 26_380 }], master: 'hub' }],
    ['rediss+sentinel://u:p@a/hub?sentinelUser=s&sentinelPassword=q%26', { ...PLAIN, kind: 'sentinel', tls: true, endpoints: [{ host: 'a', port: 26_379 }], credentials: { username: 'u', password: 'p' }, master: 'hub', sentinelCredentials: { username: 's', password: 'q&' } }],
    ['redis+cluster://a:7000,[fd00::1]:7001/', { ...PLAIN, kind: 'cluster', endpoints: [{ host: 'a', port: 7000 }, { host: 'fd00::1', port: 7001 }] }],
  ])('%s', (url, address) => {
    expect(parseAddress(url)).toEqual(address)
  })

  test.each([
    ['redis://a:0', '\'a:0\' is no host:port'],
    ['redis://a:70000', '\'a:70000\' is no host:port'],
    ['redis://', 'a host is missing'],
    ['redis://hub:hush@', 'a host is missing'],
    ['redis://a,b', 'several hosts are of a Cluster or of Sentinels'],
    ['redis://a/x', '\'x\' is no number of a database'],
    ['redis+sentinel://hub:hush@a:26379', 'the name of the master is missing'],
    ['redis+cluster://a,,b', 'a host is missing'],
    ['redis+cluster://a/1', 'a Cluster has database 0 only'],
    ['redis+sentinel://a/hub?sentinel=hush', '\'sentinel\' is no parameter of it'],
    ['redis://hub:%hush@a', 'a % in it is not followed by two hexadecimal digits'],
    ['memcached://hub:hush@a', 'it is no address of a Redis'],
  ])('%s is refused in one line without its password', (url, reason) => {
    const refused = () => parseAddress(url)
    expect(refused).toThrow(SettingError)
    expect(refused).toThrow(new RegExp(`^REDIS_URL: ${reason.replaceAll(/[%']/g, '.')}; allowed: redis://[^\\n]+$`))
    expect(refused).not.toThrow(/hush/)
  })

  test.each(['http://hub:hush@a', 'hub:hush@a', 'redis+sentinels://hub:hush@a,b?sentinelPassword=hush'])('%s is refused as a setting, its password covered', (redisUrl) => {
    const refused = () => settingsWith({ redisUrl })
    expect(refused).toThrow(/^REDIS_URL: '[^\n]*\*\*\*@a[^\n]*' is not allowed; allowed: /)
    expect(refused).not.toThrow(/hush/)
  })
})

describe('a slot', () => {
  test.each([['foo', 12_182], ['{p0}:journal', 15_882], ['hubbub:{p3}:commit', 3689], ['123456789', 12_739]])('of %s is %d', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })

  test('of a key is that of its tag; an empty tag is none', () => {
    expect(slotOf('a{tag}b')).toBe(slotOf('tag'))
    expect(slotOf('{}tag')).not.toBe(slotOf('tag'))
  })

  test('is where CLUSTER SLOTS says; a node without a host is on that of whoever was asked, one without a name is nowhere', () => {
    const map = SlotMap.of([[0, 99, ['', 7000, 'id'], ['b', 1, 'id']], [100, 199, [null, 7001, 'id']], [200, 299, ['c', 7002, 'id', ['hostname', 'x']]], [300, 399, ['?', 7003, 'id']]], { host: 'a', port: 1 })
    expect([0, 99, 100, 299, 300, 16_383].map((slot) => map.at(slot))).toEqual([{ host: 'a', port: 7000 }, { host: 'a', port: 7000 }, { host: 'a', port: 7001 }, { host: 'c', port: 7002 }, undefined, undefined])
    expect(map.masters).toHaveLength(3)
    map.move(0, { host: 'c', port: 7002 })
    expect([map.at(0), map.at(1)]).toEqual([{ host: 'c', port: 7002 }, { host: 'a', port: 7000 }])
  })
})

describe('files for TLS', () => {
  let dir: string
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'hubbub-pem-'))))
  afterEach(() => rm(dir, { recursive: true }))

  test('that are missing, no PEM, or half a pair are refused in one line that names the variable', async () => {
    const none = { ca: '', cert: '', key: '' }
    const text = join(dir, 'text')
    await writeFile(text, 'hello')
    const pem = join(dir, 'pem')
    await writeFile(pem, '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n')
    expect(readTls(none)).toEqual({})
    expect(() => readTls({ ...none, ca: join(dir, 'gone') })).toThrow(/^HUBBUB_REDIS_CA_FILE: '.*gone' cannot be read \(ENOENT\); allowed: path of a PEM file$/)
    expect(() => readTls({ ...none, ca: dir })).toThrow(/^HUBBUB_REDIS_CA_FILE: '.*' cannot be read \(EISDIR\); [^\n]*$/)
    expect(() => readTls({ ...none, ca: text })).toThrow(/^HUBBUB_REDIS_CA_FILE: '.*text' is no PEM file; [^\n]*$/)
    expect(() => readTls({ ...none, cert: pem })).toThrow(/^HUBBUB_REDIS_KEY_FILE: unset is not allowed with HUBBUB_REDIS_CERT_FILE; [^\n]*$/)
    expect(() => readTls({ ...none, cert: pem, key: pem })).toThrow(/^HUBBUB_REDIS_CERT_FILE, HUBBUB_REDIS_KEY_FILE: of no use for TLS \([^\n]*\); [^\n]*$/)
  })
})
