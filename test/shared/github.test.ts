import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isTopic } from '@hubbub/protocol'
import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { mapDelivery } from '../../server/src/gateway/github/mapping.js'
import { LIMITS } from './limits.js'

type Payload = Record<string, unknown>

const path = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
const examples = JSON.parse(readFileSync(path, 'utf8')) as { name: string; examples: Payload[] }[]
const deliveries = examples.flatMap(({ name, examples: payloads }) => payloads.map((payload, index) => ({ name, id: `${name}-${index}`, payload })))

const take = (name: string, payload: Payload) => mapDelivery(name, 'd-1', payload)
const find = (name: string, fits: (payload: Payload) => boolean = () => true): Payload => examples.find((example) => example.name === name)!.examples.find(fits)!

/** The vocabulary's table of webhook events; all others are `github.event`. */
const TYPES: Record<string, string[]> = {
  'github.issue_updated': ['issues', 'issue_comment', 'label', 'milestone'],
  'github.pr_updated': ['pull_request', 'pull_request_review', 'pull_request_review_comment', 'pull_request_review_thread', 'merge_group'],
  'github.workflow_updated': ['workflow_run', 'workflow_job', 'check_run', 'check_suite', 'status', 'workflow_dispatch'],
  'github.push': ['push', 'create', 'delete'],
  'github.deployment_updated': ['deployment', 'deployment_status', 'deployment_review'],
}
const typeOf = (name: string) => Object.keys(TYPES).find((type) => TYPES[type]!.includes(name)) ?? 'github.event'

describe('GitHub\'s example deliveries', () => {
  it('are all there', () => {
    expect(deliveries).toHaveLength(329)
  })

  it.each(deliveries)('$id becomes a valid event with topics', ({ name, id, payload }) => {
    const mapped = mapDelivery(name, id, payload)
    const event = normalise(mapped, LIMITS)
    expect(event).toMatchObject({ id, type: typeOf(name), data: { deliveryId: id, event: name } })
    expect(routeTopics(event)).toEqual(mapped.topics)
    expect(normalise(event, LIMITS)).toEqual(event)
    expect(mapped.topics.every(isTopic)).toBe(true)
    const repository = payload['repository'] as { full_name: string } | undefined
    expect(mapped.topics[0]).toBe(repository === undefined ? 'project' : `repo:${repository.full_name}`)
    // Never the raw payload: no more than the catalogue's fields, each small.
    expect(JSON.stringify(mapped).length).toBeLessThan(2500)
  })
})

describe('a delivery', () => {
  it('of a pull request', () => {
    expect(take('pull_request', find('pull_request'))).toEqual({
      id: 'd-1', type: 'github.pr_updated', timestamp: Date.parse('2019-05-15T15:20:33Z'),
      topics: ['repo:Codertocat/Hello-World', 'pr:Codertocat/Hello-World#2', 'branch:Codertocat/Hello-World@changes'],
      data: {
        deliveryId: 'd-1', event: 'pull_request', action: 'opened', repository: 'Codertocat/Hello-World', sender: 'Codertocat', prNumbers: [2],
        occurredAt: '2019-05-15T15:20:33.000Z', prNumber: 2, title: 'Update the README with new information.', state: 'open', draft: false, merged: false,
        headRef: 'changes', baseRef: 'master', headSha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821', sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
        branch: 'changes', url: 'https://github.com/Codertocat/Hello-World/pull/2',
      },
    })
  })

  it('of a pull request from a fork is no news of the repository\'s branch of that name', () => {
    const payload = structuredClone(find('pull_request')) as { pull_request: { head: { repo: { full_name: string } } } }
    payload.pull_request.head.repo.full_name = 'somebody/Hello-World'
    expect(take('pull_request', JSON.parse(JSON.stringify(payload)) as Payload).topics).toEqual(['repo:Codertocat/Hello-World', 'pr:Codertocat/Hello-World#2'])
  })

  it('of a review', () => {
    expect(take('pull_request_review', find('pull_request_review')).data).toMatchObject({ prNumber: 2, review: { id: 237_895_671, state: 'commented', user: 'Codertocat' } })
  })

  it('of a merge queue names its pull request', () => {
    expect(take('merge_group', find('merge_group'))).toMatchObject({
      type: 'github.pr_updated', data: { prNumber: 104, baseRef: 'main' }, topics: expect.arrayContaining(['pr:octo-org/octo-repo#104']),
    })
  })

  it('of a comment on an issue is the issue\'s', () => {
    expect(take('issue_comment', find('issue_comment'))).toMatchObject({
      type: 'github.issue_updated', topics: ['repo:Codertocat/Hello-World', 'issue:Codertocat/Hello-World#1'],
      data: { issueNumber: 1, commentId: 492_700_400, labels: ['bug'], state: 'open', occurredAt: '2019-05-15T15:20:21.000Z' },
    })
  })

  it('of a comment on a pull request is the pull request\'s', () => {
    const comment = find('issue_comment')
    const payload = { ...comment, issue: { ...(comment['issue'] as Payload), draft: true, pull_request: { url: 'x', merged_at: null } } }
    expect(take('issue_comment', payload)).toMatchObject({
      type: 'github.pr_updated', topics: ['repo:Codertocat/Hello-World', 'pr:Codertocat/Hello-World#1'], data: { prNumber: 1, prNumbers: [1], draft: true, merged: false, commentId: 492_700_400 },
    })
  })

  it('of a label has no issue', () => {
    expect(take('label', find('label'))).toMatchObject({ type: 'github.issue_updated', topics: ['repo:Codertocat/Hello-World'], data: { labels: [':bug: Bugfix'] } })
  })

  it('of a workflow run has the run\'s own status, whatever the action says', () => {
    const queued = find('workflow_run', (payload) => payload['action'] === 'completed' && (payload['workflow_run'] as Payload)['status'] === 'queued')
    expect(take('workflow_run', queued).data).toMatchObject({ kind: 'workflow_run', action: 'completed', status: 'queued', conclusion: null, runId: 1_589_141_559, attempt: 1 })
    const ended = find('workflow_run', (payload) => payload['action'] === 'requested' && (payload['workflow_run'] as Payload)['status'] === 'completed')
    expect(take('workflow_run', ended)).toMatchObject({ data: { action: 'requested', status: 'completed', conclusion: 'action_required' } })
  })

  it('of a job goes to its run', () => {
    const job = find('workflow_job', (payload) => (payload['workflow_job'] as Payload)['head_branch'] === 'renovate/got-13.x')
    expect(take('workflow_job', job)).toMatchObject({
      data: { kind: 'workflow_job', jobId: 14_541_957_942, runId: 5_373_506_832, status: 'in_progress' },
      topics: expect.arrayContaining(['workflow_run:5373506832']),
    })
  })

  it('of a check goes to its pull requests', () => {
    expect(take('check_run', find('check_run'))).toMatchObject({
      type: 'github.workflow_updated', data: { kind: 'check_run', name: 'Octocoders-linter', status: 'queued', conclusion: null, prNumbers: [2], branch: 'changes' },
      topics: ['repo:Codertocat/Hello-World', 'branch:Codertocat/Hello-World@changes', 'pr:Codertocat/Hello-World#2'],
    })
  })

  it('of a commit status ends as it says, on every branch that holds the commit', () => {
    expect(take('status', find('status'))).toMatchObject({
      data: { kind: 'status', name: 'default', status: 'completed', conclusion: 'success' },
      topics: ['repo:Codertocat/Hello-World', 'branch:Codertocat/Hello-World@master', 'branch:Codertocat/Hello-World@changes', 'branch:Codertocat/Hello-World@gh-pages'],
    })
    expect(take('status', { state: 'pending' }).data).toMatchObject({ status: 'pending', conclusion: null })
  })

  it('of a push to a branch', () => {
    const push = find('push', (payload) => payload['ref'] === 'refs/heads/master')
    expect(take('push', push)).toMatchObject({
      type: 'github.push', topics: ['repo:Codertocat/Hello-World', 'branch:Codertocat/Hello-World@master'],
      data: { ref: 'refs/heads/master', refType: 'branch', forced: false, commitCount: 1, after: '6113728f27ae82c7b1a177c8d03f9e96e0adf246', sha: '6113728f27ae82c7b1a177c8d03f9e96e0adf246' },
    })
  })

  it('of a tag is no branch\'s, and a deletion has no commit', () => {
    const deletion = find('push', (payload) => payload['deleted'] === true)
    expect(take('push', deletion).topics).toEqual(['repo:Codertocat/Hello-World'])
    expect(take('push', deletion).data).not.toHaveProperty('sha')
    expect(take('create', find('create'))).toMatchObject({ type: 'github.push', topics: ['repo:Codertocat/Hello-World'], data: { event: 'create', ref: 'refs/tags/simple-tag', refType: 'tag' } })
    expect(take('delete', { ref: 'old/idea', ref_type: 'branch', repository: { full_name: 'o/r' } })).toMatchObject({
      topics: ['repo:o/r', 'branch:o/r@old/idea'], data: { event: 'delete', ref: 'refs/heads/old/idea', refType: 'branch' },
    })
  })

  it('of a deployment\'s status', () => {
    const status = find('deployment_status', (payload) => payload['workflow_run'] !== undefined && payload['workflow_run'] !== null)
    expect(take('deployment_status', status)).toMatchObject({
      type: 'github.deployment_updated', data: { environment: 'github-pages', state: 'in_progress', runId: 289_782_451, branch: 'master' },
      topics: expect.arrayContaining(['workflow_run:289782451']),
    })
  })

  it('of CI, a push or a pull request has its commit', () => {
    const without = deliveries.flatMap(({ name, id, payload }) => {
      if (!['workflow_run', 'check_run', 'check_suite', 'status', 'push', 'pull_request'].includes(name) || payload['deleted'] === true) return []
      return /^[0-9a-f]{40}$/.test((take(name, payload).data as { sha: string }).sha) ? [] : [id]
    })
    expect(without).toEqual([])
  })

  it('without a repository is the project\'s', () => {
    expect(take('installation', find('installation'))).toMatchObject({ type: 'github.event', topics: ['project'], data: { event: 'installation', installationId: 2 } })
  })

  it('of an event that nobody has heard of yet is taken', () => {
    expect(take('teleportation', { action: 'begun', repository: { full_name: 'o/r' } })).toMatchObject({ type: 'github.event', topics: ['repo:o/r'], data: { action: 'begun' } })
  })

  it.each(Object.keys(Object.fromEntries(deliveries.map(({ name }) => [name, 0]))))('of %s with nothing or nonsense in it is taken', (name) => {
    for (const payload of [{}, { repository: null, sender: 5, action: {} }, { pull_request: [], issue: 'x', deployment: null, branches: [null, 5], ref: 7, label: 3, commits: {} }]) {
      expect(normalise(take(name, payload), LIMITS).type).toMatch(/^github\./)
    }
  })
})

describe('a trailer', () => {
  const namedIn = (name: string, payload: Payload) => (take(name, payload).data as { taskIds?: string[] }).taskIds
  const pull = (body: unknown) => namedIn('pull_request', { pull_request: { number: 1, body } })

  it('names tasks, one a line, however its key is written', () => {
    expect(pull('Fixes the parser.\r\n\r\nTask: T-1\r\ntask:T-2\n  TASK:  a/b:3  \nTask: T-1')).toEqual(['T-1', 'T-2', 'a/b:3'])
  })

  it('is a line of its own and an id', () => {
    for (const body of ['See Task: T-1', 'Task: T-1 and more', 'Task:', 'Task: a*', `Task: ${'x'.repeat(129)}`, 'Subtask: T-1', 'Task: T\u0000', '', null, 5]) expect(pull(body)).toBeUndefined()
    expect(pull(`Task: ${'x'.repeat(128)}`)).toHaveLength(1)
  })

  it('is read of a push, of a comment on a pull request and of what CI ran on', () => {
    const message = 'Mend\n\nTask: T-1'
    expect(namedIn('push', { ref: 'refs/heads/fix', head_commit: { message: 'Task: T-2' }, commits: [{ message }, { message: 'Task: T-2' }, { message: 5 }, null] })).toEqual(['T-2', 'T-1'])
    expect(namedIn('issue_comment', { issue: { number: 1, body: message, pull_request: {} } })).toEqual(['T-1'])
    expect(namedIn('issue_comment', { issue: { number: 1, body: message } })).toBeUndefined()
    expect(namedIn('pull_request_review', { pull_request: { number: 1, body: message }, review: {} })).toEqual(['T-1'])
    expect(namedIn('workflow_run', { workflow_run: { head_commit: { message } } })).toEqual(['T-1'])
    expect(namedIn('check_suite', { check_suite: { head_commit: { message } } })).toEqual(['T-1'])
    expect(namedIn('status', { commit: { commit: { message } } })).toEqual(['T-1'])
    expect(namedIn('merge_group', { merge_group: { head_commit: { message } } })).toEqual(['T-1'])
  })

  it('counts to eight, in a hundred commits, at the end of a text of any length', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `Task: T-${index}`)
    expect(pull(lines.join('\n'))).toEqual(lines.slice(0, 8).map((line) => line.slice('Task: '.length)))
    expect(namedIn('push', { ref: 'refs/heads/fix', commits: [...Array.from({ length: 100 }, () => ({ message: 'x' })), { message: 'Task: T-1' }] })).toBeUndefined()
    expect(pull(`${' '.repeat(1_000_000)}\nTask: T-1`)).toEqual(['T-1'])
  })

  it('is all that goes on of the text', () => {
    const mapped = take('pull_request', { pull_request: { number: 1, body: 'private words\nTask: T-1' } })
    expect(JSON.stringify(mapped)).not.toContain('private')
    expect(normalise(mapped, LIMITS).data).toMatchObject({ taskIds: ['T-1'] })
  })
})
