/** What GitHub said of a task's work: pull requests with their reviews, and the last state of each check. */
import type { HubEvent } from '@hubbub/client'

export interface Pull {
  name: string
  title: string | undefined
  /** `open`, `draft`, `merged`, `closed`; undefined: nobody said. */
  state: string | undefined
  url: string | undefined
  /** `fix -> main` */
  branches: string | undefined
  /** By reviewer, the last word. */
  reviews: ReadonlyMap<string, string>
  at: number
}

export interface Check {
  name: string
  kind: string
  /** The conclusion, or as long as there is none the status. */
  state: string
  url: string | undefined
  at: number
}

export interface Other {
  key: string
  at: number
  what: string
  url: string | undefined
}

export interface GithubState {
  pulls: ReadonlyMap<string, Pull>
  checks: ReadonlyMap<string, Check>
  /** Pushes, deployments and the rest, the last ones. */
  others: readonly Other[]
}

type Data = Record<string, unknown>

const MOST = 50

export function readGithub(state: GithubState, event: HubEvent, data: Data): GithubState {
  if (event.type === 'github.pr_updated' && typeof data['prNumber'] === 'number') return { ...state, pulls: kept(state.pulls, ...pullOf(state.pulls, event, data)) }
  if (event.type === 'github.workflow_updated') return { ...state, checks: kept(state.checks, ...checkOf(event, data)) }
  return { ...state, others: [...state.others, otherOf(event, data)].slice(-MOST) }
}

function pullOf(pulls: GithubState['pulls'], { metadata }: HubEvent, data: Data): [string, Pull] {
  const name = `${text(data['repository']) ?? ''}#${String(data['prNumber'])}`
  const before = pulls.get(name)
  const state = data['merged'] === true ? 'merged' : data['draft'] === true ? 'draft' : text(data['state'])
  const [head, base] = [text(data['headRef']), text(data['baseRef'])]
  const review = data['review'] as { user?: string; state?: string } | undefined
  const reviews = new Map(before?.reviews)
  if (typeof review?.user === 'string' && typeof review.state === 'string') reviews.set(review.user, review.state)
  return [name, {
    name,
    title: text(data['title']) ?? before?.title,
    state: state ?? before?.state,
    // An address of a review or comment leads to the pull request, too; its own is the better one.
    url: text(data['url']) !== undefined && (review === undefined || before?.url === undefined) ? text(data['url']) : before?.url,
    branches: head !== undefined && base !== undefined ? `${head} → ${base}` : before?.branches,
    reviews,
    at: metadata.recordedAt,
  }]
}

function checkOf({ metadata }: HubEvent, data: Data): [string, Check] {
  const kind = text(data['kind']) ?? 'check'
  const name = text(data['name']) ?? kind
  const state = text(data['conclusion']) ?? text(data['status']) ?? '—'
  return [`${kind} ${name}`, { name, kind: kind.replace('_', ' '), state, url: text(data['url']), at: metadata.recordedAt }]
}

function otherOf({ id, type, metadata }: HubEvent, data: Data): Other {
  const action = [text(data['event']) ?? type.slice('github.'.length), text(data['action']), text(data['environment']), text(data['state'])]
  const commits = typeof data['commitCount'] === 'number' ? `${data['commitCount']} commits` : undefined
  const where = text(data['branch'])
  return { key: id, at: metadata.recordedAt, what: [...action, commits, where && `on ${where}`, text(data['sender']) && `by ${text(data['sender'])}`].filter(Boolean).join(' '), url: text(data['url']) }
}

function kept<T>(before: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  const after = new Map(before)
  // The last one told stands last.
  after.delete(key)
  after.set(key, value)
  if (after.size > MOST) after.delete(after.keys().next().value!)
  return after
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
