/**
 * Debug taps, switched on and off by admins at run time. Each is a record in the store's roster, held by no worker but by the hub: processors
 * have no wire to the workers, and a process that starts later must learn of it, so every process looks there from time to time. A tap ends by
 * itself, in each process by its own clock; the record's end is an hour after the last change, which no tap outlives by much.
 */
import { randomBytes } from 'node:crypto'
import { HubError, isProject, isTopicPattern, isTypePattern } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { isAdmin, isOperator } from '../access/permissions.js'
import type { Logger } from '../observe/log.js'
import type { Tap, TapSpec } from '../observe/tap.js'
import type { Settings } from '../settings/table.js'
import type { Roster } from '../store/port.js'

/** As `/api/v1/taps` shows it; times in ms since the epoch. */
export interface TapView extends TapSpec {
  createdAt: number
  /** Subject of the admin who switched it on. */
  by: string
}

export interface TapDeps {
  roster: Pick<Roster, 'update' | 'list'>
  tap: Tap
  settings: Pick<Settings, 'maxTaps' | 'tapPollMs'>
  log: Logger
}

const GROUP = 'taps'
/** All taps stand together, with the first partition's keys. */
const PARTITION = 0
/** Counts as a worker that always lives. */
const HOLDER = 'hub'
const SECONDS = { standard: 300, most: 3600 }
const FIELDS = new Set(['id', 'topic', 'type', 'subject', 'connection', 'sample', 'seconds', 'project'])
const ID = /^[A-Za-z0-9._-]{1,64}$/
const LONGEST = 1024

export class TapDesk {
  private timer?: NodeJS.Timeout
  private looking: Promise<void> = Promise.resolve()
  private closed = false
  private looks = 0

  constructor(private readonly deps: TapDeps) {}

  start(): void {
    if (this.closed) return
    this.looking = this.look()
    void this.looking.then(() => {
      if (!this.closed) this.timer = setTimeout(() => this.start(), this.deps.settings.tapPollMs).unref()
    })
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    this.deps.tap.close()
    await this.looking
  }

  /**
   * On here at once, elsewhere within HUBBUB_TAP_POLL_MS. One of the same id in the same project takes its place. Rejects with
   * `HubError`: INVALID_MESSAGE, INVALID_TOPIC, INSUFFICIENT_PERMISSIONS, BUSINESS_LOGIC_ERROR when as many are on as may be.
   * @param values whether data is written, masked
   */
  async add(identity: Identity, input: unknown, values: boolean): Promise<TapView> {
    const asked = readTap(identity, input)
    const now = Date.now()
    const view: TapView = { ...asked.spec, values, createdAt: now, until: now + asked.seconds * 1000, by: identity.subject }
    const known = await this.known()
    const others = known.filter(({ id, project, until }) => until > now && project === view.project && id !== view.id)
    const { maxTaps } = this.deps.settings
    // Of a project: what others have on is none of its business (I6). Two that are added at the same moment may both fit.
    if (others.length >= maxTaps) throw new HubError('BUSINESS_LOGIC_ERROR', 'As many debug taps are on as may be.', { limit: maxTaps, unit: 'taps', setting: 'HUBBUB_TAPS' })
    const over = known.filter(({ until }) => until <= now).map((old) => ({ member: memberOf(old), info: null }))
    await this.deps.roster.update(PARTITION, GROUP, HOLDER, [...over, { member: memberOf(view), info: JSON.stringify(view) }], [HOLDER])
    await this.look()
    return view
  }

  /** Of the admin's project; an operator's are seen by operators. Rejects with `HubError`. */
  async list(identity: Identity): Promise<TapView[]> {
    requireAdmin(identity)
    const now = Date.now()
    return (await this.known()).filter((view) => view.until > now && sees(identity, view)).sort((a, b) => a.until - b.until)
  }

  /** Rejects with NOT_FOUND for what is not on, or not the admin's to see. */
  async remove(identity: Identity, id: string): Promise<TapView> {
    const found = (await this.list(identity)).find((view) => view.id === id)
    if (!found) throw new HubError('NOT_FOUND', 'There is no such debug tap.', { id })
    await this.deps.roster.update(PARTITION, GROUP, HOLDER, [{ member: memberOf(found), info: null }], [HOLDER])
    await this.look()
    return found
  }

  private async look(): Promise<void> {
    const look = ++this.looks
    try {
      const known = await this.known()
      // A look that began before a change may end after the one that saw it.
      if (!this.closed && look === this.looks) this.deps.tap.turn(known)
    } catch (error) {
      this.deps.log.debug({ err: error }, 'debug taps could not be read; those that are on end by themselves')
    }
  }

  private async known(): Promise<TapView[]> {
    const entries = await this.deps.roster.list(PARTITION, GROUP, [HOLDER])
    return entries.flatMap(({ info }) => {
      try {
        return [JSON.parse(info) as TapView]
      } catch {
        return []
      }
    })
  }
}

/** Two projects may use the same id; a project has no white space. */
function memberOf({ project, id }: TapView): string {
  return `${project} ${id}`
}

function sees(identity: Identity, { project }: TapView): boolean {
  return isOperator(identity) || project === identity.project
}

function requireAdmin(identity: Identity): void {
  if (!isAdmin(identity)) throw new HubError('INSUFFICIENT_PERMISSIONS', undefined, { needed: 'admin' })
}

function readTap(identity: Identity, input: unknown): { spec: Omit<TapSpec, 'values' | 'until'>; seconds: number } {
  requireAdmin(identity)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new HubError('INVALID_MESSAGE', 'The body must be a JSON object.')
  const given = input as Record<string, unknown>
  // A misspelt `topic` would tap what nobody asked for.
  const strange = Object.keys(given).find((field) => !FIELDS.has(field))
  if (strange !== undefined) throw wrong(strange, `is no field of a tap; there are ${[...FIELDS].join(', ')}`)
  const { topic, type, sample = 1, seconds = SECONDS.standard } = given
  if (topic !== undefined && !isTopicPattern(topic)) throw new HubError('INVALID_TOPIC', undefined, { topic })
  if (type !== undefined && !isTypePattern(type)) throw wrong('type', 'is no type or type pattern')
  const subject = textOf(given, 'subject')
  const connection = textOf(given, 'connection')
  if (connection !== undefined && (topic !== undefined || type !== undefined)) throw wrong('connection', 'goes with no topic or type: an event does not say by which connection it came')
  if (topic === undefined && type === undefined && subject === undefined && connection === undefined) {
    throw new HubError('INVALID_MESSAGE', 'Name at least one of topic, type, subject, connection; `topic: *` is all but mail.')
  }
  if (typeof sample !== 'number' || !(sample > 0 && sample <= 1)) throw wrong('sample', 'must be a number above 0, up to 1')
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 1 || seconds > SECONDS.most) throw wrong('seconds', `must be 1 to ${SECONDS.most}`)
  return { spec: { id: idOf(given['id']), project: projectOf(identity, given['project']), ...definedOf({ topic, type, subject, connection }), sample }, seconds }
}

/** An operator's tap is of all projects, unless one is named; anybody else's of his own (I6). */
function projectOf(identity: Identity, project: unknown): string {
  if (project === undefined) return isOperator(identity) ? '*' : identity.project
  if (!isProject(project)) throw wrong('project', 'is no name of a project')
  if (!isOperator(identity) && project !== identity.project) throw new HubError('WRONG_PROJECT')
  return project
}

function idOf(id: unknown): string {
  if (id === undefined) return `tap_${randomBytes(6).toString('hex')}`
  if (typeof id === 'string' && ID.test(id) && id !== '.' && id !== '..') return id
  throw wrong('id', 'must be 1 to 64 letters, digits, . _ -')
}

function textOf(given: Record<string, unknown>, name: string): string | undefined {
  const text = given[name]
  if (text === undefined || (typeof text === 'string' && text !== '' && text.length <= LONGEST)) return text
  throw wrong(name, `must be a text of 1 to ${LONGEST} characters`)
}

function definedOf<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

function wrong(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `\`${path}\` ${problem}.`, { path })
}
