/** Who looks: tokens by address and pasted, wrong and expired ones, several projects, and going again. */
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import type { Opened } from './opened.js'
import { openStage, operator, type Stage } from './stage.js'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(() => stage?.closePages())
afterAll(() => stage?.close(), 60_000)

function open(...asked: Parameters<Stage['open']>): Promise<Opened> {
  return stage.open(...asked)
}

const field = ({ page }: Opened) => page.getByRole('textbox', { name: 'Token' })
const submit = ({ page }: Opened) => page.getByRole('button', { name: 'Sign in' }).click()
// The page below it may have alerts of its own.
const alert = ({ page }: Opened) => page.locator('form').getByRole('alert')

it('the printed address signs in: its token leaves the address bar and stands in no request\'s URL', async () => {
  const secret = operator()
  const { page, requests, complaints } = await open('/', { token: secret })
  expect(page.url()).not.toContain('token')
  expect(await page.evaluate(() => window.history.length)).toBeLessThanOrEqual(2)
  await page.goBack()
  expect(page.url()).not.toContain(secret)
  // The document's own address has a fragment, which a browser sends to nobody.
  expect(requests.slice(1).filter((url) => url.includes(secret.slice(-20)))).toEqual([])
  expect(requests.length).toBeGreaterThan(2)
  expect(complaints).toEqual([])
})

it('stays signed in when the page is loaded again, and another tab is not', async () => {
  const first = await open()
  await first.page.reload()
  await first.connection('live')
  const other = await open('/', { token: null, isLive: false })
  await field(other).waitFor()
})

it('asks a visitor without a token for one, complains of nothing yet, and takes a pasted one', async () => {
  const visitor = await open('/', { token: null, isLive: false })
  await field(visitor).waitFor()
  expect(await alert(visitor).count()).toBe(0)
  await field(visitor).fill(` ${operator()}\n`)
  await submit(visitor)
  await visitor.connection('live')
  expect(visitor.requests.filter((url) => url.includes('eyJ'))).toEqual([])
})

it('says of a wrong token what is wrong with it, and takes a right one then', async () => {
  const visitor = await open('/', { token: 'nonsense', isLive: false })
  await alert(visitor).getByText('AUTH_INVALID_FORMAT').waitFor()
  await field(visitor).fill(token({}, 'another secret that is longer than 32 characters'))
  await submit(visitor)
  await alert(visitor).getByText('AUTH_INVALID_TOKEN').waitFor()
  await field(visitor).fill(operator())
  await submit(visitor)
  await visitor.connection('live')
  expect(await alert(visitor).count()).toBe(0)
})

it('asks again over the page when the token ends, and goes on with another one where the visitor was', async () => {
  const seconds = Math.floor(Date.now() / 1000)
  const visitor = await open('/tasks', { token: token({ sub: 'guest', exp: seconds + 4 }) })
  await alert(visitor).getByText('AUTH_TOKEN_EXPIRED').waitFor()
  expect(visitor.page.url()).toMatch(/#\/tasks$/)
  expect(await visitor.page.locator('main h1', { hasText: 'Tasks' }).count()).toBe(1)
  await field(visitor).fill(operator())
  await submit(visitor)
  await visitor.connection('live')
  expect(visitor.page.url()).toMatch(/#\/tasks$/)
  expect(await field(visitor).count()).toBe(0)
})

it('a token of several projects shows one of them, and the other when it is chosen', async () => {
  const project = (name: string) => ({ as: token({ sub: 'writer', role: 'admin', project: name }) })
  await stage.publish([{ type: 'agent.registered', data: { agentId: 'of-alpha' } }], project('alpha'))
  await stage.publish([{ type: 'agent.registered', data: { agentId: 'of-beta' } }], project('beta'))
  const visitor = await open('/', { token: token({ sub: 'both', projects: ['alpha', 'beta'], project: 'alpha' }) })
  await visitor.shows('of-alpha')
  expect(await visitor.page.getByText('of-beta').count()).toBe(0)
  await visitor.page.getByRole('combobox', { name: 'Project' }).selectOption('beta')
  await visitor.shows('of-beta')
  expect(await visitor.page.getByText('of-alpha').count()).toBe(0)
})

it('signing out ends the connection and forgets the token', async () => {
  const visitor = await open()
  await visitor.page.getByRole('button', { name: 'Sign out' }).click()
  await field(visitor).waitFor()
  await eventually(async () => Number((await stage.ask('/api/v1/websocket/status')).body['total']) === 0, 'no connection left')
  await visitor.page.reload()
  await field(visitor).waitFor()
  const kept = await visitor.page.evaluate(() => JSON.stringify([sessionStorage, localStorage, document.cookie]))
  expect(kept).not.toContain('eyJ')
})
