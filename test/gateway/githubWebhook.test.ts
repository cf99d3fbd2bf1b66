import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { readSecrets } from '../../server/src/gateway/github/secrets.js'
import { signatureFits, signatureOf } from '../../server/src/gateway/github/signature.js'
import { startHttpHub, type HttpHub } from './httpHub.js'

const payload = { zen: 'Keep it logically awesome.', action: 'opened', repository: { full_name: 'octo/hub' }, sender: { login: 'octo' } }

const outcome = async (response: Response) => [response.status, ((await response.json()) as { error: { code: string } }).error.code]

describe('webhook secrets', () => {
  it('are read by project, several of one for rotation', () => {
    expect([...readSecrets('one, two,alpha=three,alpha=four')]).toEqual([
      ['default', ['one', 'two']],
      ['alpha', ['three', 'four']],
    ])
    expect(readSecrets('').size).toBe(0)
  })

  it('may be base64 with its padding', () => {
    expect([...readSecrets('c2VjcmV0cw==,alpha=c2VjcmV0cw==')]).toEqual([
      ['default', ['c2VjcmV0cw==']],
      ['alpha', ['c2VjcmV0cw==']],
    ])
  })
})

describe('a webhook signature', () => {
  it('is GitHub\'s', () => {
    // The example of GitHub's documentation.
    const expected = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    expect(signatureOf('It\'s a Secret to Everybody', Buffer.from('Hello, World!'))).toBe(expected)
    expect(signatureFits(['another', 'It\'s a Secret to Everybody'], Buffer.from('Hello, World!'), expected)).toBe(true)
    expect(signatureFits(['another'], Buffer.from('Hello, World!'), expected)).toBe(false)
    expect(signatureFits([], Buffer.from('Hello, World!'), expected)).toBe(false)
  })
})

describe('a GitHub delivery', () => {
  let hub: HttpHub
  beforeAll(async () => {
    hub = await startHttpHub({ githubSecret: 'old secret,new secret,alpha=secret of alpha' })
  })
  afterAll(() => hub.close())

  interface Delivery {
    path?: string
    secret?: string
    name?: string
    id?: string
    body?: string | Buffer
    headers?: Record<string, string>
    drop?: string
  }

  const deliver = ({ path = '/webhooks/github', secret = 'new secret', name = 'issues', id = 'd-1', body = JSON.stringify(payload), headers = {}, drop = '' }: Delivery) => {
    const sent: Record<string, string> = {
      'content-type': 'application/json',
      'x-github-event': name,
      'x-github-delivery': id,
      'x-hub-signature-256': signatureOf(secret, Buffer.from(body)),
      ...headers,
    }
    delete sent[drop]
    return hub.fetch(path, { method: 'POST', body, headers: sent })
  }

  it('is taken in once, whichever secret signed it', async () => {
    const first = await deliver({ id: 'd-once', secret: 'old secret' })
    expect([first.status, await first.json()]).toEqual([202, { ok: true, id: expect.any(String), duplicate: false }])
    const again = await deliver({ id: 'd-once' })
    expect([again.status, await again.json()]).toEqual([202, { ok: true, id: expect.any(String), duplicate: true }])
    expect(hub.delivered.filter((delivery) => delivery.key === 'default/d-once')).toMatchObject([
      { project: 'default', source: 'https://github.com/octo/hub', input: { type: expect.stringMatching(/^github\./) } },
    ])
  })

  it('goes to the project of its path, by that project\'s secret', async () => {
    expect((await deliver({ path: '/webhooks/github/alpha', secret: 'secret of alpha', id: 'd-alpha' })).status).toBe(202)
    expect(hub.delivered.at(-1)).toMatchObject({ project: 'alpha', key: 'alpha/d-alpha' })
    expect((await deliver({ path: '/webhooks/github/default', id: 'd-default' })).status).toBe(202)
  })

  it('may be a ping, a form, or of no repository', async () => {
    expect((await deliver({ name: 'ping', id: 'd-ping', body: JSON.stringify({ zen: 'Half measures are as bad as nothing at all.', hook_id: 1 }) })).status).toBe(202)
    expect(hub.delivered.at(-1)).toMatchObject({ source: 'https://github.com', key: 'default/d-ping' })
    const form = new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
    expect((await deliver({ id: 'd-form', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(202)
    expect(hub.delivered.at(-1)).toMatchObject({ source: 'https://github.com/octo/hub', key: 'default/d-form' })
  })

  it('is refused, and written nowhere, when anything about it is wrong', async () => {
    const before = hub.delivered.length
    const cases: [Delivery, number, string][] = [
      [{ secret: 'wrong' }, 401, 'BAD_SIGNATURE'],
      [{ secret: 'secret of alpha' }, 401, 'BAD_SIGNATURE'],
      [{ path: '/webhooks/github/alpha' }, 401, 'BAD_SIGNATURE'],
      [{ drop: 'x-hub-signature-256' }, 401, 'BAD_SIGNATURE'],
      [{ headers: { 'x-hub-signature-256': 'sha256=' } }, 401, 'BAD_SIGNATURE'],
      [{ headers: { 'x-hub-signature-256': 'sha1=757107ea0eb2509fc211221cce984b8a37570b6d' } }, 401, 'BAD_SIGNATURE'],
      [{ path: '/webhooks/github/nobody' }, 404, 'NOT_FOUND'],
      [{ path: '/webhooks/github/a%2Fb' }, 404, 'NOT_FOUND'],
      [{ path: '/webhooks/gitlab' }, 404, 'NOT_FOUND'],
      [{ drop: 'x-github-event' }, 400, 'INVALID_MESSAGE'],
      [{ drop: 'x-github-delivery' }, 400, 'INVALID_MESSAGE'],
      [{ name: 'No Such Event' }, 400, 'INVALID_MESSAGE'],
      [{ id: 'x'.repeat(200) }, 400, 'INVALID_MESSAGE'],
      [{ body: '{"zen":' }, 400, 'INVALID_MESSAGE'],
      [{ body: '[]' }, 400, 'INVALID_MESSAGE'],
      [{ body: 'null' }, 400, 'INVALID_MESSAGE'],
      [{ body: 'other=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400, 'INVALID_MESSAGE'],
      [{ body: 'x'.repeat(25 * 1024 * 1024 + 1) }, 413, 'PAYLOAD_TOO_LARGE'],
    ]
    for (const [delivery, status, code] of cases) {
      const { body, ...shown } = delivery
      expect([shown, ...(await outcome(await deliver({ id: 'd-bad', ...delivery })))]).toEqual([shown, status, code])
      expect(body === undefined || body.length > 0).toBe(true)
    }
    expect(hub.delivered.length).toBe(before)
  })

  it('of every example that GitHub publishes is taken in', async () => {
    const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
    const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string; examples: object[] }[]
    let sent = 0
    for (const { name, examples } of events) {
      for (const example of examples) {
        const response = await deliver({ name, id: `example-${sent++}`, body: JSON.stringify(example) })
        expect([name, response.status]).toEqual([name, 202])
      }
    }
    expect(sent).toBe(329)
    expect(hub.delivered.filter((delivery) => delivery.key.startsWith('default/example-')).length).toBe(329)
  })
})
