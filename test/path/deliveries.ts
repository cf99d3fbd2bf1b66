/**
 * GitHub's own example deliveries, and what each must become: canonical type and topics, told by a table that was read off
 * the payloads by name. It shares no code with the mapping that it judges.
 */
import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'

export interface Delivery {
  /** X-GitHub-Delivery, which is the event's id. */
  id: string
  /** X-GitHub-Event */
  name: string
  body: string
  expected: { type: string; topics: string[] }
}

type Payload = Record<string, unknown>
type Topics = (payload: Payload, repo: string) => (string | undefined)[]

const load = createRequire(import.meta.url)

/** All examples of api.github.com, in the package's order. */
export function readDeliveries(): Delivery[] {
  const examples = load('@octokit/webhooks-examples') as { name: string; examples: Payload[] }[]
  return examples.flatMap(({ name, examples: payloads }) =>
    payloads.map((payload, index) => ({ id: `${name}-${index}`, name, body: JSON.stringify(payload), expected: expectedOf(name, payload) })),
  )
}

/** As GitHub signs a body. */
export function sign(secret: string, body: string | Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

function expectedOf(name: string, payload: Payload): Delivery['expected'] {
  const [type, topics] = TABLE[name] ?? ['github.event', () => []]
  const repo = text(payload, 'repository.full_name')
  // Organisations, apps and the marketplace name no repository: such an event goes to the project as a whole.
  if (repo === undefined) return { type, topics: ['project'] }
  const named = topics(payload, repo).filter((topic) => topic !== undefined)
  return { type, topics: [...new Set([`repo:${repo}`, ...named])].sort() }
}

const issue = (path: string): Topics => (payload, repo) => [`issue:${repo}#${number(payload, path)}`]
const branch = (repo: string, ref: string | null | undefined) => (ref ? `branch:${repo}@${ref.replace('refs/heads/', '')}` : undefined)
const run = (id: number | undefined) => (id === undefined ? undefined : `workflow_run:${id}`)

/** The head's branch counts only where it is the repository's own and not a fork's. */
const pullRequest: Topics = (payload, repo) => [
  `pr:${repo}#${number(payload, 'pull_request.number')}`,
  at(payload, 'pull_request.head.repo.full_name') === repo ? branch(repo, text(payload, 'pull_request.head.ref')) : undefined,
]

/** Of these only the repository's own: a commit may be the head of another's as well. */
const attached = (subject: string): Topics => (payload, repo) =>
  ((at(payload, `${subject}.pull_requests`) ?? []) as { number: number; base: { repo: { id: number } } }[])
    .filter((pull) => pull.base.repo.id === at(payload, 'repository.id'))
    .map((pull) => `pr:${repo}#${pull.number}`)

const pointer: Topics = (payload, repo) => [at(payload, 'ref_type') === 'branch' ? branch(repo, text(payload, 'ref')) : undefined]
const deployed: Topics = (payload, repo) => [branch(repo, text(payload, 'deployment.ref')), run(number(payload, 'workflow_run.id'))]

const TABLE: Record<string, [type: string, topics: Topics]> = {
  issues: ['github.issue_updated', issue('issue.number')],
  // Comments on pull requests come as comments on issues; none of the examples is one.
  issue_comment: ['github.issue_updated', issue('issue.number')],
  label: ['github.issue_updated', () => []],
  milestone: ['github.issue_updated', () => []],
  pull_request: ['github.pr_updated', pullRequest],
  pull_request_review: ['github.pr_updated', pullRequest],
  pull_request_review_comment: ['github.pr_updated', pullRequest],
  pull_request_review_thread: ['github.pr_updated', pullRequest],
  merge_group: ['github.pr_updated', (payload, repo) => {
    const ref = text(payload, 'merge_group.head_ref')!
    return [`pr:${repo}#${ref.split('/pr-')[1]!.split('-')[0]}`, branch(repo, ref)]
  }],
  workflow_run: ['github.workflow_updated', (payload, repo) => [
    run(number(payload, 'workflow_run.id')),
    at(payload, 'workflow_run.head_repository.full_name') === repo ? branch(repo, text(payload, 'workflow_run.head_branch')) : undefined,
    ...attached('workflow_run')(payload, repo),
  ]],
  workflow_job: ['github.workflow_updated', (payload, repo) => [run(number(payload, 'workflow_job.run_id')), branch(repo, text(payload, 'workflow_job.head_branch'))]],
  workflow_dispatch: ['github.workflow_updated', (payload, repo) => [branch(repo, text(payload, 'ref'))]],
  check_run: ['github.workflow_updated', (payload, repo) => [branch(repo, text(payload, 'check_run.check_suite.head_branch')), ...attached('check_run')(payload, repo)]],
  check_suite: ['github.workflow_updated', (payload, repo) => [branch(repo, text(payload, 'check_suite.head_branch')), ...attached('check_suite')(payload, repo)]],
  status: ['github.workflow_updated', (payload, repo) => (at(payload, 'branches') as { name: string }[]).map(({ name }) => branch(repo, name))],
  push: ['github.push', (payload, repo) => [text(payload, 'ref')!.startsWith('refs/heads/') ? branch(repo, text(payload, 'ref')) : undefined]],
  create: ['github.push', pointer],
  delete: ['github.push', pointer],
  deployment: ['github.deployment_updated', deployed],
  deployment_status: ['github.deployment_updated', deployed],
  deployment_review: ['github.deployment_updated', (payload, repo) => [
    run(number(payload, 'workflow_run.id')),
    branch(repo, text(payload, 'workflow_run.head_branch')),
  ]],
}

/** What is missing, or null, is undefined. */
function at(payload: Payload, path: string): unknown {
  let found: unknown = payload
  for (const name of path.split('.')) found = (found as Payload | null | undefined)?.[name]
  return found ?? undefined
}

function text(payload: Payload, path: string): string | undefined {
  return at(payload, path) as string | undefined
}

function number(payload: Payload, path: string): number | undefined {
  return at(payload, path) as number | undefined
}
