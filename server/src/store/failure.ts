import { randomUUID } from 'node:crypto'
import { HubError } from '@hubbub/protocol'
import { StoreUnavailable } from './port.js'

/** What a caller may see of any thrown thing. Nothing of a foreign error's text is shown; a reference connects the answer with the log. */
export function hubErrorOf(error: unknown): HubError {
  if (error instanceof HubError) return error
  if (error instanceof StoreUnavailable) return new HubError('UNAVAILABLE', undefined, undefined, { cause: error })
  return new HubError('INTERNAL_ERROR', undefined, { reference: randomUUID() }, { cause: error })
}
