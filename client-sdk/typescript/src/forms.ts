/**
 * What the other side says, before anything is made of it. A stranger may stand there (a wrong address, a proxy in between, a hub of another
 * age): what is not of the form that this client reads is no event and no answer, and never an exception in its user's program.
 */
import { isOffset, KINDS, parseCursor, type CommandCall, type Failure, type Gap, type HubEvent, type PlacedEvent, type PresenceChange, type Signal } from '@hubbub/protocol'
import type { Requests } from './link.js'

type Fields = Record<string, unknown>

/** The last moment that a Date can hold, ms. */
const LATEST = 8.64e15
const KNOWN_KINDS: ReadonlySet<unknown> = new Set(KINDS)

function isRecord(thing: unknown): thing is Fields {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing)
}

function isTexts(thing: unknown): thing is string[] {
  return Array.isArray(thing) && thing.every((item) => typeof item === 'string')
}

function maybe(thing: unknown, is: (thing: unknown) => boolean): boolean {
  return thing === undefined || is(thing)
}

const isText = (thing: unknown): boolean => typeof thing === 'string'
const isCursor = (thing: unknown): boolean => parseCursor(thing) !== undefined

export function isEvent(thing: unknown): thing is HubEvent {
  if (!isRecord(thing) || typeof thing['type'] !== 'string' || !isTexts(thing['topics'])) return false
  const { metadata } = thing
  return isRecord(metadata) && typeof metadata['recordedAt'] === 'number' && Math.abs(metadata['recordedAt']) <= LATEST
}

export function isPlaced(thing: unknown): thing is PlacedEvent {
  return isRecord(thing) && isEvent(thing['event']) && isCursor(thing['cursor'])
}

export function isGap(thing: unknown): thing is Gap {
  return isRecord(thing) && isCursor(thing['to']) && isText(thing['from']) && isText(thing['reason'])
}

export function isSignal(thing: unknown): thing is Signal {
  return isRecord(thing) && isText(thing['name']) && isText(thing['topic'])
}

export function isPresenceChange(thing: unknown): thing is PresenceChange {
  return isRecord(thing) && isTexts(thing['joined']) && isTexts(thing['left'])
}

export function isCall(thing: unknown): thing is CommandCall {
  return isRecord(thing) && isText(thing['command'])
}

export function isFailure(thing: unknown): thing is Failure {
  return isRecord(thing) && isText(thing['code']) && maybe(thing['message'], isText) && maybe(thing['details'], isRecord)
}

function isEntity(thing: unknown): boolean {
  return isRecord(thing) && KNOWN_KINDS.has(thing['kind']) && isText(thing['id']) && isOffset(thing['revision'])
}

function isListOf(thing: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(thing) && thing.every(is)
}

/** Where an answer is more than handed on. */
const FORMS: { [K in keyof Requests]?: (answer: Fields) => boolean } = {
  subscribe: ({ topics, cursor, events, gap, subscriptionId }) => isTexts(topics) && isCursor(cursor) && maybe(events, (list) => isListOf(list, isPlaced)) && maybe(gap, isGap) && maybe(subscriptionId, isText),
  snapshot: ({ entities, cursor, next }) => isListOf(entities, isEntity) && isCursor(cursor) && maybe(next, isText),
  presence: ({ watchers }) => isListOf(watchers, (watcher) => isRecord(watcher) && isText(watcher['subject'])),
  publish: ({ results }) => maybe(results, (list) => isListOf(list, isAnswer)),
}

/** By path, of requests over HTTP that are answered with more. */
const PAGES: Readonly<Record<string, (answer: Fields) => boolean>> = {
  '/history': ({ events, cursor, gap }) => isListOf(events, isPlaced) && isCursor(cursor) && maybe(gap, isGap),
  '/snapshot': FORMS.snapshot!,
  '/presence': FORMS.presence!,
}

/** Whether it is an answer at all. */
export function isAnswer(thing: unknown): boolean {
  return isRecord(thing) && (thing['ok'] === true || isFailure(thing['error']))
}

export function isAnswerTo(name: keyof Requests, thing: unknown): boolean {
  return isAnswer(thing) && ((thing as Fields)['ok'] !== true || (FORMS[name]?.(thing as Fields) ?? true))
}

export function isAnswerFrom(path: string, thing: unknown): boolean {
  const form = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined
  return isAnswer(thing) && ((thing as Fields)['ok'] !== true || (form?.(thing as Fields) ?? true))
}
