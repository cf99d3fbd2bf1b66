/**
 * The state of what topics name, and where in the journal it holds: whoever applies the events behind it with `evolve` has every later
 * state. So it holds each entity whose events carry one of the topics (`entityTopics`), and for a mailbox the tasks that wait in it.
 */
import { isWatched, isWildcard, KINDS, partitionOf, topicFamily, topicMatches, type Entity, type Kind, type SnapshotResult, type Task } from '@hubbub/protocol'
import { checkSnapshot } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import type { Settings } from '../settings/table.js'
import { ALL } from '../store/entities.js'
import type { Selector, StateStore } from '../store/port.js'
import { readPage, type Plan, type Scan } from './entity-pages.js'
import { grantedInterest } from './interest.js'

export interface SnapshotDeps {
  state: Pick<StateStore, 'select'>
  partitions: number
  /** Absent: their defaults. */
  settings?: Pick<Settings, 'maxTopics' | 'pageBytes'>
}

const DEFAULT_COUNT = 1000

/** Rejects with `HubError`: INSUFFICIENT_PERMISSIONS for topics that the identity may not subscribe to (I6). */
export async function snapshot(deps: SnapshotDeps, identity: Identity, input: unknown): Promise<SnapshotResult> {
  const { maxTopics = 50, pageBytes = 1_048_576 } = deps.settings ?? {}
  const { topics, after, limit = DEFAULT_COUNT } = checkSnapshot(input, { maxTopics })
  const { project } = identity
  const interest = grantedInterest(identity, { topics })
  const source = { state: deps.state, partition: partitionOf(project, deps.partitions), project }
  return await readPage(source, planOf(interest.topics), { count: limit, bytes: pageBytes, ...(after !== undefined && { after }) })
}

/** Selectors for a list of topics; the same list gives the same ones in the same order, so that a page's end can be found again. */
export function planOf(topics: readonly string[]): Plan {
  const choice = new Choice(topics)
  for (const topic of topics) choice.add(topic)
  return choice.plan()
}

class Choice {
  private readonly ids = new Map<Kind, Set<string>>()
  private readonly indexes = new Map<string, Selector>()
  private readonly scans = new Map<string, Scan>()

  constructor(private readonly topics: readonly string[]) {}

  plan(): Plan {
    const byId = [...this.ids].map(([kind, ids]): Selector => ({ kind, ids: [...ids] }))
    // Of a kind that is there as a whole nothing has to be looked through.
    const scans = [...this.scans.values()].filter(({ selector }) => !this.indexes.has(`${selector.kind} ${ALL}`))
    return { exact: [...byId, ...this.indexes.values()], scans }
  }

  add(topic: string): void {
    const family = topicFamily(topic)
    const name = topic.slice(family.length + 1)
    const stem = isWildcard(topic) ? name.slice(0, -1) : undefined
    switch (family) {
      case '*':
        for (const kind of KINDS) this.all(kind)
        return
      case 'project':
        return this.all('task_type')
      case 'task':
      case 'agent':
      case 'run':
        return stem === undefined ? this.one(family, name) : this.all(family, stem)
      case 'pipeline':
      case 'stream':
        if (stem === undefined) {
          this.one(family, name)
          // The term is the topic: `pipeline:P`, `pipeline:P:stage:N`, `stream:S`.
          return this.under('task', topic)
        }
        this.all(family, stem)
        return this.scan('task', ALL)
      case 'checkpoint':
        if (stem === undefined) {
          this.one('checkpoint', name)
          return this.under('checkpoint', `task:${name}`)
        }
        return stem === '' ? this.all('checkpoint') : this.scan('checkpoint', ALL)
      case 'inbox':
        return stem === undefined ? this.under('task', `mail:${name}`) : this.scan('task', 'status:delegated')
      default:
        return undefined
    }
  }

  private one(kind: Kind, id: string): void {
    const known = this.ids.get(kind)
    if (known) known.add(id)
    else this.ids.set(kind, new Set([id]))
  }

  private all(kind: Kind, prefix = ''): void {
    if (prefix === '') this.under(kind, ALL)
    else this.indexes.set(`${kind} ${ALL} ${prefix}`, { kind, term: ALL, prefix })
  }

  private under(kind: Kind, term: string): void {
    this.indexes.set(`${kind} ${term}`, { kind, term })
  }

  private scan(kind: Kind, term: string): void {
    this.scans.set(`${kind} ${term}`, { selector: { kind, term }, shows: (entity) => isWatched(this.topics, kind, entity) || isOffered(this.topics, kind, entity) })
  }
}

/** In an inbox stands what was offered and not answered. */
function isOffered(patterns: readonly string[], kind: Kind, entity: Entity): boolean {
  if (kind !== 'task') return false
  const { status, agentId } = entity as Task
  return status === 'delegated' && agentId !== undefined && patterns.some((pattern) => topicMatches(pattern, `inbox:${agentId}`))
}
