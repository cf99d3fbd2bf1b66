/** From verdicts to one atomic commit: what goes to the journal, what is refused, what had been there before (I3). */
import { HubError, isFolded, type HubEvent } from '@hubbub/protocol'
import { isRefusal, repeatedOutcome } from '../store/outcome.js'
import { SOURCES, type Batch, type JournalAppend, type LedgerState, type Positions, type Refusal, type StateWrites } from '../store/port.js'
import { refuseByRule, type Accepted, type Refused, type Verdict } from './verdict.js'

export type Repeat = Batch['repeats'][number]

export interface Draft {
  batch: Batch
  /** Entries whose event stands in the journal already, or comes twice in this batch. */
  duplicates: number
  /** Who waits for an event that another entry of this batch brings: their answer is known after the commit. */
  late: { append: number; replyTo: string }[]
  /** What the batch has no room for, because too much followed from the rest: for the next one. */
  rest: readonly Verdict[]
  /** Due times that the batch had no room for. They are still set. */
  undue: number
}

/** What the batch needs of the fold. */
export interface BatchFold {
  /** The event's append and those of what follows from it. Rejects with `HubError` when a rule refuses the event. */
  take(event: HubEvent, seen: string, replyTo: string | undefined): Promise<JournalAppend[]>
  /** Those of what follows from a due time. */
  fire(timer: string): Promise<JournalAppend[]>
  writes(appends: readonly JournalAppend[]): StateWrites | undefined
}

export interface Input {
  /** Names of due times, which come before the entries. */
  due: readonly string[]
  verdicts: readonly Verdict[]
  remembered: ReadonlyMap<string, string>
  owed: readonly Repeat[]
}

/** Events of one commit, derived ones included: the script holds up everybody else's while it runs. */
const MOST_APPENDS = 4000

/** Keys to look up before `assemble`, each once. */
export function keysOf(verdicts: readonly Verdict[]): string[] {
  const keys = new Set<string>()
  for (const { seen } of verdicts) if (seen !== undefined) keys.add(seen)
  return [...keys]
}

/**
 * `remembered`: outcomes of keys seen before. A remembered refusal does not count: a refusal depends on nothing but the entry
 * and the settings, so it is judged anew, and an operator may replay a dead letter after the cause was mended.
 */
export async function assemble(ledger: LedgerState, { due, verdicts, remembered, owed }: Input, fold: BatchFold): Promise<Draft> {
  const appends: JournalAppend[] = []
  const refused: Refused[] = []
  const repeats: Repeat[] = [...owed]
  const late: Draft['late'] = []
  const places = new Map<string, number>()
  const to: Positions = { ...ledger.positions }
  let duplicates = 0
  let taken = 0
  let fired = 0
  for (const timer of due) {
    if (appends.length >= MOST_APPENDS) break
    fired++
    for (const append of await fold.fire(timer)) appends.push(append)
  }
  for (const verdict of verdicts) {
    if (taken + fired > 0 && appends.length >= MOST_APPENDS) break
    taken++
    to[verdict.entry.stream] = verdict.entry.id
    if ('refusal' in verdict) {
      refused.push(verdict)
      continue
    }
    const { seen, replyTo } = verdict
    const outcome = remembered.get(seen)
    const place = places.get(seen)
    if (outcome !== undefined && !isRefusal(outcome)) {
      duplicates++
      if (replyTo !== undefined) repeats.push({ seen, outcome: repeatedOutcome(outcome), replyTo })
    } else if (place !== undefined) {
      duplicates++
      if (replyTo !== undefined && replyTo !== appends[place]!.replyTo) late.push({ append: place, replyTo })
    } else {
      const own = isFolded(verdict.event.type) ? await folded(verdict, fold) : [verdict.append]
      if (Array.isArray(own)) {
        places.set(seen, appends.length)
        own[0]!.origin = { stream: verdict.entry.stream, entry: verdict.entry.id, worker: verdict.worker }
        // Not spread: what follows from one event may be thousands.
        for (const append of own) appends.push(append)
      } else {
        refused.push(own)
      }
    }
  }
  const committed = (seen: string) => places.has(seen) || (remembered.has(seen) && !isRefusal(remembered.get(seen)!))
  const refusals = refused.map((verdict) => refusalOf(verdict, committed))
  const batch: Batch = { fence: ledger.fence, number: ledger.batch + 1, from: ledger.positions, to, appends, refusals, repeats }
  const state = fold.writes(appends)
  if (state) batch.state = state
  return { batch, duplicates, late, rest: verdicts.slice(taken), undue: due.length - fired }
}

async function folded({ entry, event, seen, replyTo }: Accepted, fold: BatchFold): Promise<JournalAppend[] | Refused> {
  try {
    return await fold.take(event, seen, replyTo)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return refuseByRule(entry, error, seen, replyTo)
  }
}

/** Nothing came of what was looked at: there is nothing to commit. */
export function isEmpty({ appends, refusals, repeats, state, from, to }: Batch): boolean {
  const written = appends.length + refusals.length + repeats.length + (state ? 1 : 0)
  return written === 0 && SOURCES.every((name) => from[name] === to[name])
}

/** Answers of the waiting whose event another entry of the committed batch brought; they go with the next batch. */
export function owedAfter({ batch, late }: Draft, offsets: readonly string[]): Repeat[] {
  return late.map(({ append, replyTo }) => ({ seen: batch.appends[append]!.seen, outcome: repeatedOutcome(offsets[append]!), replyTo }))
}

/** A key that stands for a committed event must not be remembered as refused: its next repetition would be committed again (I3). */
function refusalOf({ refusal, seen }: Refused, committed: (seen: string) => boolean): Refusal {
  return seen === undefined || committed(seen) ? refusal : { ...refusal, seen }
}
