import { createAuthenticator, type Authenticator } from '../../server/src/access/authenticator.js'
import { readCredential } from '../../server/src/access/credentials.js'
import { createKey, listKeys, revokeKey } from '../../server/src/access/keys.js'
import { revocationOf } from '../../server/src/access/revocations.js'
import { signToken } from '../../server/src/access/tokens.js'
import { silent } from '../../server/src/observe/log.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { Store } from '../../server/src/store/port.js'
import { startRedis } from '../harness/redis.js'
import { handMade, SECRET } from './authorities.js'

let store: Store
const opened: Authenticator[] = []

beforeEach(async () => {
  store = await openStore(storeOptions(settingsWith()))
})

afterEach(async () => {
  for (const authenticator of opened.splice(0)) authenticator.close()
  await store.close()
})

async function authenticatorWith(overrides: Partial<Settings> = {}, records: Store = store): Promise<Authenticator> {
  const settings = settingsWith({ jwtSecret: SECRET, revocationPollMs: 100, ...overrides })
  const authenticator = createAuthenticator({ settings, store: records, log: silent })
  opened.push(authenticator)
  await authenticator.start()
  return authenticator
}

const issued = (iat?: number, sub = 'coder-1') => readCredential(handMade({ alg: 'HS256' }, { sub, ...(iat !== undefined && { iat }) }, SECRET))
const token = (claims: Parameters<typeof signToken>[1]) => readCredential(signToken(SECRET, claims, '1h'))

describe('authenticating', () => {
  it('makes an identity of a token, in the project that was asked for', async () => {
    const hub = await authenticatorWith()
    await expect(hub.authenticate(token({ sub: 'coder-1', role: 'agent', projects: ['a', 'b'] }), 'b')).resolves.toMatchObject({
      subject: 'coder-1',
      role: 'agent',
      project: 'b',
      projects: ['a', 'b'],
      via: 'jwt',
    })
  })

  it('makes an identity of an API key, whose secret is stored nowhere', async () => {
    const hub = await authenticatorWith()
    const { key, record } = await createKey(store, { subject: 'ci', role: 'service', projects: ['alpha'] })
    await expect(hub.authenticate(readCredential(key))).resolves.toMatchObject({ subject: 'ci', role: 'service', project: 'alpha', via: 'key', keyId: record.id })
    expect(JSON.stringify(await store.listKeys())).not.toContain(key.slice('hub_0123456789abcdef_'.length))
    expect(JSON.stringify(await listKeys(store))).not.toContain('hash')
  })

  it('refuses what is missing, in a wrong project, of an unknown key or with a wrong secret', async () => {
    const hub = await authenticatorWith()
    const { key } = await createKey(store, { subject: 'ci' })
    const [, id, secret] = /^hub_([0-9a-f]+)_(.+)$/.exec(key)!
    await expect(hub.authenticate(undefined)).rejects.toMatchObject({ code: 'AUTH_MISSING_TOKEN' })
    await expect(hub.authenticate(token({ sub: 'x', project: 'a' }), 'b')).rejects.toMatchObject({ code: 'WRONG_PROJECT' })
    await expect(hub.authenticate(readCredential(key), 'b')).rejects.toMatchObject({ code: 'WRONG_PROJECT' })
    await expect(hub.authenticate(readCredential(`hub_${id}_${secret!.replace(/.$/, secret!.endsWith('A') ? 'E' : 'A')}`))).rejects.toMatchObject({ code: 'AUTH_INVALID_TOKEN' })
    await expect(hub.authenticate(readCredential(`hub_${'0'.repeat(16)}_${secret}`))).rejects.toMatchObject({ code: 'AUTH_INVALID_TOKEN' })
    await expect(hub.authenticate(readCredential(handMade({ alg: 'HS256' }, { sub: 'x', exp: 1 }, SECRET)))).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
  })

  it('refuses to make keys that make no sense', async () => {
    for (const request of [{ subject: '' }, { subject: 'a b' }, { subject: 'x', role: 'root' }, { subject: 'x', projects: ['a/b'] }, { subject: 'x', permissions: ['read'] }]) {
      await expect(createKey(store, request)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    }
    expect(await listKeys(store)).toEqual([])
  })

  it('lets everybody in as local admin where no credential is required, but checks one that is sent', async () => {
    const hub = await authenticatorWith({ auth: 'none' })
    await expect(hub.authenticate(undefined)).resolves.toMatchObject({ subject: 'local', role: 'admin', project: 'default', via: 'none' })
    await expect(hub.authenticate(undefined, 'alpha')).resolves.toMatchObject({ project: 'alpha' })
    await expect(hub.authenticate(undefined, 'a/b')).rejects.toMatchObject({ code: 'WRONG_PROJECT' })
    await expect(hub.authenticate(readCredential(handMade({ alg: 'HS256' }, { sub: 'x' }, 'another')))).rejects.toMatchObject({ code: 'AUTH_INVALID_TOKEN' })
    await expect(hub.authenticate(token({ sub: 'x' }))).resolves.toMatchObject({ role: 'viewer' })
  })
})

describe('revoking', () => {
  it('a key ends it at once on the worker that is told, and by the poll on every other', async () => {
    const here = await authenticatorWith()
    const there = await authenticatorWith()
    const { key, record } = await createKey(store, { subject: 'ci' })
    const identity = await there.authenticate(readCredential(key))
    await here.authenticate(readCredential(key))
    expect(there.isRevoked(identity)).toBe(false)
    const told = new Promise<void>((resolve) => there.onRevocation(resolve))
    await revokeKey(store, record.id)
    await here.refresh()
    await expect(here.authenticate(readCredential(key))).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await told
    expect(there.isRevoked(identity)).toBe(true)
    await expect(there.authenticate(readCredential(key))).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await expect(revokeKey(store, '0'.repeat(16))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('a subject ends its older tokens and keys, and those without a date, but not newer ones or other subjects', async () => {
    const hub = await authenticatorWith()
    const { key } = await createKey(store, { subject: 'coder-1' })
    const seconds = Math.floor(Date.now() / 1000)
    const identity = await hub.authenticate(issued(seconds - 10))
    await store.revokeSubject('coder-1', Date.now())
    await hub.refresh()
    expect(hub.isRevoked(identity)).toBe(true)
    await expect(hub.authenticate(issued(seconds - 10))).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await expect(hub.authenticate(issued())).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await expect(hub.authenticate(readCredential(key))).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await expect(hub.authenticate(issued(seconds + 10))).resolves.toMatchObject({ subject: 'coder-1' })
    await expect(hub.authenticate(issued(seconds - 10, 'coder-2'))).resolves.toMatchObject({ subject: 'coder-2' })
  })

  it('a subject in one project leaves the same name in another alone', async () => {
    const hub = await authenticatorWith()
    const both = token({ sub: 'coder-1', projects: ['a', 'b'] })
    await store.revokeSubject(revocationOf('coder-1', 'a'), Date.now() + 1000)
    await hub.refresh()
    await expect(hub.authenticate(both, 'a')).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
    await expect(hub.authenticate(both, 'b')).resolves.toMatchObject({ project: 'b' })
  })
})

describe('while the store is away', () => {
  it('tokens pass by the last known revocations, and keys that are not known fail as unavailable', async () => {
    const redis = await startRedis()
    const records = await openStore(storeOptions(settingsWith({ redisUrl: redis.url })))
    try {
      const hub = await authenticatorWith({}, records)
      const { key } = await createKey(records, { subject: 'ci' })
      await records.revokeSubject('coder-1', Date.now())
      await hub.refresh()
      await redis.kill('SIGKILL')
      await hub.refresh()
      await expect(hub.authenticate(token({ sub: 'coder-2' }))).resolves.toMatchObject({ subject: 'coder-2' })
      await expect(hub.authenticate(readCredential(handMade({ alg: 'HS256' }, { sub: 'coder-1' }, SECRET)))).rejects.toMatchObject({ code: 'AUTH_REVOKED' })
      await expect(hub.authenticate(readCredential(key))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    } finally {
      await records.close()
      await redis.stop()
    }
  })
})
