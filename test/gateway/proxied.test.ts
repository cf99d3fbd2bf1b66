/** Behind a balancer: whose word counts for the client's address and for what its page calls the hub. */
import { clientAddress, neighbourhoodOf, siteOf } from '../../server/src/gateway/addresses.js'
import { originAllowed } from '../../server/src/gateway/origin.js'
import { readSettings, settingsWith } from '../../server/src/settings/read.js'
import { ask, upgrade } from '../harness/ask.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })

describe('the address of a client', () => {
  const of = (trustProxy: string, peer: string | undefined, forwarded?: string) =>
    clientAddress({ trustProxy }, { headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, socket: { remoteAddress: peer } })

  test.each<[about: string, trust: string, peer: string | undefined, forwarded: string | undefined, address: string]>([
    ['is its peer\'s', 'none', '192.0.2.1', undefined, '192.0.2.1'],
    ['is its peer\'s, whatever it says, where nobody is trusted', 'none', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['is its peer\'s, where another one is trusted', '10.0.0.0/8', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['is what a trusted peer says', '10.0.0.0/8', '10.1.2.3', '198.51.100.7', '198.51.100.7'],
    ['is IPv4 in IPv6 all the same', '10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:198.51.100.7', '198.51.100.7'],
    ['is the nearest one that is not trusted: what stands before it was sent by the client', '10.0.0.0/8', '10.1.2.3', '1.2.3.4, 198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['is the first of all that are trusted', '10.0.0.0/8', '10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['is so many hops away', '1', '192.0.2.1', '1.2.3.4, 198.51.100.7', '198.51.100.7'],
    ['is so many hops away, of two', '2', '192.0.2.1', '1.2.3.4, 198.51.100.7, 203.0.113.5', '198.51.100.7'],
    ['is no made-up word', '1', '192.0.2.1', 'nonsense', '192.0.2.1'],
    ['is no made-up word before a good one', '2', '192.0.2.1', '<script>, 198.51.100.7', '198.51.100.7'],
    ['has no port', '1', '192.0.2.1', '198.51.100.7:4711', '198.51.100.7'],
    ['has no port and no brackets', '2001:db8::/32', '2001:db8::5', '[2001:DB8:ffff::7]:4711', '2001:db8:ffff::7'],
    ['is of a trusted network of one', '192.0.2.1,2001:db8::5', '192.0.2.1', '198.51.100.7', '198.51.100.7'],
    ['is said over a socket of the file system by whoever is trusted on this machine', '127.0.0.1', undefined, '198.51.100.7', '198.51.100.7'],
    ['is none over a socket of the file system', 'none', undefined, '198.51.100.7', 'local'],
  ])('%s', (_about, trust, peer, forwarded, address) => {
    expect(of(trust, peer, forwarded)).toBe(address)
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'], ['local', 'local'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'], ['2001:db8::1', '2001:db8:0:0::/64'], ['::1', '0:0:0:0::/64'], ['2001:0db8:0001::', '2001:db8:1:0::/64'], ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (address, group) => {
    expect(neighbourhoodOf(address)).toBe(group)
  })

  test.each(['all', '10.0.0.0/33', '10.0.0', '::/129', '1.2.3.4,', '0', '300'])('HUBBUB_TRUST_PROXY does not take %s', (text) => {
    expect(() => readSettings({ HUBBUB_TRUST_PROXY: text })).toThrow(/^HUBBUB_TRUST_PROXY: '.*' is not allowed; allowed: none/)
  })
})

describe('what a page calls the hub', () => {
  const settings = settingsWith({ trustProxy: '10.0.0.0/8' })
  const site = (peer: string, headers: Record<string, string>) => siteOf(settings, { headers: { host: '10.1.1.1:4000', ...headers }, socket: { remoteAddress: peer } })
  const FORWARDED = { 'x-forwarded-host': 'hub.example', 'x-forwarded-proto': 'https' }

  test('is what a trusted balancer says, and nobody else', () => {
    expect(site('10.0.0.1', FORWARDED)).toEqual({ host: 'hub.example', scheme: 'https' })
    expect(site('192.0.2.1', FORWARDED)).toEqual({ host: '10.1.1.1:4000' })
    expect(site('10.0.0.1', { 'x-forwarded-proto': 'wss' })).toEqual({ host: '10.1.1.1:4000', scheme: 'https' })
    expect(site('10.0.0.1', { 'x-forwarded-host': 'hub.example, inner', 'x-forwarded-proto': 'https, http' })).toEqual({ host: 'hub.example', scheme: 'https' })
    expect(site('10.0.0.1', { 'x-forwarded-proto': 'javascript' })).toEqual({ host: '10.1.1.1:4000' })
  })

  test('makes a page the hub\'s own, ports and scheme included', () => {
    const page = (origin: string, headers: Record<string, string> = FORWARDED) => originAllowed(settings, origin, site('10.0.0.1', headers))
    expect(page('https://hub.example')).toBe(true)
    expect(page('https://hub.example', { ...FORWARDED, 'x-forwarded-host': 'hub.example:443' })).toBe(true)
    expect(page('https://hub.example:8443', { ...FORWARDED, 'x-forwarded-host': 'hub.example:8443' })).toBe(true)
    // A page that came without TLS may have been written by anybody on the way.
    for (const origin of ['http://hub.example', 'https://hub.example:8443', 'https://evil.example', 'https://10.1.1.1:4000', 'null']) expect([origin, page(origin)]).toEqual([origin, false])
    // Of TLS that ends before it the hub knows nothing by itself.
    expect(originAllowed(settings, 'https://hub.example', { host: 'hub.example' })).toBe(true)
  })

  test('stays a loopback name where nobody needs a credential', () => {
    const open = settingsWith({ auth: 'none', trustProxy: '127.0.0.1' })
    const rebound = siteOf(open, { headers: { host: 'evil.example:4000', 'x-forwarded-host': 'localhost:4000' }, socket: { remoteAddress: '127.0.0.1' } })
    expect(originAllowed(open, 'http://evil.example:4000', rebound)).toBe(false)
  })

  test.each([['127.0.0.0/8', 101, 200], ['none', 403, 403]])('counts on every wire (HUBBUB_TRUST_PROXY=%s)', async (trustProxy, upgraded, answered) => {
    const { url } = await hub({ trustProxy })
    const headers = { ...FORWARDED, origin: 'https://hub.example', authorization: `Bearer ${VIEWER}` }
    expect((await upgrade(`${url}/ws`, headers)).status).toBe(upgraded)
    expect((await upgrade(`${url}/socket.io/?EIO=4&transport=websocket`, headers)).status).toBe(upgraded)
    const answer = await ask(`${url}/api/v1/history?topics=task:1`, { headers })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([answered, answered === 200 ? 'https://hub.example' : null])
  })
})
