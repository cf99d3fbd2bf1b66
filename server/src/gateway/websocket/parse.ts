/** Frames into messages. */
import { HubError } from '@hubbub/protocol'
import type { RawData } from 'ws'

/** @throws HubError INVALID_MESSAGE. Invalid UTF-8 never gets here: the connection is closed with 1007. */
export function parseMessage(data: RawData, isBinary: boolean): unknown {
  if (isBinary) throw new HubError('INVALID_MESSAGE', 'Messages are text: JSON in UTF-8.')
  try {
    return JSON.parse(textOf(data)) as unknown
  } catch {
    throw new HubError('INVALID_MESSAGE', 'The message is not JSON.')
  }
}

function textOf(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data as Buffer).toString('utf8')
}

/** A message's fields; @throws HubError INVALID_MESSAGE for whatever is no object */
export function fieldsOf(message: unknown, what = 'A message'): Record<string, unknown> {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message as Record<string, unknown>
  throw new HubError('INVALID_MESSAGE', `${what} is a JSON object.`)
}
