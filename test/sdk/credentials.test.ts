import { Credentials, expiryOf } from '../../client-sdk/typescript/src/credentials.js'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenUntil = (ms: number): string => `${encode({ alg: 'HS256' })}.${encode({ sub: 'ä~?ÿ', exp: ms / 1000 })}.sig`

describe('credentials', () => {
  it('read the end of a JWT, and of nothing else', () => {
    expect(expiryOf(tokenUntil(1_700_000_000_000))).toBe(1_700_000_000_000)
    for (const text of ['', 'hub_key', 'a.b.c', `x.${encode('text')}.y`, `x.${encode({})}.y`]) expect(expiryOf(text)).toBeUndefined()
  })

  it('ask the function once, and again near the end of the token', async () => {
    const ends = [Date.now() + 100_000, Date.now() - 1, Date.now() + 200_000]
    let asked = 0
    const credentials = new Credentials({ token: () => tokenUntil(ends[asked++]!) })
    expect(await credentials.auth()).toEqual(await credentials.auth())
    expect(asked).toBe(1)
    expect(credentials.renewIn()).toBeGreaterThan(70_000)
    expect(credentials.renewIn()).toBeLessThanOrEqual(80_000)
    await credentials.renew()
    expect(credentials.renewIn()).toBe(0)
    await credentials.auth()
    expect(asked).toBe(3)
  })

  it('renew no fixed token, no key and no endless token', async () => {
    for (const options of [{ token: tokenUntil(Date.now() + 1000) }, { apiKey: 'k' }, { token: () => 'opaque' }]) {
      const credentials = new Credentials(options)
      await credentials.auth()
      expect(credentials.renewIn()).toBeUndefined()
    }
  })

  it('say that the function failed', async () => {
    const credentials = new Credentials({ token: () => Promise.reject(new Error('no network')) })
    await expect(credentials.auth()).rejects.toMatchObject({ code: 'AUTH_FAILED', cause: { message: 'no network' } })
  })

  it('carry key and project', async () => {
    expect(await new Credentials({ apiKey: 'k', project: 'p' }).auth()).toEqual({ apiKey: 'k', project: 'p' })
  })
})
