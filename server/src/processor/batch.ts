/** From verdicts to one atomic commit: what goes to the journal, what is refused, what had been there before (I3). */
import { isRefusal, repeatedOutcome } from '../store/outcome.js'
import type { Batch, JournalAppend, LedgerState, Positions, Refusal } from '../store/port.js'
import type { Refused, Verdict } from './verdict.js'

export type Repeat = Batch['repeats'][number]

export interface Draft {
  batch: Batch
  /** Entries whose event stands in the journal already, or comes twice in this batch. */
  duplicates: number
  /** Who waits for an event that another entry of this batch brings: their answer is known after the commit. */
  late: { append: number; replyTo: string }[]
}

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
export function assemble(ledger: LedgerState, verdicts: readonly Verdict[], remembered: ReadonlyMap<string, string>, owed: readonly Repeat[]): Draft {
  const appends: JournalAppend[] = []
  const repeats: Repeat[] = [...owed]
  const late: Draft['late'] = []
  const places = new Map<string, number>()
  const to: Positions = { ...ledger.positions }
  let duplicates = 0
  for (const verdict of verdicts) {
    to[verdict.entry.stream] = verdict.entry.id
    if ('refusal' in verdict) continue
    const { seen, append } = verdict
    const { replyTo } = append
    const outcome = remembered.get(seen)
    const place = places.get(seen)
    if (outcome !== undefined && !isRefusal(outcome)) {
      duplicates++
      if (replyTo !== undefined) repeats.push({ seen, outcome: repeatedOutcome(outcome), replyTo })
    } else if (place !== undefined) {
      duplicates++
      if (replyTo !== undefined && replyTo !== appends[place]!.replyTo) late.push({ append: place, replyTo })
    } else {
      places.set(seen, appends.length)
      appends.push(append)
    }
  }
  const committed = (seen: string) => places.has(seen) || (remembered.has(seen) && !isRefusal(remembered.get(seen)!))
  const refusals = verdicts.filter((verdict): verdict is Refused => 'refusal' in verdict).map((verdict) => refusalOf(verdict, committed))
  const batch: Batch = { fence: ledger.fence, number: ledger.batch + 1, from: ledger.positions, to, appends, refusals, repeats }
  return { batch, duplicates, late }
}

/** Answers of the waiting whose event another entry of the committed batch brought; they go with the next batch. */
export function owedAfter({ batch, late }: Draft, offsets: readonly string[]): Repeat[] {
  return late.map(({ append, replyTo }) => ({ seen: batch.appends[append]!.seen, outcome: repeatedOutcome(offsets[append]!), replyTo }))
}

/** A key that stands for a committed event must not be remembered as refused: its next repetition would be committed again (I3). */
function refusalOf({ refusal, seen }: Refused, committed: (seen: string) => boolean): Refusal {
  return seen === undefined || committed(seen) ? refusal : { ...refusal, seen }
}
