/** What the visitor asked for, as it stands in the address: `#/events?topic=task:*,agent:a&type=task.*&q=words&event=ID&at=MS`. */
import type { Choices } from '../../parts/address'

export interface EventFilter {
  topics: string[]
  /** Empty: all. */
  types: string[]
  /** Looked for in what is there. */
  text: string
  /** Id of the event that is looked at. */
  event: string | undefined
  /** A time of the past, ms since the epoch. */
  at: number | undefined
}

const EVERYTHING = ['*']

export function filterOf(choices: Choices): EventFilter {
  const at = Number(choices.get('at') ?? Number.NaN)
  const topics = wordsOf(choices.get('topic'))
  return {
    topics: topics.length > 0 ? topics : EVERYTHING,
    types: wordsOf(choices.get('type')),
    text: choices.get('q') ?? '',
    event: choices.get('event') ?? undefined,
    at: Number.isFinite(at) && at > 0 ? at : undefined,
  }
}

/** Topics and types have no white space and no commas that a person would type between them. */
export function wordsOf(text: string | null): string[] {
  return [...new Set((text ?? '').split(/[\s,]+/).filter((word) => word !== ''))]
}
