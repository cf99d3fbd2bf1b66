/**
 * GitHub meets tasks, from end to end: signed deliveries reach the tasks that they are about, by trailer, commit, pull request or
 * branch, the surest alone, and nobody else's (I6). GitHub's own examples with other branches and commits; two workers, two projects.
 */
import { createRequire } from 'node:module'
import type { HubEvent, Task } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { sign } from './deliveries.js'

const REPOSITORY = 'Codertocat/Hello-World'
const SECRETS = { default: 'what GitHub signs with here', other: 'what it signs with for the other project' }
type Project = keyof typeof SECRETS

const shaOf = (letter: string) => letter.repeat(40)
const PUSHED = shaOf('a')
const HEAD = shaOf('b')

let cluster: Cluster
/** Hear everything of their project that is about the repository or a task. */
let watchers: Record<Project, Sink>
/** Hears only what is the task's. */
let loyal: Sink
let deliveries = 0

beforeAll(async () => {
  const env = { HUBBUB_GITHUB_SECRET: `${SECRETS.default},other=${SECRETS.other}`, HUBBUB_LOG_LEVEL: 'warn' }
  cluster = await startCluster({ workers: 2, processors: 1, env })
  const watch = (project: Project, ...topics: string[]) =>
    stockClient(cluster.workers[1]!.url, { token: token({ role: 'viewer', project }), topics, types: ['github.*'] })
  watchers = { default: await watch('default', 'repo:*', 'task:*'), other: await watch('other', 'repo:*', 'task:*') }
  loyal = await watch('default', 'task:login')
}, 60_000)
afterAll(async () => {
  for (const sink of [watchers?.default, watchers?.other, loyal]) sink?.close()
  await cluster?.stop()
}, 60_000)

describe('a task of a branch', () => {
  test('hears of a push to it, and learns the commit', async () => {
    await order('login', { parameters: { repository: REPOSITORY, branch: 'fix-login' } })
    expect(await refs('login')).toEqual([`branch:${REPOSITORY}@fix-login`])
    const event = await deliver('push', pushTo('fix-login', PUSHED))
    expect(event).toMatchObject({ type: 'github.push', data: { branch: 'fix-login', sha: PUSHED } })
    expect(event.topics.toSorted()).toEqual([`branch:${REPOSITORY}@fix-login`, `repo:${REPOSITORY}`, 'task:login'])
    await loyal.holds(1)
    expect(await refs('login')).toEqual([`branch:${REPOSITORY}@fix-login`, `sha:${PUSHED}`])
  })

  test('is joined by the branch\'s pull request, and learns its number and head', async () => {
    expect(tasksOf(await deliver('pull_request', pullRequest(7, 'fix-login', HEAD)))).toEqual(['login'])
    expect(new Set(await refs('login'))).toEqual(new Set([`branch:${REPOSITORY}@fix-login`, `sha:${PUSHED}`, `pr:${REPOSITORY}#7`, `sha:${HEAD}`]))
  })

  test('is joined by runs and checks of its commit alone, even where others know their branch and their pull request', async () => {
    await order('rival', { parameters: { repository: REPOSITORY, branch: 'rival', prNumber: 9 } })
    // That it would be the rival's, were the commit not known.
    expect(tasksOf(await deliver('workflow_run', workflowRun('rival', shaOf('c'))))).toEqual(['rival'])
    expect(tasksOf(await deliver('workflow_run', workflowRun('rival', HEAD)))).toEqual(['login'])
    expect(tasksOf(await deliver('check_run', checkRun('rival', HEAD, 9)))).toEqual(['login'])
    expect(tasksOf(await deliver('check_run', checkRun('rival', PUSHED, 9)))).toEqual(['login'])
  })

  test('is joined by its pull request when nobody knows the commit, whatever the branch', async () => {
    expect(tasksOf(await deliver('check_run', checkRun('rival', shaOf('d'), 7)))).toEqual(['login'])
  })
})

describe('a trailer', () => {
  test('joins a pull request to a task without parameters; what follows on its branch joins, too', async () => {
    await order('lone')
    expect(await refs('lone')).toBeUndefined()
    const event = await deliver('pull_request', pullRequest(20, 'nobody-said-so', shaOf('e'), 'Mends the door.\r\n\r\nTask: lone\r\n'))
    expect(tasksOf(event)).toEqual(['lone'])
    expect(JSON.stringify(event)).not.toContain('Mends the door')
    expect(new Set(await refs('lone'))).toEqual(new Set([`pr:${REPOSITORY}#20`, `sha:${shaOf('e')}`, `branch:${REPOSITORY}@nobody-said-so`]))
    expect(tasksOf(await deliver('push', pushTo('nobody-said-so', shaOf('f'))))).toEqual(['lone'])
    expect(tasksOf(await deliver('workflow_run', workflowRun('elsewhere', shaOf('f'))))).toEqual(['lone'])
  })

  test('wins over the branch', async () => {
    expect(tasksOf(await deliver('pull_request', pullRequest(21, 'rival', shaOf('1'), 'Task: lone')))).toEqual(['lone'])
  })

  test('that names no task brings the event to none, and makes none', async () => {
    expect(tasksOf(await deliver('pull_request', pullRequest(30, 'unheard-of', shaOf('2'), 'Task: nobody')))).toEqual([])
    expect((await taskAt('nobody')).status).toBe(404)
  })
})

describe('a default branch', () => {
  test.each(['main', 'master'])('%s is nobody\'s, though a task names it', async (branch) => {
    await order(`on-${branch}`, { parameters: { repository: REPOSITORY, branch } })
    expect(await refs(`on-${branch}`)).toBeUndefined()
    const event = await deliver('push', pushTo(branch, shaOf('3')))
    expect(event.topics).toContain(`branch:${REPOSITORY}@${branch}`)
    expect(tasksOf(event)).toEqual([])
  })
})

describe('what only looks the same', () => {
  test('a fork\'s branch of the same name is another one', async () => {
    const fork = merged(pullRequest(40, 'fix-login', shaOf('4')), { pull_request: { head: { repo: { full_name: 'stranger/Hello-World' } } } })
    expect(tasksOf(await deliver('pull_request', fork))).toEqual([])
  })

  test('so is the branch of a fork\'s run; the commit is the same, wherever it runs', async () => {
    expect(tasksOf(await deliver('workflow_run', workflowRun('fix-login', shaOf('8'), 'stranger/Hello-World')))).toEqual([])
    expect(tasksOf(await deliver('workflow_run', workflowRun('unheard-of', shaOf('e'), 'stranger/Hello-World')))).toEqual(['lone'])
  })

  test('a branch of another repository is another one', async () => {
    expect(tasksOf(await deliver('push', merged(pushTo('fix-login', shaOf('5')), { repository: { full_name: 'Codertocat/Other' } })))).toEqual([])
  })

  test('another project\'s task is out of reach, by trailer, commit, pull request and branch (I6)', async () => {
    await order('abroad', { parameters: { repository: REPOSITORY, branch: 'abroad' } }, 'other')
    expect(tasksOf(await deliver('pull_request', pullRequest(50, 'unheard-of', shaOf('6'), 'Task: abroad')))).toEqual([])
    expect(tasksOf(await deliver('push', pushTo('abroad', shaOf('7'))))).toEqual([])
    // And the other way round: all that the task here knows.
    expect(tasksOf(await deliver('pull_request', pullRequest(7, 'fix-login', HEAD, 'Task: login'), 'other'))).toEqual([])
    expect(tasksOf(await deliver('check_run', checkRun('fix-login', PUSHED, 7), 'other'))).toEqual([])
    expect(tasksOf(await deliver('push', pushTo('abroad', shaOf('7')), 'other'))).toEqual(['abroad'])
    expect((await taskAt('abroad')).status).toBe(404)
    expect((await taskAt('login', 'other')).status).toBe(404)
  })
})

test('whoever watches the task heard each of its events once, in order, and no other', async () => {
  const expected = watchers.default.events.filter(({ event }) => event.topics.includes('task:login')).map(({ event }) => event)
  await eventually(() => loyal.events.length >= expected.length, 'the last event of the task')
  expect(expected.map(({ type }) => type)).toEqual(['github.push', 'github.pr_updated', ...Array.from({ length: 4 }, () => 'github.workflow_updated')])
  expect(loyal.events.map(({ event }) => event)).toEqual(expected)
  expect(watchers.other.events.filter(({ event }) => event.project !== 'other')).toEqual([])
})

// ---------------------------------------------------------------- tasks

/** Of a kind of work that nobody takes. */
async function order(id: string, more: object = {}, project: Project = 'default'): Promise<void> {
  const as = token({ sub: 'engine', role: 'service', project })
  const told = await ask(`${cluster.workers[0]!.url}/api/v1/tasks`, { as, json: { id, type: 'fix', requires: ['nobody-has-it'], ...more } })
  expect([told.status, told.text]).toEqual([201, expect.any(String)])
}

const taskAt = (id: string, project: Project = 'default') => ask(`${cluster.workers[1]!.url}/api/v1/tasks/${id}`, { as: token({ role: 'viewer', project }) })

async function refs(id: string): Promise<Task['refs']> {
  return ((await taskAt(id)).body as unknown as Task).refs
}

const tasksOf = ({ topics }: HubEvent) => topics.filter((topic) => topic.startsWith('task:')).map((topic) => topic.slice('task:'.length))

// ---------------------------------------------------------------- deliveries

type Payload = Record<string, unknown>

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as { name: string; examples: Payload[] }[]

/** GitHub's first example that is about the repository (and a branch, of pushes). */
function example(name: string): Payload {
  const found = examples
    .find((hook) => hook.name === name)!
    .examples.find(({ ref = 'refs/heads/', repository }) => (repository as Payload)['full_name'] === REPOSITORY && String(ref).startsWith('refs/heads/'))
  return found!
}

const pushTo = (branch: string, after: string) => merged(example('push'), { ref: `refs/heads/${branch}`, after, head_commit: { id: after } })

const pullRequest = (number: number, ref: string, sha: string, body = '') =>
  merged(example('pull_request'), { number, pull_request: { number, body, head: { ref, sha } } })

/** GitHub's example names another repository as that of the head. */
const workflowRun = (head_branch: string, head_sha: string, full_name = REPOSITORY) =>
  merged(example('workflow_run'), { workflow_run: { head_branch, head_sha, head_repository: { full_name }, pull_requests: [] } })

function checkRun(head_branch: string, head_sha: string, number: number): Payload {
  const { id } = example('check_run')['repository'] as { id: number }
  return merged(example('check_run'), { check_run: { head_sha, check_suite: { head_branch, head_sha }, pull_requests: [{ number, base: { repo: { id } } }] } })
}

/** Lists are replaced as a whole. */
function merged(into: Payload, changes: Payload): Payload {
  const isObject = (value: unknown): value is Payload => typeof value === 'object' && value !== null && !Array.isArray(value)
  const entries = Object.entries(changes).map(([name, value]) => [name, isObject(value) && isObject(into[name]) ? merged(into[name], value) : value])
  return { ...into, ...(Object.fromEntries(entries) as Payload) }
}

/** Signed and posted to one worker; answers what the project's watcher hears of it on the other. */
async function deliver(name: string, payload: Payload, project: Project = 'default'): Promise<HubEvent> {
  const id = `delivery-${++deliveries}`
  const body = JSON.stringify(payload)
  const headers = { 'content-type': 'application/json', 'x-github-event': name, 'x-github-delivery': id, 'x-hub-signature-256': sign(SECRETS[project], body) }
  const told = await ask(`${cluster.workers[0]!.url}/webhooks/github${project === 'default' ? '' : `/${project}`}`, { method: 'POST', headers, body })
  expect([told.status, told.body]).toEqual([202, { ok: true, id, duplicate: false }])
  const { event } = await eventually(() => watchers[project].events.find((heard) => heard.event.id === id), `${id} at the watcher`)
  return event
}
