/**
 * Pages of entities of which not all are for whoever asks. What an index gives in full is read in one moment; what has to be looked
 * through is read piece by piece, and a page ends where a limit of its own or of the work does. Where a page ended says nothing of
 * what was passed over: a place that was shown, or the border of a millisecond (I6).
 */
import { formatCursor, HubError, parseCursor, type Cursor, type Entity, type EntityView, type Kind } from '@hubbub/protocol'
import { pageBegin, pageToken } from '../store/page-token.js'
import type { Selector, StateStore, StoredEntity } from '../store/port.js'

export type IndexSelector = Extract<Selector, { term: string }>

export interface Scan {
  selector: IndexSelector
  shows: (entity: Entity) => boolean
}

export interface Plan {
  /** Everything under them is shown. */
  exact: readonly Selector[]
  /** Read after them, one by one. */
  scans: readonly Scan[]
}

export interface PageLimits {
  count: number
  /** Of JSON, about. */
  bytes: number
  /** `next` of the page before. */
  after?: string
}

export interface Page {
  /** Where the first page held; the same for all that follow it. */
  cursor: Cursor
  entities: EntityView[]
  next?: string
}

export interface EntitySource {
  state: Pick<StateStore, 'select'>
  partition: number
  project: string
}

/** Entities that one page looks through, about: then it ends with whatever it found, perhaps nothing. */
const MOST_LOOKED_AT = 5000
/** Entities that one call of the store gives while a scan goes on. */
const PIECE = 500

/** Each entity once a page. Rejects with `HubError` INVALID_MESSAGE for an `after` that is no `next` of the same question. */
export function readPage(source: EntitySource, plan: Plan, limits: PageLimits): Promise<Page> {
  return new Reading(source, plan, limits).page()
}

class Reading {
  private readonly entities: EntityView[] = []
  private readonly taken = new Set<string>()
  private readonly selectors: readonly Selector[]
  private bytes = 0
  private looked = 0
  private cursor: Cursor | undefined

  constructor(private readonly source: EntitySource, private readonly plan: Plan, private readonly limits: PageLimits) {
    this.selectors = [...plan.exact, ...plan.scans.map(({ selector }) => selector)]
  }

  async page(): Promise<Page> {
    const begin = openNext(this.limits.after)
    this.cursor = begin.cursor
    const { exact, scans } = this.plan
    let token = begin.token
    const first = token === undefined ? 0 : pageBegin(token, this.selectors).selector
    if (first < exact.length || scans.length === 0) {
      const stopped = await this.readExact(token)
      if (stopped !== undefined) return this.ended(stopped)
      token = undefined
    }
    for (let at = Math.max(first, exact.length); at < this.selectors.length; at++) {
      const stopped = await this.scan(at, token ?? pageToken({ selector: at, behind: '' }))
      if (stopped !== undefined) return this.ended(stopped)
      token = undefined
    }
    return this.ended()
  }

  private ended(token?: string): Page {
    const cursor = this.cursor!
    return token === undefined ? { cursor, entities: this.entities } : { cursor, entities: this.entities, next: `${cursor}~${token}` }
  }

  private async readExact(token: string | undefined): Promise<string | undefined> {
    const { entities, next } = await this.select(this.plan.exact.length, { ...this.limits, after: token })
    for (const found of entities) this.take(found, parsed(found))
    return next
  }

  /** Answers where to go on, should it have come to an end before its index did. */
  private async scan(at: number, begin: string): Promise<string | undefined> {
    const { selector, shows } = this.plan.scans[at - this.plan.exact.length]!
    let token = begin
    let shown: string | undefined
    for (let piece = this.limits.count - this.entities.length + 1; ; piece = PIECE) {
      const { entities, next } = await this.select(at + 1, { count: Math.max(1, Math.min(piece, PIECE)), bytes: this.limits.bytes, after: token })
      for (const found of entities) {
        const entity = parsed(found)
        if (!shows(entity)) continue
        if (this.isFull(found)) return shown === undefined ? begin : pageToken({ selector: at, behind: shown })
        this.take(found, entity)
        shown = found.place
      }
      this.looked += entities.length
      if (next === undefined) return undefined
      token = next
      if (this.looked < MOST_LOOKED_AT) continue
      const border = borderBefore(pageBegin(next, this.selectors).behind, shown, selector.newestFirst === true)
      // All that was looked at may be of one millisecond: its end must be passed, or the next page would begin as this one did.
      if (border !== pageBegin(begin, this.selectors).behind) return pageToken({ selector: at, behind: border })
    }
  }

  private async select(end: number, limits: PageLimits): Promise<{ entities: StoredEntity[]; next?: string }> {
    const { state, partition, project } = this.source
    const { last, epoch, ...rest } = await state.select(partition, project, this.selectors.slice(0, end), limits)
    this.cursor ??= formatCursor(epoch, last)
    return rest
  }

  private isFull({ json }: StoredEntity): boolean {
    return this.entities.length > 0 && (this.entities.length >= this.limits.count || this.bytes + Buffer.byteLength(json) > this.limits.bytes)
  }

  private take(found: StoredEntity, entity: Entity): void {
    const name = `${found.kind} ${found.id}`
    if (this.taken.has(name)) return
    this.taken.add(name)
    this.bytes += Buffer.byteLength(found.json)
    this.entities.push(viewOf(found, entity))
  }
}

export function parsed({ json }: StoredEntity): Entity {
  return JSON.parse(json) as Entity
}

export function viewOf<K extends Kind>({ kind, revision }: StoredEntity & { kind: K }, entity: Entity): EntityView<K> {
  return { kind, revision, ...entity } as unknown as EntityView<K>
}

/** A page's end before whatever was looked at without being shown: a place begins with its milliseconds, 15 digits and a blank. */
function borderBefore(behind: string, shown: string | undefined, isBackward: boolean): string {
  if (behind === shown || behind.length <= 16) return behind
  const millis = behind.slice(0, 15)
  if (shown?.startsWith(millis)) return shown
  return isBackward ? `${millis}!` : millis
}

/** The cursor travels with the place: whoever follows all pages may then begin with the events behind it. */
function openNext(after: string | undefined): { cursor?: Cursor; token?: string } {
  if (after === undefined) return {}
  const at = after.indexOf('~')
  const cursor = after.slice(0, Math.max(0, at))
  if (!parseCursor(cursor)) throw new HubError('INVALID_MESSAGE', 'This is no `next` of an answer to the same question.', { path: 'after' })
  return { cursor, token: after.slice(at + 1) }
}
