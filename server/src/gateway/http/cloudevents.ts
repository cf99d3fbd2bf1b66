/**
 * CloudEvents 1.0 over HTTP: structured (`application/cloudevents+json`), a batch (`application/cloudevents-batch+json`), and binary, where
 * the attributes are `ce-` headers and the body is the data alone. Here they become what any producer hands in, or a refusal each.
 */
import { CLOUD_EVENT, CLOUD_EVENT_BATCH, HubError, inputOfCloudEvent, type EventInput } from '@hubbub/protocol'
import type { Request } from 'express'
import { bytesOf, isRecord, jsonOf } from './bodies.js'

export type Mode = 'structured' | 'batch' | 'binary'

/** Undefined: the body is no CloudEvent by its headers. */
export function cloudModeOf(request: Request): Mode | undefined {
  const type = mediaType(request)
  if (type === CLOUD_EVENT) return 'structured'
  if (type === CLOUD_EVENT_BATCH) return 'batch'
  if (type.startsWith('application/cloudevents')) throw new HubError('INVALID_MESSAGE', 'CloudEvents are taken as JSON only.', { contentType: type })
  return request.headers['ce-specversion'] === undefined ? undefined : 'binary'
}

/** Also by its body: whoever sends one as plain JSON means one, and its `time` would else be lost without a word. */
export function isCloudEvent(body: unknown): boolean {
  return isRecord(body) && body['specversion'] !== undefined
}

/** @throws HubError INVALID_MESSAGE */
export function readCloudEvent(request: Request, mode: 'structured' | 'binary'): EventInput {
  return inputOfCloudEvent(mode === 'structured' ? jsonOf(request) : binaryOf(request))
}

/** Each read on its own: a list holds what can be published, and what cannot as its refusal. */
export function readCloudBatch(request: Request): (EventInput | HubError)[] {
  const body = jsonOf(request)
  if (!Array.isArray(body)) throw new HubError('INVALID_MESSAGE', 'A batch of CloudEvents is a JSON array.')
  return (body as unknown[]).map((cloud) => {
    try {
      return inputOfCloudEvent(cloud)
    } catch (error) {
      if (error instanceof HubError) return error
      throw error
    }
  })
}

function binaryOf(request: Request): Record<string, unknown> {
  const cloud: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(request.headers)) if (name.startsWith('ce-') && typeof value === 'string') cloud[name.slice('ce-'.length)] = decoded(name, value)
  // No attribute can stand for the body.
  delete cloud['data_base64']
  const data = dataOf(request)
  if (data === undefined) delete cloud['data']
  else cloud['data'] = data
  return cloud
}

/** JSON is JSON; text is a text; what is neither cannot be an event's data. */
function dataOf(request: Request): unknown {
  if (bytesOf(request).length === 0) return undefined
  const type = mediaType(request)
  if (type === '' || type === 'application/json' || type.endsWith('+json') || type === 'application/x-www-form-urlencoded') return jsonOf(request)
  if (!type.startsWith('text/')) throw new HubError('INVALID_MESSAGE', 'An event\'s data is JSON or text.', { contentType: type })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(request))
  } catch {
    throw new HubError('INVALID_MESSAGE', 'The body is not in UTF-8.')
  }
}

/** Header values are UTF-8, %-escaped; whoever escapes wrongly meant something that we cannot know. */
function decoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new HubError('INVALID_MESSAGE', `The header ${name} is not %-escaped UTF-8.`, { header: name })
  }
}

function mediaType(request: Request): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}
