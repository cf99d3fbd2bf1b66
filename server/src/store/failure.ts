import { randomUUID } from 'node:crypto'
import { HubError } from '@hubbub/protocol'
import { StoreUnavailable } from './port.js'

/** The store has no room, in memory or on disk. It refused before it wrote anything: certainly not done, and worth another try later. */
export class StoreFull extends StoreUnavailable {}

/** What a caller may see of any thrown thing. Nothing of a foreign error's text is shown; a reference connects the answer with the log. */
export function hubErrorOf(error: unknown): HubError {
  if (error instanceof HubError) return error
  if (error instanceof StoreFull) return new HubError('STORE_FULL', undefined, undefined, { cause: error })
  if (error instanceof StoreUnavailable) return new HubError('UNAVAILABLE', undefined, undefined, { cause: error })
  return new HubError('INTERNAL_ERROR', undefined, { reference: randomUUID() }, { cause: error })
}
