/**
 * What joins GitHub to tasks: `sha:<40 hex>`, `pr:octo/hub#7`, `branch:octo/hub@fix`, the surest first. A default branch is no
 * ref: it belongs to everybody.
 */
import type { HubEvent } from '../envelope.js'
import { isTopic } from '../topics.js'
import { dataOf } from './reducer.js'

const DEFAULT_BRANCHES: ReadonlySet<string> = new Set(['main', 'master', 'develop', 'trunk'])
const SHA = /^[0-9a-f]{40}$/i
const NO_COMMIT = /^0+$/
const REPOSITORY = /^(?:https:\/\/github\.com\/)?([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/
/** A commit may be the head of more pull requests than are about one task. */
const MOST_PULL_REQUESTS = 8

/** Of a canonical `github.*` event, the surest first. */
export function refsOfGithub(event: Pick<HubEvent, 'type' | 'data'>): string[] {
  const data = dataOf(event)
  const numbers = Array.isArray(data['prNumbers']) ? (data['prNumbers'] as unknown[]).slice(0, MOST_PULL_REQUESTS) : []
  return refs(data['repository'], [data['sha'], data['headSha']], [data['prNumber'], ...numbers], [data['branch']])
}

/**
 * Of what a task was given: `sha` or `commit`; with `repository` or `repo` (`octo/hub`, or its address) also `branch`, and
 * `prNumber` or `pr`.
 */
export function refsOfTask(parameters: Readonly<Record<string, unknown>> | undefined): string[] {
  if (parameters === undefined) return []
  const { repository, repo, sha, commit, prNumber, pr, branch } = parameters
  return refs(repository ?? repo, [sha, commit], [prNumber, pr], [branch])
}

function refs(repository: unknown, commits: readonly unknown[], pulls: readonly unknown[], branches: readonly unknown[]): string[] {
  const found = commits.flatMap((sha) => (typeof sha === 'string' && SHA.test(sha) && !NO_COMMIT.test(sha) ? [`sha:${sha.toLowerCase()}`] : []))
  const match = typeof repository === 'string' && repository.length <= 256 ? REPOSITORY.exec(repository) : null
  if (match) {
    for (const pull of pulls) if (isNumber(pull)) found.push(`pr:${match[1]}#${Number(pull)}`)
    for (const branch of branches.map(bare)) if (branch !== '' && !DEFAULT_BRANCHES.has(branch)) found.push(`branch:${match[1]}@${branch}`)
  }
  // A ref is an index term, and shaped like the topic of the same name.
  return [...new Set(found)].filter((ref) => ref.startsWith('sha:') || isTopic(ref))
}

function bare(branch: unknown): string {
  return typeof branch === 'string' ? branch.replace(/^refs\/heads\//, '') : ''
}

function isNumber(value: unknown): boolean {
  return typeof value === 'string' ? /^[1-9]\d{0,14}$/.test(value) : Number.isSafeInteger(value) && (value as number) > 0
}
