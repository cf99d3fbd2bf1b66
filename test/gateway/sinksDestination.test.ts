/** Where outgoing webhooks may not go: by literal address, by a name that leads there, and by what was allowed when the sink was added. */
import { createHub, type Hub } from '@hubbub/server'
import { permittedLookup, Poster } from '../../server/src/gateway/sinks/post.js'
import { silent } from '../../server/src/observe/log.js'
import { Destinations } from '../../server/src/operations/sinks-destination.js'
import { SettingError } from '../../server/src/settings/read.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'
import { SECRET, token } from '../harness/token.js'
import { codeOf, startStateHub } from './stateHub.js'
import { startReceiver, type Receiver } from './sinksReceiver.js'

const destinations = (sinkPrivate = 'refuse', more: { sinkHttp?: string; sinkPorts?: string } = {}) => new Destinations({ sinkPrivate, sinkHttp: 'allow', sinkPorts: '*', ...more })

const SPECIAL = [
  '::ffff:0:127.0.0.1', '127.0.0.1', '127.255.0.9', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.127.255.255', '0.0.0.0', '0.1.2.3', '192.0.0.1', '192.0.2.1',
  '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '0:0:0:0:0:ffff:7f00:1', 'fe80::1', 'fe80::1%lo', 'febf::1', 'fec0::1', 'fc00::1', 'fd12:3456::1', 'ff02::1',
  '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2001::1', '2001:db8::1', '100::1', '3fff::1', 'nonsense', '', '127.1',
]
const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '169.253.1.1', '192.0.1.1', '198.20.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8', '2003::1']

describe('addresses', () => {
  test.each(SPECIAL)('%s is refused', (address) => {
    expect(destinations().permits(address)).toBe(false)
  })

  test.each(PUBLIC)('%s is permitted', (address) => {
    expect(destinations().permits(address)).toBe(true)
  })

  test('are permitted by network, where the operator says so, and all of them by `allow`', () => {
    const some = destinations('10.1.0.0/16,fd00:1::/32')
    expect(['10.1.2.3', '::ffff:10.1.2.3', '10.2.0.1', '127.0.0.1', 'fd00:1::5', 'fd00:2::5', '8.8.8.8'].map((address) => some.permits(address))).toEqual([true, true, false, false, true, false, true])
    expect(['127.0.0.1', '::1', '10.0.0.1', 'fe80::1'].map((address) => destinations('allow').permits(address))).toEqual([true, true, true, true])
    for (const wrong of ['10.0.0.0/33', '300.0.0.0/8', '::/200']) expect(() => destinations(wrong)).toThrow(SettingError)
  })

  test.each(['http://127.1/', 'http://2130706433/', 'http://0x7f.0.0.1/', 'http://0177.0.0.1/', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/', 'http://[0:0::ffff:a9fe:a9fe]/', 'http://①②⑦.0.0.1/', 'http://0/'])(
    '%s is one of them in disguise', (url) => {
      expect(() => destinations().checkUrl(url)).toThrow(/private or special/)
    })

  test('come with the schemes and ports that the operator says', () => {
    expect(() => destinations('allow', { sinkHttp: 'refuse' }).checkUrl('http://example.com/')).toThrow(/https/)
    expect(destinations('allow', { sinkHttp: 'refuse' }).checkUrl('https://example.com/a?b=1').href).toBe('https://example.com/a?b=1')
    const ports = destinations('allow', { sinkPorts: '443,8443' })
    expect(ports.checkUrl('https://example.com/').port).toBe('')
    expect(ports.checkUrl('https://example.com:8443/').port).toBe('8443')
    for (const url of ['http://example.com/', 'https://example.com:22/']) expect(() => ports.checkUrl(url)).toThrow(/port/)
  })
})

describe('a name', () => {
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.shut())

  test('that leads to a refused address is refused when the sink is added', async () => {
    await expect(destinations().checkTarget(`http://localhost:${receiver.port}/`)).rejects.toMatchObject({ code: 'INVALID_MESSAGE', details: { path: 'url', setting: 'HUBBUB_SINK_PRIVATE' } })
    await expect(destinations().checkTarget(`http://localhost.:${receiver.port}/`)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    expect((await destinations('allow').checkTarget(`http://localhost:${receiver.port}/`)).hostname).toBe('localhost')
  })

  test('is refused at the connection, too, whatever was true before', async () => {
    for (const url of [`http://localhost:${receiver.port}/`, `http://127.0.0.1:${receiver.port}/`]) {
      const poster = new Poster(url, destinations(), 2000)
      expect(await poster.post({}, Buffer.from('{}'), new AbortController().signal)).toMatchObject({ kind: 'failed', label: 'refused' })
      poster.close()
    }
    expect(receiver.received).toEqual([])
    const poster = new Poster(`http://localhost:${receiver.port}/`, destinations('127.0.0.0/8'), 2000)
    expect(await poster.post({ 'content-length': '2' }, Buffer.from('{}'), new AbortController().signal)).toEqual({ kind: 'delivered' })
    poster.close()
  })

  test('of several addresses is connected to at the permitted ones only', async () => {
    const found = (sinkPrivate: string, all: boolean) => new Promise((resolve) => permittedLookup(destinations(sinkPrivate))('localhost', { all }, (error, address) => resolve(error?.name ?? address)))
    expect(await found('127.0.0.0/8', true)).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(await found('127.0.0.0/8', false)).toBe('127.0.0.1')
    expect(await found('refuse', true)).toBe('AddressRefused')
  })
})

describe('a hub that says nothing about it', () => {
  test('takes no sink of a private address, by https only, and says which setting it is', async () => {
    const hub = await startStateHub()
    try {
      for (const [url, setting] of [['https://127.0.0.1/', 'HUBBUB_SINK_PRIVATE'], ['https://localhost/', 'HUBBUB_SINK_PRIVATE'], ['https://[::ffff:10.0.0.1]/', 'HUBBUB_SINK_PRIVATE'], ['http://example.com/', 'HUBBUB_SINK_HTTP']]) {
        const told = await hub.ask('/api/v1/sinks', { json: { url, topics: ['task:*'] } })
        expect([url, codeOf(told), told.body.error?.details]).toEqual([url, [400, 'INVALID_MESSAGE'], expect.objectContaining({ path: 'url', setting })])
      }
      expect((await hub.get<{ sinks: unknown[] }>('/api/v1/sinks')).sinks).toEqual([])
    } finally {
      await hub.close()
    }
  })

  test('does not deliver to a sink that another one had allowed', async () => {
    const redis = await startRedis()
    const receiver = await startReceiver()
    const settings = { port: 0, jwtSecret: SECRET, redisUrl: redis.url, sinkHttp: 'allow', sinkTries: 3, sinkRetryMs: 10 } as const
    const start = (sinkPrivate: string): Promise<Hub> => createHub({ log: silent, settings: { ...settings, sinkPrivate } })
    let hub = await start('allow')
    try {
      const { body } = await ask(`${hub.url}/api/v1/sinks`, { as: token(), json: { url: `http://localhost:${receiver.port}/`, topics: ['task:*'] } })
      await hub.close()
      hub = await start('refuse')
      await ask(`${hub.url}/api/v1/events`, { as: token(), json: { type: 'task.progress', data: { taskId: '1', progress: 1 } } })
      const shown = await eventually(async () => {
        const one = (await ask(`${hub.url}/api/v1/sinks/${String(body['id'])}`, { as: token() })).body
        return one['status'] === 'paused' && one
      }, 'the sink being paused', 20_000)
      expect(shown['reason']).toMatch(/^3 attempts .* private or special addresses only/)
      expect((await ask(`${hub.url}/api/v1/sinks/${String(body['id'])}/resume`, { as: token(), method: 'POST' })).status).toBe(400)
      expect(receiver.received).toEqual([])
    } finally {
      await hub.close()
      await receiver.shut()
      await redis.stop()
    }
  }, 60_000)
})
