/**
 * The book of alerts: what stands in the store of each, so that whoever takes the watch over knows what was told. Pure: `watch.ts` writes
 * and tells. An alert's entry:
 *
 *            fires                     clears                  told, and still clear
 *   (none) --------> firing  ------------------------> resolved ---------------------> (none)
 *                      ^                                  |
 *                      |   fires with another `since`     |
 *                      +----------------------------------+
 *
 * Each state is told once, under an id made of name, subject, `since` and state: whoever tells it again adds nothing. A state is written
 * before it is told, and `told` behind it; so a watch that dies between leaves to its successor what is left to tell.
 */
import type { AlertName, StandingAlert } from '@hubbub/protocol'

export interface Judgement {
  alert: AlertName
  /** One alert stands for each subject; absent: of the hub. */
  subject?: string
  /** `unchanged`: it cannot be told now, or lies between its two limits. */
  verdict: 'firing' | 'clear' | 'unchanged'
  severity: StandingAlert['severity']
  message: string
  /** What is told when it clears. */
  cleared: string
  component?: string
  value?: number
  limit?: number
  unit?: string
  /** ms by the store's clock, where it is known; absent: now. */
  since?: number
  /** It must hold for so long before it fires, ms. */
  forMs?: number
}

export interface Entry extends Omit<Judgement, 'verdict' | 'cleared' | 'since' | 'forMs'> {
  status: 'firing' | 'resolved'
  since: number
  /** The last state that was told; absent: none yet. */
  told?: 'firing' | 'resolved'
  /** Of the end. */
  closing?: string
}

const PREFIX = 'alert '

export function nameOf({ alert, subject }: Pick<Judgement, 'alert' | 'subject'>): string {
  return PREFIX + (subject === undefined ? alert : `${alert} ${subject}`)
}

/** Of the watch's notes those that are entries, by name. One that cannot be read (another version wrote it) is as none: its alert is told anew. */
export function entriesOf(notes: Readonly<Record<string, string>>): Map<string, Entry> {
  return new Map(Object.entries(notes).flatMap(([name, text]) => {
    const entry: Partial<Entry> | undefined = name.startsWith(PREFIX) ? readNote(text) : undefined
    return isEntry(entry) ? [[name, entry] as const] : []
  }))
}

/** Undefined for what is no JSON object. */
export function readNote(text: string | undefined): object | undefined {
  try {
    const note: unknown = text === undefined ? undefined : JSON.parse(text)
    return typeof note === 'object' && note !== null ? note : undefined
  } catch {
    return undefined
  }
}

function isEntry(entry: Partial<Entry> | undefined): entry is Entry {
  if (!entry) return false
  const { alert, message, status, since = Number.NaN } = entry
  return typeof alert === 'string' && typeof message === 'string' && (status === 'firing' || status === 'resolved') && !Number.isNaN(new Date(since).getTime())
}

/** Those that stand now, for whoever asks. */
export function standingOf(notes: Readonly<Record<string, string>>): StandingAlert[] {
  const firing = [...entriesOf(notes).values()].filter(({ status }) => status === 'firing').sort((a, b) => a.since - b.since)
  return firing.map(({ alert, severity, message, since, component, value, limit, unit }) => ({
    alert, severity, message, since: new Date(since).toISOString(), ...(component !== undefined && { component }), ...(value !== undefined && { value }), ...(limit !== undefined && { limit }), ...(unit !== undefined && { unit }),
  }))
}

/**
 * What the judgements make of the entries: the changed ones, null for those that go. What is judged no more (a process that is no longer
 * listed) has cleared.
 */
export function settle(entries: ReadonlyMap<string, Entry>, judgements: readonly Judgement[], now: number): Map<string, Entry | null> {
  const changes = new Map<string, Entry | null>()
  const judged = new Set<string>()
  for (const judgement of judgements) {
    const name = nameOf(judgement)
    judged.add(name)
    const before = entries.get(name)
    const after = next(before, judgement, now)
    if (after !== before) changes.set(name, after ?? null)
  }
  for (const [name, entry] of entries) {
    if (judged.has(name)) continue
    if (entry.status === 'firing') changes.set(name, { ...entry, status: 'resolved', closing: 'It is no longer there.' })
    else if (entry.told === 'resolved') changes.set(name, null)
  }
  return changes
}

function next(entry: Entry | undefined, judgement: Judgement, now: number): Entry | undefined {
  const { verdict, cleared, since = now, forMs: _forMs, ...rest } = judgement
  const settled = entry === undefined || (entry.status === 'resolved' && entry.told === 'resolved')
  if (verdict === 'firing' && settled && entry?.since !== since) return { ...rest, status: 'firing', since }
  if (verdict === 'clear' && entry?.status === 'firing') return { ...entry, status: 'resolved', closing: cleared }
  if (verdict === 'clear' && settled) return undefined
  return entry
}

/** What is left to tell of an entry, in order. */
export function untold({ status, told }: Entry): ('firing' | 'resolved')[] {
  if (told === status) return []
  return status === 'firing' ? ['firing'] : told === 'firing' ? ['resolved'] : ['firing', 'resolved']
}
