/** The trace of an HTTP request, given to the events that it brings and that have none of their own. Only where the hub has spans: nothing else asked for it. */
import type { Request } from 'express'
import { isTracing, readTraceparent } from '../../observe/tracing.js'
import type { Settings } from '../../settings/table.js'

/** @returns the same input, or a copy with `metadata.traceparent`. What is no event, or names its trace in its own way, is left as it is. */
export function tracedBy(request: Request, settings: Settings): (input: unknown) => unknown {
  const traceparent = request.get('traceparent')?.trim()
  // W3C: a header that cannot be read is as none.
  if (!isTracing(settings) || readTraceparent(traceparent) === undefined || traceparent!.length !== LENGTH) return (input) => input
  return (input) => {
    if (!isPlain(input)) return input
    const { metadata = {} } = input
    return isPlain(metadata) && metadata['traceparent'] === undefined ? { ...input, metadata: { ...metadata, traceparent } } : input
  }
}

/** Of version 00, which is what an event may carry. */
const LENGTH = 55

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error)
}
