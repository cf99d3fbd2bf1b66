/**
 * Topic grammar: `family:id`, the bare `system` and `project`, and for subscriptions `family:*`, `family:prefix*`
 * and `*`. A topic is a Socket.IO room, prefixed with its project inside the hub.
 */

export const TOPIC_FAMILIES = [
  'agent', 'task', 'pipeline', 'stream', 'checkpoint', 'run', 'thread', 'repo', 'pr', 'branch', 'issue', 'workflow_run', 'connection', 'inbox',
] as const
export const BARE_TOPICS = ['system', 'project'] as const

export type TopicFamily = (typeof TOPIC_FAMILIES)[number]

const FAMILIES: ReadonlySet<string> = new Set(TOPIC_FAMILIES)
const BARE: ReadonlySet<string> = new Set(BARE_TOPICS)
/**
 * Printable, no white space, no wildcard: ids are names like `octo/hub#42`, `main@feature/x`, `p1:stage:2`. No lone surrogates:
 * in UTF-8 they would all be one, and so would the topics.
 */
// oxlint-disable-next-line no-control-regex
const ID = /^[^\s*\u0000-\u001f\u007f\p{Cs}]{1,256}$/u

/** Family of a topic or pattern; `*` for the pattern of everything. */
export function topicFamily(topic: string): string {
  const colon = topic.indexOf(':')
  return colon < 0 ? topic : topic.slice(0, colon)
}

/** A concrete topic that an event may carry. */
export function isTopic(text: unknown): text is string {
  if (typeof text !== 'string') return false
  if (BARE.has(text)) return true
  const colon = text.indexOf(':')
  return colon > 0 && FAMILIES.has(text.slice(0, colon)) && ID.test(text.slice(colon + 1))
}

/** What a subscription may name: a topic, `family:*`, `family:prefix*` or `*`. */
export function isTopicPattern(text: unknown): text is string {
  if (text === '*' || isTopic(text)) return true
  if (typeof text !== 'string' || !text.endsWith('*')) return false
  const stem = text.slice(0, -1)
  const colon = stem.indexOf(':')
  if (colon < 0 || !FAMILIES.has(stem.slice(0, colon))) return false
  return colon === stem.length - 1 || ID.test(stem.slice(colon + 1))
}

export function isWildcard(pattern: string): boolean {
  return pattern.endsWith('*')
}

/**
 * Whether a pattern takes a topic. `*` takes everything but mail: an `inbox:` topic is only ever matched by a pattern
 * that names the family, so that watching everything is not reading everybody's mail (I6).
 */
export function topicMatches(pattern: string, topic: string): boolean {
  if (pattern === topic) return true
  if (pattern === '*') return !topic.startsWith('inbox:')
  return pattern.endsWith('*') && topic.startsWith(pattern.slice(0, -1))
}

/** Type patterns of subscriptions and permissions: `task.progress`, `task.*`, `*`. */
export function typeMatches(pattern: string, type: string): boolean {
  if (pattern === type || pattern === '*') return true
  return pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1))
}

const TYPE_PATTERN = /^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?)$/

export function isTypePattern(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 128 && TYPE_PATTERN.test(text)
}

/** Project names: what may stand in a key, a room and a URL without escaping. */
export function isProject(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}
