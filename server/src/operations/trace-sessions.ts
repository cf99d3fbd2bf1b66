/**
 * What one worker says of an event: how many of its sessions it went to, and what became of it for those that are asked about. Derived
 * from their chronicles; a session that came back here has several, and is counted once.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { isAfter, type Fate, type HubEvent, type Offset, type SessionAccount, type WorkerAccount } from '@hubbub/protocol'
import type { Chronicle } from '../fanout/chronicle.js'
import { fateOf, type Finding, type Replaced } from '../fanout/chronicle-fate.js'
import { replacedFor, type ReadEntries } from '../fanout/chronicle-pace.js'
import type { Fanout } from '../fanout/fanout.js'
import { readPage, type Page } from '../fanout/pages.js'
import type { Lane } from '../fanout/lane.js'
import type { Journal, Provenance } from '../store/port.js'

/** Which sessions are to be told of. A subject of whom nobody is asked about names nobody. */
export interface Chosen {
  session?: string
  subject?: string
}

export interface Told {
  account: SessionAccount
  /** ms since the epoch, of its connection. */
  beganAt: number
}

export type Counts = Omit<WorkerAccount, 'worker' | 'answered'>

/** What a worker answers another. */
export interface WorkerAnswer {
  counts: Counts
  told: Told[]
  /** Of whom was asked; more than are told. */
  asked: number
}

export interface AccountDeps {
  fanout: Pick<Fanout, 'standing'>
  journal: Journal
  provenance: Pick<Provenance, 'at'>
  /** As others call this worker. */
  worker: string
}

export interface AccountRequest {
  project: string
  offset: Offset
  /** False: the journal has it no longer, or the asker may not see it; only gaps are told. */
  isSeen: boolean
  chosen?: Chosen
  /** Whoever is no admin learns no counts, so the others' sessions are not gone through. */
  onlyChosen?: boolean
}

export const NOTHING: Readonly<Counts> = { matched: 0, live: 0, caughtUp: 0, catchingUp: 0, slow: 0, gap: 0, superseded: 0, gone: 0 }

/** Where a fate is counted; elsewhere the event did not match, or nobody knows. */
const COUNTED: { readonly [F in Fate]?: keyof Counts } = {
  live: 'live', 'caught-up': 'caughtUp', slow: 'slow', 'catching-up': 'catchingUp', gap: 'gap', superseded: 'superseded', disconnected: 'gone',
}
/** Sessions of a subject that one worker tells of: the last that began. */
const MOST_TOLD = 50
/** ms between two turns of the event loop. */
const AT_ONCE_MS = 10

export async function accountOf(deps: AccountDeps, { project, offset, isSeen, chosen, onlyChosen = false }: AccountRequest): Promise<WorkerAnswer> {
  const lane = await deps.fanout.standing(project)
  const counts = { ...NOTHING }
  if (!lane) return { counts, told: [], asked: 0 }
  // Not sent along: an event may be a megabyte, and every worker would get it.
  const entry = isSeen ? await deps.provenance.at(lane.tail.partition, offset) : null
  const asked = { offset, event: entry ? (JSON.parse(entry.event) as HubEvent) : undefined }
  const replaced = replacement(lane, deps.journal, asked)
  const told: Told[] = []
  let turned = performance.now()
  for (const chronicles of bySession(lane.chronicles.of(project)).values()) {
    if (onlyChosen && !chronicles.some((chronicle) => chosen && isChosen(chronicle, chosen))) continue
    if (performance.now() - turned > AT_ONCE_MS) {
      await turn()
      turned = performance.now()
    }
    const findings = await Promise.all(chronicles.map(async (chronicle) => ({ chronicle, finding: fateOf(chronicle, asked, await replaced(chronicle)) })))
    const { chronicle, finding } = weightiest(findings)
    const counted = COUNTED[finding.fate]
    if (counted && asked.event) {
      counts.matched++
      counts[counted]++
    }
    if (chosen && isChosen(chronicle, chosen) && (chosen.session !== undefined || concerns(chronicle, finding, offset))) told.push({ account: accountOfSession(chronicle, finding, deps.worker), beganAt: chronicle.beganAt })
  }
  return { counts, told: told.sort((a, b) => b.beganAt - a.beganAt).slice(0, MOST_TOLD), asked: told.length }
}

/** Of several connections of one session, also on several workers, that which tells most of the event; of equals the last. */
export function weightiest<T extends { finding: Pick<Finding, 'fate' | 'given'> }>(findings: readonly T[]): T {
  return findings.reduce((best, one) => (weightOf(one.finding) >= weightOf(best.finding) ? one : best))
}

/** What was given outweighs what was not; what is not known is told only when nothing else is. */
function weightOf({ fate, given }: Pick<Finding, 'fate' | 'given'>): number {
  if (fate === 'live' || fate === 'caught-up' || fate === 'slow' || fate === 'superseded') return 4
  if (fate === 'catching-up' || fate === 'gap') return 3
  return fate !== 'expired' ? 2 : given ? 3 : 1
}

function bySession(chronicles: readonly Chronicle[]): Map<string, Chronicle[]> {
  const sessions = new Map<string, Chronicle[]>()
  for (const chronicle of chronicles) {
    const { session, wire } = chronicle.who
    const key = `${wire} ${session}`
    const connections = sessions.get(key)
    if (connections) connections.push(chronicle)
    else sessions.set(key, [chronicle])
  }
  return sessions
}

function isChosen(chronicle: Chronicle, { session, subject }: Chosen): boolean {
  return (session === undefined || chronicle.answersTo(session)) && (subject === undefined || chronicle.identity?.subject === subject)
}

/** A connection that had ended, and would not have been given the event either, says nothing of why its subject was not. */
function concerns({ ended }: Chronicle, { fate }: Finding, offset: Offset): boolean {
  return !ended || !isAfter(offset, ended.offset) || COUNTED[fate] !== undefined
}

function accountOfSession({ who: { session, connection, wire }, identity }: Chronicle, { at, ...finding }: Finding, worker: string): SessionAccount {
  const account: SessionAccount = { session, subject: identity?.subject ?? '', worker, wire, ...finding }
  if (connection !== undefined) account.connection = connection
  if (at !== undefined) account.at = new Date(at).toISOString()
  return account
}

/** The entries about the event are read once, however many sessions wanted only the latest. */
function replacement(lane: Lane, journal: Journal, { offset, event }: { offset: Offset; event?: HubEvent }): (chronicle: Chronicle) => Promise<Replaced> {
  if (!event) return () => Promise.resolve('no')
  const reads = new Map<string, Promise<Page>>()
  const decided = new Map<string, Replaced>()
  const read: ReadEntries = (after, upTo, count) => {
    const key = `${after} ${upTo} ${count}`
    const known = reads.get(key)
    if (known) return known
    const reading = readPage({ journal, partition: lane.tail.partition, window: lane.tail.window }, event.project, [{ topics: ['*'] }], after, upTo, count)
    reads.set(key, reading)
    return reading
  }
  return (chronicle) => replacedFor(chronicle, lane.chronicles, { offset, event }, read, decided)
}
