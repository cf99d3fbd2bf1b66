/** What a parser may do with an input: take it, or refuse it with a code of the table that says it is the sender's. */
import { HubError, isFailureCode } from '@hubbub/protocol'

export interface Taken<T> {
  taken: true
  value: T
}

export interface Refused {
  taken: false
  code: string
  error: HubError
}

/** @throws whatever is thrown that is no HubError, and a HubError that blames the hub */
export function outcomeOf<T>(step: () => T): Taken<T> | Refused {
  try {
    return { taken: true, value: step() }
  } catch (error) {
    return { taken: false, ...refusalOf(error) }
  }
}

/** @throws what is no refusal */
export function refusalOf(error: unknown): { code: string; error: HubError } {
  if (!(error instanceof HubError)) throw error
  if (!isFailureCode(error.code) || error.status >= 500) throw new Error(`refused with ${error.code}, as if it were the hub's fault: ${error.message}`, { cause: error })
  // What a gateway shows of it.
  const told = JSON.stringify(error.toJSON())
  if (told.length > 20_000) throw new Error(`a refusal of ${told.length} characters: ${told.slice(0, 200)}`)
  return { code: error.code, error }
}
