/**
 * A GitHub delivery as a canonical event: only the fields of the catalogue's `github.*`, never the raw payload (up to 25 MB).
 * Nothing is rejected here: real payloads differ from GitHub's own schemas, and a missing field is a missing field.
 */
import type { EventInput } from '@hubbub/protocol'
import { readMillis, routeTopics } from '@hubbub/protocol/catalogue'
import { branchOf, count, defined, dig, flag, integer, list, type Payload, record, text } from './fields.js'
import { tasksNamed } from './trailers.js'

/** What a webhook event adds to the fields that all have. */
interface Mapped {
  type: string
  data: Payload
  /** When it happened, as GitHub wrote it. */
  at: unknown
  /** Topics besides those that the data gives. */
  topics?: string[]
}

/**
 * @param name X-GitHub-Event
 * @param deliveryId X-GitHub-Delivery; a redelivery carries the same, so it is the event's id.
 */
export function mapDelivery(name: string, deliveryId: string, payload: Payload): EventInput & { topics: string[] } {
  const { type, data, at, topics = [] } = (MAPPINGS.get(name) ?? other)(payload, name)
  const millis = readMillis(at)
  const fields = defined({
    deliveryId,
    event: name,
    action: text(payload, 'action') ?? null,
    repository: text(payload, 'repository', 'full_name'),
    installationId: integer(payload, 'installation', 'id'),
    sender: text(payload, 'sender', 'login'),
    prNumbers: [],
    occurredAt: millis === undefined ? undefined : new Date(millis).toISOString(),
    ...data,
    url: data['url'] ?? text(payload, 'repository', 'html_url') ?? text(payload, 'organization', 'url'),
  })
  const event: EventInput & { topics: string[] } = { id: deliveryId, type, data: fields, topics: routeTopics({ type, data: fields, topics }) }
  if (millis !== undefined) event.timestamp = millis
  return event
}

type Mapping = (payload: Payload, name: string) => Mapped

const MAPPINGS: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['issues', (payload) => issue(payload, record(payload, 'issue'))],
  ['issue_comment', comment],
  ['label', (payload) => ({
    type: 'github.issue_updated', at: undefined, data: { labels: names([dig(payload, 'label')]), url: text(payload, 'label', 'url') },
  })],
  ['milestone', (payload) => issue(payload, defined({ ...record(payload, 'milestone'), number: undefined }))],
  ['pull_request', (payload) => pullRequest(payload, {})],
  ['pull_request_review', (payload) => pullRequest(payload, record(payload, 'review'))],
  ['pull_request_review_comment', (payload) => pullRequest(payload, record(payload, 'comment'), { commentId: integer(payload, 'comment', 'id') })],
  ['pull_request_review_thread', (payload) => pullRequest(payload, {})],
  ['merge_group', mergeGroup],
  ['workflow_run', workflowRun],
  ['workflow_job', workflowJob],
  ['workflow_dispatch', workflowDispatch],
  ['check_run', checkRun],
  ['check_suite', checkSuite],
  ['status', commitStatus],
  ['push', push],
  ['create', tip],
  ['delete', tip],
  ['deployment', deployment],
  ['deployment_status', deployment],
  ['deployment_review', deploymentReview],
])

// ---------------------------------------------------------------- issues and pull requests

function issue(payload: Payload, subject: Payload): Mapped {
  const data = {
    issueNumber: integer(subject, 'number'), title: text(subject, 'title'), state: text(subject, 'state'),
    labels: names(list(subject, 'labels')), commentId: integer(payload, 'comment', 'id'), url: text(payload, 'comment', 'html_url') ?? text(subject, 'html_url'),
  }
  return { type: 'github.issue_updated', data, at: dig(payload, 'comment', 'updated_at') ?? dig(subject, 'updated_at') }
}

function names(labels: readonly unknown[]): string[] {
  return labels.flatMap((label) => text(label, 'name') ?? [])
}

/** GitHub sends comments on pull requests as comments on issues. */
function comment(payload: Payload): Mapped {
  const subject = record(payload, 'issue')
  if (typeof subject['pull_request'] !== 'object' || subject['pull_request'] === null) return issue(payload, subject)
  const number = integer(subject, 'number')
  const data = {
    prNumber: number, prNumbers: number === undefined ? [] : [number], title: text(subject, 'title'), state: text(subject, 'state'), draft: flag(subject, 'draft'),
    merged: 'merged_at' in record(subject, 'pull_request') ? dig(subject, 'pull_request', 'merged_at') !== null : undefined,
    commentId: integer(payload, 'comment', 'id'), url: text(payload, 'comment', 'html_url') ?? text(subject, 'html_url'), taskIds: tasksNamed(text(subject, 'body')),
  }
  return { type: 'github.pr_updated', data, at: dig(payload, 'comment', 'updated_at') ?? dig(subject, 'updated_at') }
}

/** `part` is the review or comment that the delivery is about, if any. */
function pullRequest(payload: Payload, part: Payload, more: Payload = {}): Mapped {
  const subject = record(payload, 'pull_request')
  const number = integer(subject, 'number') ?? integer(payload, 'number')
  const headRef = text(subject, 'head', 'ref')
  const data = {
    prNumber: number, prNumbers: number === undefined ? [] : [number], title: text(subject, 'title'), state: text(subject, 'state'), draft: flag(subject, 'draft'),
    merged: flag(subject, 'merged'), headRef, baseRef: text(subject, 'base', 'ref'), headSha: text(subject, 'head', 'sha'), sha: text(subject, 'head', 'sha'),
    // A fork's branch of the same name is not the repository's.
    branch: text(subject, 'head', 'repo', 'full_name') === text(payload, 'repository', 'full_name') ? branchOf(headRef) : undefined,
    review: 'review' in payload
      ? defined({ id: integer(payload, 'review', 'id'), state: text(payload, 'review', 'state'), user: text(payload, 'review', 'user', 'login') })
      : undefined,
    url: text(part, 'html_url') ?? text(subject, 'html_url'), taskIds: tasksNamed(text(subject, 'body')), ...more,
  }
  return { type: 'github.pr_updated', data, at: dig(part, 'updated_at') ?? dig(part, 'submitted_at') ?? dig(subject, 'updated_at') }
}

/** A merge queue's group names its pull request only in its branch: `gh-readonly-queue/main/pr-104-<sha>`. */
function mergeGroup(payload: Payload): Mapped {
  const group = record(payload, 'merge_group')
  const headRef = branchOf(text(group, 'head_ref'))
  const match = /\/pr-(\d{1,15})-[0-9a-f]+$/.exec(headRef ?? '')
  const number = match ? Number(match[1]) : undefined
  const data = {
    prNumber: number, prNumbers: number === undefined ? [] : [number], headRef, baseRef: branchOf(text(group, 'base_ref')), branch: headRef,
    headSha: text(group, 'head_sha'), sha: text(group, 'head_sha'), taskIds: tasksNamed(text(group, 'head_commit', 'message')),
  }
  return { type: 'github.pr_updated', data, at: dig(group, 'head_commit', 'timestamp') }
}

// ---------------------------------------------------------------- workflows and checks

function workflow(data: Payload, at: unknown, topics?: string[]): Mapped {
  return { type: 'github.workflow_updated', data: { conclusion: null, ...data, prNumbers: data['prNumbers'] ?? [] }, at, topics }
}

/** `status` is the run's own: `action` says `completed` of runs that are queued again. */
function workflowRun(payload: Payload): Mapped {
  const run = record(payload, 'workflow_run')
  return workflow({
    kind: 'workflow_run', runId: integer(run, 'id'), attempt: integer(run, 'run_attempt'), name: text(run, 'name'), status: text(run, 'status'),
    conclusion: text(run, 'conclusion') ?? null, branch: runBranch(payload, run), sha: text(run, 'head_sha'), prNumbers: pullRequests(payload, run),
    url: text(run, 'html_url'), taskIds: tasksNamed(text(run, 'head_commit', 'message')),
  }, dig(run, 'updated_at'))
}

function workflowJob(payload: Payload): Mapped {
  const job = record(payload, 'workflow_job')
  return workflow({
    kind: 'workflow_job', runId: integer(job, 'run_id'), jobId: integer(job, 'id'), attempt: integer(job, 'run_attempt'), name: text(job, 'name'),
    status: text(job, 'status'), conclusion: text(job, 'conclusion') ?? null, branch: branchOf(text(job, 'head_branch')), sha: text(job, 'head_sha'),
    url: text(job, 'html_url'),
  }, dig(job, 'completed_at') ?? dig(job, 'started_at') ?? dig(job, 'created_at'))
}

function workflowDispatch(payload: Payload): Mapped {
  return workflow({ kind: 'workflow_dispatch', name: text(payload, 'workflow'), branch: branchOf(text(payload, 'ref')) }, undefined)
}

function checkRun(payload: Payload): Mapped {
  const check = record(payload, 'check_run')
  // Checks of GitHub's own workflows name their run only there.
  const run = /\/actions\/runs\/(\d{1,15})(?:\/|$)/.exec(text(check, 'details_url') ?? '')
  return workflow({
    kind: 'check_run', runId: run ? Number(run[1]) : undefined, jobId: integer(check, 'id'), name: text(check, 'name'), status: text(check, 'status'),
    conclusion: text(check, 'conclusion') ?? null, branch: branchOf(text(check, 'check_suite', 'head_branch')), sha: text(check, 'head_sha'),
    prNumbers: pullRequests(payload, check), url: text(check, 'html_url'),
  }, dig(check, 'completed_at') ?? dig(check, 'started_at'))
}

function checkSuite(payload: Payload): Mapped {
  const suite = record(payload, 'check_suite')
  return workflow({
    kind: 'check_suite', name: text(suite, 'app', 'name'), status: text(suite, 'status'), conclusion: text(suite, 'conclusion') ?? null,
    branch: branchOf(text(suite, 'head_branch')), sha: text(suite, 'head_sha'), prNumbers: pullRequests(payload, suite),
    taskIds: tasksNamed(text(suite, 'head_commit', 'message')),
  }, dig(suite, 'updated_at'))
}

/**
 * A commit status has one word for both: `pending`, or how it ended. `branches` also lists those that merely contain the commit:
 * they count only when it is no branch's tip any more.
 */
function commitStatus(payload: Payload): Mapped {
  const sha = text(payload, 'sha')
  const state = text(payload, 'state')
  const ended = state !== undefined && state !== 'pending'
  const holders = list(payload, 'branches')
  const tips = holders.filter((branch) => text(branch, 'commit', 'sha') === sha)
  const branches = (tips.length > 0 ? tips : holders).flatMap((branch) => text(branch, 'name') ?? [])
  return workflow({
    kind: 'status', name: text(payload, 'context'), status: ended ? 'completed' : state, conclusion: ended ? state : null, branch: branches[0], sha,
    url: text(payload, 'target_url') ?? text(payload, 'commit', 'html_url'), taskIds: tasksNamed(text(payload, 'commit', 'commit', 'message')),
  }, dig(payload, 'updated_at'), branches.slice(1).map((branch) => `branch:${text(payload, 'repository', 'full_name')}@${branch}`))
}

/** Runs of a fork's commits carry the fork's branch name. */
function runBranch(payload: Payload, run: Payload): string | undefined {
  const head = text(run, 'head_repository', 'full_name')
  return head === undefined || head === text(payload, 'repository', 'full_name') ? branchOf(text(run, 'head_branch')) : undefined
}

/** Numbers of the repository's own pull requests; a commit may be the head of others', too. */
function pullRequests(payload: Payload, subject: Payload): number[] {
  const repository = integer(payload, 'repository', 'id')
  return list(subject, 'pull_requests').flatMap((pull) => {
    const base = integer(pull, 'base', 'repo', 'id')
    const number = integer(pull, 'number')
    return number === undefined || (base !== undefined && base !== repository) ? [] : [number]
  })
}

// ---------------------------------------------------------------- branches, tags, deployments

const NOTHING = /^0+$/

function push(payload: Payload): Mapped {
  const ref = text(payload, 'ref')
  const after = text(payload, 'after')
  const branch = branchOf(ref)
  const data = {
    ref, refType: branch === undefined ? 'tag' : 'branch', before: text(payload, 'before'), after, forced: flag(payload, 'forced'), branch,
    commitCount: count(payload, 'commits'), sha: after === undefined || NOTHING.test(after) ? undefined : after, url: text(payload, 'compare'),
    // The head is not among the first hundred of a long push.
    taskIds: tasksNamed(text(payload, 'head_commit', 'message'), ...list(payload, 'commits').map((commit) => text(commit, 'message'))),
  }
  return { type: 'github.push', data, at: dig(payload, 'head_commit', 'timestamp') ?? dig(payload, 'repository', 'pushed_at') }
}

/** `create` and `delete` name the branch or tag barely. */
function tip(payload: Payload): Mapped {
  const ref = text(payload, 'ref')
  const refType = text(payload, 'ref_type')
  const data = {
    ref: ref === undefined ? undefined : `refs/${refType === 'branch' ? 'heads' : 'tags'}/${ref}`, refType, branch: refType === 'branch' ? ref : undefined,
  }
  return { type: 'github.push', data, at: dig(payload, 'repository', 'pushed_at') }
}

/** A deployment has no state until its first status: then it is what happened to it. */
function deployment(payload: Payload): Mapped {
  const subject = record(payload, 'deployment')
  const status = record(payload, 'deployment_status')
  const ref = text(subject, 'ref')
  const sha = text(subject, 'sha')
  const data = {
    environment: text(status, 'environment') ?? text(subject, 'environment'), state: text(status, 'state') ?? text(payload, 'action'),
    deploymentId: integer(subject, 'id'), runId: integer(payload, 'workflow_run', 'id'), sha, branch: ref === sha ? undefined : branchOf(ref),
    prNumbers: pullRequests(payload, record(payload, 'workflow_run')), url: text(status, 'target_url') || text(subject, 'url'),
  }
  return { type: 'github.deployment_updated', data, at: dig(status, 'updated_at') ?? dig(subject, 'updated_at') }
}

function deploymentReview(payload: Payload): Mapped {
  const run = record(payload, 'workflow_run')
  const data = {
    environment: text(payload, 'environment') ?? text(payload, 'workflow_job_run', 'environment'), state: text(payload, 'action'), runId: integer(run, 'id'),
    sha: text(run, 'head_sha'), branch: runBranch(payload, run), prNumbers: pullRequests(payload, run), url: text(run, 'html_url'),
  }
  return { type: 'github.deployment_updated', data, at: dig(payload, 'since') ?? dig(run, 'updated_at') }
}

// ---------------------------------------------------------------- everything else

const SURROUNDINGS: ReadonlySet<string> = new Set(['repository', 'organization', 'enterprise', 'sender', 'installation', 'changes'])

/** The first object that is not where it happened or who did it is what it is about. */
function other(payload: Payload): Mapped {
  const about = Object.keys(payload).find((name) => !SURROUNDINGS.has(name) && Object.keys(record(payload, name)).length > 0)
  const subject = about === undefined ? {} : record(payload, about)
  return {
    type: 'github.event',
    data: { url: text(subject, 'html_url') },
    at: dig(subject, 'updated_at') ?? dig(subject, 'published_at') ?? dig(subject, 'created_at'),
  }
}
