/** Live events whose data came compressed, as it stood in the journal again. */
import { HubError, type HubEvent } from '@hubbub/protocol'
import { Gunzip } from 'fflate'

/** Of the data unpacked, bytes: far more than any hub lets an event have, and little for a page of a browser. */
const LARGEST = 4 * 1024 * 1024
/** So much is unpacked at once, bytes: a thousandfold of it is the most that comes out before the limit is looked at. */
const SLICE = 1024

export function isCompressed(event: HubEvent): boolean {
  return (event.metadata as { compressed?: unknown } | undefined)?.compressed === true
}

/** @throws HubError PAYLOAD_TOO_LARGE beyond 4 MB, INVALID_MESSAGE for what is no base64 of gzip of JSON */
export function unpacked(event: HubEvent): HubEvent {
  const { compressed: _compressed, ...metadata } = event.metadata as HubEvent['metadata'] & { compressed?: true }
  const text = new TextDecoder().decode(gunzip(event.data, event))
  return { ...event, data: attempt(() => JSON.parse(text) as unknown, event), metadata }
}

function gunzip(data: unknown, event: HubEvent): Uint8Array {
  const packed = attempt(() => Uint8Array.from(atob(data as string), (character) => character.charCodeAt(0)), event)
  const chunks: Uint8Array[] = []
  let size = 0
  let isWhole = false
  const stream = new Gunzip((chunk, isLast) => {
    size += chunk.length
    isWhole = isLast
    chunks.push(chunk)
  })
  for (let from = 0; from < packed.length; from += SLICE) {
    attempt(() => stream.push(packed.subarray(from, from + SLICE), from + SLICE >= packed.length), event)
    if (size > LARGEST) throw tooLarge(event)
  }
  if (!isWhole) throw broken(event)
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function attempt<T>(step: () => T, event: HubEvent): T {
  try {
    return step()
  } catch (error) {
    throw broken(event, error)
  }
}

function broken(event: HubEvent, cause?: unknown): HubError {
  return new HubError('INVALID_MESSAGE', 'The data of an event came compressed and cannot be unpacked; the event is left out.', detailsOf(event), { cause })
}

function tooLarge(event: HubEvent): HubError {
  return new HubError('PAYLOAD_TOO_LARGE', `The data of an event is larger than ${LARGEST} bytes when it is unpacked; the event is left out.`, detailsOf(event))
}

function detailsOf({ id, type }: HubEvent): Record<string, unknown> {
  return { id, type }
}
