/**
 * Entities by id, and lists of them. What an identity may not watch is not there for it: left out of lists, not found by id, and
 * counted nowhere (I6).
 */
import { entityTopics, HubError, partitionOf, topicFamily, type Cursor, type Entity, type EntityView, type Kind, type TopicFamily } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { isAdmin, may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import { ALL } from '../store/entities.js'
import type { StateStore } from '../store/port.js'
import { parsed, readPage, viewOf } from './entity-pages.js'
import { checkFilters, fits, termOf, type Filters } from './entity-filters.js'

export interface EntityDeps {
  state: Pick<StateStore, 'select'>
  partitions: number
  settings: Pick<Settings, 'pageBytes'>
}

export interface ListRequest {
  /** All must hold; names by `filterNames`. */
  filters?: Filters
  /** 1 to 1,000, default 100. */
  limit?: number
  /** `next` of the page before, of the same list. */
  after?: string
}

export interface ListResult<K extends Kind = Kind> {
  /** Where the list's first page held: events behind it bring what changed since. */
  cursor: Cursor
  /** Newest first. Fewer than the limit, even none, while there is a `next`: what may not be seen was passed over. */
  entities: EntityView<K>[]
  next?: string
}

export interface FindResult<K extends Kind = Kind> {
  cursor: Cursor
  entity: EntityView<K>
}

export interface EntityReader {
  /** Rejects with `HubError` INVALID_MESSAGE, or INSUFFICIENT_PERMISSIONS for whoever may see none of the kind. */
  list<K extends Kind>(identity: Identity, kind: K, request?: ListRequest): Promise<ListResult<K>>
  /** Rejects with `HubError` TASK_NOT_FOUND or NOT_FOUND. */
  find<K extends Kind>(identity: Identity, kind: K, id: string): Promise<FindResult<K>>
}

const DEFAULT_LIMIT = 100
const MOST = 1000
const SUBSCRIBE = 'subscribe:'

/** Families of topics under which entities of a kind are watched, the kind's own first. */
const FAMILIES: Record<Kind, readonly (TopicFamily | 'project')[]> = {
  agent: ['agent'],
  task: ['task', 'pipeline', 'stream'],
  pipeline: ['pipeline'],
  stream: ['stream'],
  checkpoint: ['checkpoint'],
  run: ['run'],
  task_type: ['project'],
}

export function createEntityReader({ state, partitions, settings }: EntityDeps): EntityReader {
  const sourceOf = ({ project }: Identity) => ({ state, partition: partitionOf(project, partitions), project })
  return {
    async list<K extends Kind>(identity: Identity, kind: K, request: ListRequest = {}) {
      const { filters = {}, limit = DEFAULT_LIMIT, after } = request
      if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw new HubError('INVALID_MESSAGE', `\`limit\` must be 1 to ${MOST}.`, { path: 'limit' })
      checkFilters(kind, filters)
      requireSome(identity, kind)
      const selector = { kind, term: termOf(kind, filters) ?? ALL, newestFirst: true }
      const shows = (entity: Entity) => fits(kind, entity, filters) && isVisible(identity, kind, entity)
      const limits = { count: limit, bytes: settings.pageBytes, ...(after !== undefined && { after }) }
      return (await readPage(sourceOf(identity), { exact: [], scans: [{ selector, shows }] }, limits)) as ListResult<K>
    },
    async find<K extends Kind>(identity: Identity, kind: K, id: string) {
      const { partition, project } = sourceOf(identity)
      const { last, epoch, entities } = await state.select(partition, project, [{ kind, ids: [id] }], { count: 1, bytes: settings.pageBytes })
      const [found] = entities
      const entity = found && parsed(found)
      if (!entity || !isVisible(identity, kind, entity)) throw notFound(kind, id)
      return { cursor: `${epoch}.${last}`, entity: viewOf({ ...found, kind }, entity) }
    },
  }
}

/** The topics under which the identity may watch the entity. */
export function visibleTopics(identity: Identity, kind: Kind, entity: Entity): string[] {
  return entityTopics(kind, entity as never).filter((topic) => may(identity, 'subscribe', topic))
}

function isVisible(identity: Identity, kind: Kind, entity: Entity): boolean {
  return isAdmin(identity) || visibleTopics(identity, kind, entity).length > 0
}

/** A list in which nothing could ever stand is refused, not searched. */
function requireSome(identity: Identity, kind: Kind): void {
  const families: readonly string[] = FAMILIES[kind]
  const patterns = identity.permissions.filter((permission) => permission.startsWith(SUBSCRIBE)).map((permission) => permission.slice(SUBSCRIBE.length))
  if (isAdmin(identity) || patterns.some((pattern) => pattern === '*' || families.includes(topicFamily(pattern)))) return
  const own = families[0]!
  throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to see any ${kind}.`, { needed: needed('subscribe', own === 'project' ? own : `${own}:*`) })
}

export function notFound(kind: Kind, id: string): HubError {
  return kind === 'task' ? new HubError('TASK_NOT_FOUND', undefined, { taskId: id }) : new HubError('NOT_FOUND', `There is no such ${kind.replace('_', ' ')}.`, { id })
}
