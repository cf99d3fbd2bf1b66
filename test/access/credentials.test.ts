import { credentialFromAuth, credentialFromRequest, presentedFirst, type Presented } from '../../server/src/access/credentials.js'
import { chooseProject } from '../../server/src/access/projects.js'

const JWT = 'aaa.bbb.ccc'
const KEY = `hub_0123456789abcdef_${'s'.repeat(43)}`
const token: Presented = { credential: { kind: 'token', text: JWT } }
const key: Presented = { credential: { kind: 'key', text: KEY } }
const request = (url: string, headers: Record<string, string> = {}) => credentialFromRequest({ url, headers })

describe('a credential', () => {
  it('is found in each place of a request', () => {
    expect(request('/', { authorization: `Bearer ${JWT}` })).toEqual(token)
    expect(request('/', { authorization: `bearer  ${JWT} ` })).toEqual(token)
    expect(request('/', { authorization: `Bearer ${KEY}` })).toEqual(key)
    expect(request('/', { 'x-api-key': KEY })).toEqual(key)
    expect(request(`/?token=${JWT}`)).toEqual(token)
    expect(request(`/socket.io/?EIO=4&apiKey=${KEY}`)).toEqual(key)
    expect(request('/', { cookie: `a=b; hubbub_token=${JWT}; c=d` })).toEqual(token)
    expect(request('/', { cookie: `hubbub_token="${JWT}"` })).toEqual(token)
  })

  it('is the first that is there', () => {
    expect(request(`/?token=x.y.z`, { authorization: `Bearer ${KEY}`, cookie: 'hubbub_token=d.e.f' })).toEqual(key)
  })

  it('is found in each field of the auth payload', () => {
    expect(credentialFromAuth({ token: JWT })).toEqual(token)
    expect(credentialFromAuth({ token: `Bearer ${JWT}` })).toEqual(token)
    expect(credentialFromAuth({ token: KEY })).toEqual(key)
    expect(credentialFromAuth({ apiKey: KEY, project: 'alpha' })).toEqual({ ...key, project: 'alpha' })
    expect(credentialFromAuth({ auth_token: `Bearer ${JWT}` })).toEqual(token)
  })

  it('is missing where nothing was sent, or nothing but emptiness', () => {
    for (const auth of [undefined, null, 'x', 7, {}, { token: '' }, { token: null }, { token: undefined, project: '' }]) expect(credentialFromAuth(auth)).toEqual({})
    expect(request('/?token=&apiKey=')).toEqual({})
    expect(request('/', { cookie: 'hubbub_token=; other=1' })).toEqual({})
  })

  it('is refused when it is of no known form', () => {
    for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', JWT, 'Bearer nothing', 'Bearer a.b', 'Bearer hub_short_key']) {
      expect(() => request('/', { authorization })).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_FORMAT' }))
    }
    expect(() => request('/?token=nothing')).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_FORMAT' }))
    expect(() => request('/', { cookie: 'hubbub_token=nothing' })).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_FORMAT' }))
    for (const auth of [{ token: 7 }, { token: {} }, { apiKey: 'x' }, { token: 'Bearer ' }]) {
      expect(() => credentialFromAuth(auth)).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_FORMAT' }))
    }
  })

  it('of the auth payload goes before that of the request which carries it', () => {
    expect(presentedFirst({ ...token }, { ...key, project: 'alpha' })).toEqual({ ...token, project: 'alpha' })
    expect(presentedFirst({}, { ...key })).toEqual(key)
  })
})

describe('the project', () => {
  it('is asked for by query or header', () => {
    expect(request('/?project=alpha').project).toBe('alpha')
    expect(request('/', { 'x-hubbub-project': 'alpha' }).project).toBe('alpha')
  })

  it('is the one asked for, the only one, default, or the first', () => {
    expect(chooseProject(['a', 'b'], 'b')).toBe('b')
    expect(chooseProject(['a'])).toBe('a')
    expect(chooseProject(['a', 'default'])).toBe('default')
    expect(chooseProject(['b', 'a'])).toBe('b')
    expect(chooseProject(['*'])).toBe('default')
    expect(chooseProject(['*'], 'anything')).toBe('anything')
  })

  it('is refused when it is not granted, or no project at all', () => {
    for (const [granted, asked] of [[['a'], 'b'], [['a'], '*'], [['*'], '*'], [['*'], 'a/b'], [['*'], ''], [['a'], 'A']] as const) {
      expect(() => chooseProject(granted, asked)).toThrow(expect.objectContaining({ code: 'WRONG_PROJECT' }))
    }
  })
})
