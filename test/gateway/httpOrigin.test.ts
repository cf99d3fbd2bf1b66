import { originAllowed } from '../../server/src/gateway/origin.js'

const required = (corsOrigins = '') => ({ auth: 'required', corsOrigins })

describe('an origin', () => {
  it('that is absent is not a browser\'s, and allowed', () => {
    expect(originAllowed(required(), undefined, { host: 'hub.example' })).toBe(true)
    expect(originAllowed(required(), undefined, {})).toBe(true)
  })

  it('that is the hub\'s own is allowed, implied ports included', () => {
    for (const [origin, host] of [
      ['https://hub.example', 'hub.example'],
      ['https://hub.example', 'hub.example:443'],
      ['http://hub.example', 'HUB.example:80'],
      ['http://127.0.0.1:4000', '127.0.0.1:4000'],
      ['http://[::1]:4000', '[::1]:4000'],
    ] as const) {
      expect([origin, host, originAllowed(required(), origin, { host })]).toEqual([origin, host, true])
    }
  })

  it('that is foreign is refused unless it is listed, or all are', () => {
    for (const origin of ['https://evil.example', 'http://hub.example:81', 'https://hub.example.evil.example', 'null', '', 'file://', 'nonsense']) {
      expect([origin, originAllowed(required(), origin, { host: 'hub.example' })]).toEqual([origin, false])
    }
    expect(originAllowed(required('https://a.example, https://B.example/'), 'https://b.example', { host: 'hub.example' })).toBe(true)
    expect(originAllowed(required('https://a.example'), 'http://a.example', { host: 'hub.example' })).toBe(false)
    expect(originAllowed(required('*'), 'https://evil.example', { host: 'hub.example' })).toBe(true)
  })

  it('on a foreign name that was pointed at this machine is refused where everybody is admin', () => {
    const open = { auth: 'none', corsOrigins: '' }
    expect(originAllowed(open, 'http://evil.example:4000', { host: 'evil.example:4000' })).toBe(false)
    expect(originAllowed(open, undefined, { host: 'evil.example:4000' })).toBe(false)
    for (const host of ['localhost:4000', '127.0.0.1:4000', '[::1]:4000', 'hub.localhost']) {
      expect([host, originAllowed(open, undefined, { host }), originAllowed(open, `http://${host}`, { host })]).toEqual([host, true, true])
    }
  })
})
