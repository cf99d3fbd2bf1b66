import { signToken, createTokenVerifier } from '../../server/src/access/tokens.js'
import { SettingError, settingsWith } from '../../server/src/settings/read.js'
import { ecPair, handMade, inAnHour, keyFolder, pemOf, rsaPair, SECRET } from './authorities.js'

const HS = { alg: 'HS256', typ: 'JWT' }
const INVALID = { code: 'AUTH_INVALID_TOKEN' }

describe('tokens by a shared secret', () => {
  const tokens = createTokenVerifier(settingsWith({ jwtSecret: SECRET }))

  it('are accepted as signed for the command line', async () => {
    const grant = await tokens.verify(signToken(SECRET, { sub: 'coder-1', role: 'agent', project: 'alpha', agentType: 'coder', capabilities: ['ts'] }, '1h'))
    expect(grant).toMatchObject({ subject: 'coder-1', role: 'agent', projects: ['alpha'], via: 'jwt', agentType: 'coder', capabilities: ['ts'] })
    expect(grant.permissions).toContain('publish:task.*')
    expect(grant.expiresAt! - grant.issuedAt!).toBe(3_600_000)
  })

  it('default to a viewer of the default project', async () => {
    const grant = await tokens.verify(handMade(HS, { sub: 'x' }, SECRET))
    expect(grant).toEqual({ subject: 'x', role: 'viewer', projects: ['default'], permissions: ['subscribe:*'], via: 'jwt' })
  })

  it('with permissions of their own have exactly those', async () => {
    const grant = await tokens.verify(handMade(HS, { sub: 'x', role: 'admin', permissions: ['publish:task.*'] }, SECRET))
    expect(grant.permissions).toEqual(['publish:task.*'])
    const none = await tokens.verify(handMade(HS, { sub: 'x', role: 'admin', permissions: [] }, SECRET))
    expect(none.permissions).toEqual([])
  })

  it('may grant several projects, by either claim', async () => {
    expect((await tokens.verify(handMade(HS, { sub: 'x', projects: ['a', 'b'] }, SECRET))).projects).toEqual(['a', 'b'])
    expect((await tokens.verify(handMade(HS, { sub: 'x', project: 'b', projects: ['a', 'b'] }, SECRET))).projects).toEqual(['b', 'a'])
    expect((await tokens.verify(handMade(HS, { sub: 'x', project: '*' }, SECRET))).projects).toEqual(['*'])
  })

  it('are refused when expired, and only then called so', async () => {
    const past = Math.floor(Date.now() / 1000) - 1
    await expect(tokens.verify(handMade(HS, { sub: 'x', exp: past }, SECRET))).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
    await expect(tokens.verify(handMade(HS, { sub: 'x', exp: past }, 'another secret'))).rejects.toMatchObject(INVALID)
  })

  it('are refused with a wrong secret, no signature, algorithm none, not yet valid, or critical extensions', async () => {
    const claims = { sub: 'x', exp: inAnHour() }
    const refused = {
      'wrong secret': handMade(HS, claims, 'another secret'),
      'signature cut off': handMade(HS, claims, null),
      'algorithm none': handMade({ alg: 'none', typ: 'JWT' }, claims, null),
      'algorithm None': handMade({ alg: 'None' }, claims, null),
      'another HMAC': handMade({ alg: 'HS512' }, claims, SECRET),
      'no algorithm': handMade({ typ: 'JWT' }, claims, SECRET),
      'RS256 without such a key': handMade({ alg: 'RS256' }, claims, rsaPair().privateKey),
      'not yet valid': handMade(HS, { ...claims, nbf: inAnHour() }, SECRET),
      'critical extension': handMade({ ...HS, crit: ['b64'], b64: false }, claims, SECRET),
    }
    for (const [what, token] of Object.entries(refused)) {
      await expect(tokens.verify(token).catch((error: unknown) => ({ what, error }))).resolves.toMatchObject({ what, error: INVALID })
    }
  })

  it('are refused when a claim is not of its form', async () => {
    const claims: object[] = [
      {},
      { sub: '' },
      { sub: 7 },
      { sub: 'a b' },
      { sub: 'a\u0000b' },
      { sub: '\ud800' },
      { sub: 'x'.repeat(129) },
      { sub: 'x', role: 'root' },
      { sub: 'x', role: null },
      { sub: 'x', project: 'a/b' },
      { sub: 'x', projects: [] },
      { sub: 'x', projects: ['a', 7] },
      { sub: 'x', projects: { a: true } },
      { sub: 'x', permissions: ['read'] },
      { sub: 'x', permissions: ['subscribe:*', 7] },
      { sub: 'x', permissions: 'everything' },
      { sub: 'x', permissions: null },
      { sub: 'x', exp: 'tomorrow' },
    ]
    for (const claim of claims) {
      await expect(tokens.verify(handMade(HS, claim, SECRET)).catch((error: unknown) => ({ claim, error }))).resolves.toMatchObject({ claim, error: INVALID })
    }
  })

  it('are held to issuer and audience where those are set', async () => {
    const strict = createTokenVerifier(settingsWith({ jwtSecret: SECRET, jwtIssuer: 'https://id.example', jwtAudience: 'hub' }))
    await expect(strict.verify(handMade(HS, { sub: 'x', iss: 'https://id.example', aud: 'hub' }, SECRET))).resolves.toMatchObject({ subject: 'x' })
    await expect(strict.verify(handMade(HS, { sub: 'x', iss: 'https://id.example' }, SECRET))).rejects.toMatchObject(INVALID)
    await expect(strict.verify(handMade(HS, { sub: 'x', iss: 'https://evil.example', aud: 'hub' }, SECRET))).rejects.toMatchObject(INVALID)
  })

  it('are not accepted at all where nothing is configured', async () => {
    const none = createTokenVerifier(settingsWith())
    await expect(none.verify(handMade(HS, { sub: 'x' }, ''))).rejects.toMatchObject(INVALID)
    await expect(none.verify(handMade({ alg: 'none' }, { sub: 'x' }, null))).rejects.toMatchObject(INVALID)
  })

  it('are not signed with claims or a duration that would be refused', () => {
    expect(() => signToken(SECRET, { sub: 'a b' }, '1h')).toThrow(SettingError)
    expect(() => signToken(SECRET, { sub: 'x', permissions: ['read'] }, '1h')).toThrow(SettingError)
    for (const ttl of ['0', '-1h', '1w', 'soon', '']) expect(() => signToken(SECRET, { sub: 'x' }, ttl)).toThrow(SettingError)
  })
})

describe('tokens by public keys', () => {
  const rsa = rsaPair()
  const ec = ecPair()
  const files = keyFolder()
  const claims = { sub: 'x', exp: inAnHour() }
  afterAll(() => files.clear())

  it('are accepted by a PEM file, RS256 and ES256', async () => {
    for (const [alg, pair] of [['RS256', rsa], ['ES256', ec]] as const) {
      const tokens = createTokenVerifier(settingsWith({ jwtPublicKeyFile: files.write(`${alg}.pem`, pemOf(pair.publicKey)) }))
      await expect(tokens.verify(handMade({ alg }, claims, pair.privateKey))).resolves.toMatchObject({ subject: 'x' })
      await expect(tokens.verify(handMade({ alg, kid: 'any' }, claims, pair.privateKey))).resolves.toMatchObject({ subject: 'x' })
    }
  })

  it('are refused when an HMAC is keyed with the public key', async () => {
    const pem = pemOf(rsa.publicKey)
    const tokens = createTokenVerifier(settingsWith({ jwtPublicKeyFile: files.write('confused.pem', pem), jwtSecret: SECRET }))
    await expect(tokens.verify(handMade(HS, claims, pem))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade(HS, claims, pem.trim()))).rejects.toMatchObject(INVALID)
    // Public keys are instead of the secret.
    await expect(tokens.verify(handMade(HS, claims, SECRET))).rejects.toMatchObject(INVALID)
  })

  it('are refused with another key, another key type, none, and when expired', async () => {
    const tokens = createTokenVerifier(settingsWith({ jwtPublicKeyFile: files.write('one.pem', pemOf(rsa.publicKey)) }))
    await expect(tokens.verify(handMade({ alg: 'RS256' }, claims, rsaPair().privateKey))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'ES256' }, claims, ec.privateKey))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'none' }, claims, null))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'RS256' }, { sub: 'x', exp: 1 }, rsa.privateKey))).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' })
  })

  it('are accepted by a JWKS file, by their kid', async () => {
    const other = rsaPair()
    const jwks = {
      keys: [
        { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'r1', alg: 'RS256', use: 'sig' },
        { ...other.publicKey.export({ format: 'jwk' }), kid: 'r2' },
        { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e1' },
        { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'o1', alg: 'HS256' },
        { ...ecPair('P-384').publicKey.export({ format: 'jwk' }), kid: 'e2' },
      ],
    }
    const tokens = createTokenVerifier(settingsWith({ jwksFile: files.write('jwks.json', JSON.stringify(jwks)) }))
    await expect(tokens.verify(handMade({ alg: 'RS256', kid: 'r1' }, claims, rsa.privateKey))).resolves.toMatchObject({ subject: 'x' })
    await expect(tokens.verify(handMade({ alg: 'RS256', kid: 'r2' }, claims, other.privateKey))).resolves.toMatchObject({ subject: 'x' })
    await expect(tokens.verify(handMade({ alg: 'ES256', kid: 'e1' }, claims, ec.privateKey))).resolves.toMatchObject({ subject: 'x' })
    // The only key of its algorithm needs no kid; of two, one must be named.
    await expect(tokens.verify(handMade({ alg: 'ES256' }, claims, ec.privateKey))).resolves.toMatchObject({ subject: 'x' })
    await expect(tokens.verify(handMade({ alg: 'RS256' }, claims, rsa.privateKey))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'RS256', kid: 'r2' }, claims, rsa.privateKey))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'RS256', kid: 'unknown' }, claims, rsa.privateKey))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'HS256', kid: 'o1' }, claims, SECRET))).rejects.toMatchObject(INVALID)
    await expect(tokens.verify(handMade({ alg: 'HS256', kid: 'r1' }, claims, pemOf(rsa.publicKey)))).rejects.toMatchObject(INVALID)
  })

  it('stop the start when a file cannot be used', () => {
    const wrong = [
      { jwtPublicKeyFile: '/nowhere/key.pem' },
      { jwtPublicKeyFile: files.write('noise.pem', 'noise') },
      { jwtPublicKeyFile: files.write('p384.pem', pemOf(ecPair('P-384').publicKey)) },
      { jwksFile: files.write('noise.json', 'noise') },
      { jwksFile: files.write('empty.json', '{"keys":[]}') },
      { jwksFile: files.write('oct.json', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}') },
    ]
    for (const settings of wrong) expect(() => createTokenVerifier(settingsWith(settings))).toThrow(SettingError)
  })
})
