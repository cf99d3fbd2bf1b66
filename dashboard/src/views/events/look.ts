/** What a line says of an event, what a search finds in it, and how much of memory it takes. Data is anybody's: of any depth, size and shape. */
import type { HubEvent } from '@hubbub/client'

/** Fields and items of one event that are looked at. */
const MOST_NODES = 20_000

/** All that is not an object, with the name under which it stands; until `take` says that it is enough. By a loop: data may be nested deeper than our stack. */
function walk(root: unknown, take: (name: string | undefined, leaf: unknown) => boolean): void {
  const rest: unknown[] = [root]
  for (let left = MOST_NODES; rest.length > 0 && left > 0; left--) {
    const value = rest.pop()
    if (typeof value !== 'object' || value === null) {
      if (take(undefined, value)) return
    } else if (Array.isArray(value)) {
      // The first ones are those that are looked at, should there be too many.
      for (let index = Math.min(value.length, left) - 1; index >= 0; index--) rest.push(value[index])
    } else {
      for (const [name, one] of Object.entries(value)) {
        if (typeof one === 'object' && one !== null) {
          if (take(name, undefined)) return
          rest.push(one)
        } else if (take(name, one)) return
      }
    }
  }
}

/** About the characters that it is kept in. */
export function weightOf(event: HubEvent): number {
  let weight = 200
  walk(event.data, (name, leaf) => {
    weight += 16 + (name?.length ?? 0) + (typeof leaf === 'string' ? leaf.length : 0)
    return false
  })
  return weight
}

/** @param needle lower case */
export function mentions(event: HubEvent, needle: string): boolean {
  const has = (text: string): boolean => text.toLowerCase().includes(needle)
  const { type, id, topics, metadata } = event
  if (has(type) || has(id) || topics.some(has) || has(metadata.source) || (metadata.subject !== undefined && has(metadata.subject)) || metadata.correlationId?.toLowerCase() === needle) return true
  let isFound = false
  walk(event.data, (name, leaf) => {
    isFound = (name !== undefined && has(name)) || (has(leafText(leaf)))
    return isFound
  })
  return isFound
}

const FAMILIES = new Set(['agent', 'task', 'pipeline', 'stream', 'checkpoint', 'run', 'tdd', 'github', 'agui', 'system', 'custom'])

/** The first word of the type, where it is one of the hub's own: it gives the colour. */
export function familyOf(type: string): string {
  const family = type.slice(0, Math.max(0, type.indexOf('.')))
  return FAMILIES.has(family) ? family : 'custom'
}

/** Says in words what happened; the first that is there is shown. */
const WORDS = ['message', 'error', 'title', 'taskTitle', 'summary', 'reason', 'blockedReason', 'text', 'delta', 'content', 'output', 'toolCallName', 'stepName', 'step', 'name', 'value', 'conclusion', 'result'] as const
const LONGEST = 240

/** One line: how far, how it is, and what is said; else the first fields. */
export function summaryOf({ data }: HubEvent): string {
  if (typeof data !== 'object' || data === null) return brief(data)
  const fields = data as Record<string, unknown>
  const { progress, status, level } = fields
  const said = WORDS.map((name) => (Object.hasOwn(fields, name) ? inWords(fields[name]) : '')).find((text) => text !== '')
  const parts = [typeof level === 'string' ? level : '', typeof progress === 'number' ? `${progress} %` : '', typeof status === 'string' ? status : '', said ?? '']
  const line = parts.filter((part) => part !== '').join(' · ')
  return (line || firstFields(fields)).slice(0, LONGEST)
}

function inWords(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return brief(value.message)
  return typeof value === 'object' ? '' : brief(value)
}

/** Figures first: ids are in the topics, and when it came is in the first column. */
function firstFields(fields: Record<string, unknown>): string {
  const shown: string[] = []
  for (const name of Object.keys(fields).slice(0, 40)) {
    const value = fields[name]
    if (/^id$|Id$|At$|^type$/.test(name)) continue
    if (typeof value !== 'object') shown.push(`${brief(name)} ${brief(value)}`)
    else if (value !== null && !Array.isArray(value)) for (const [inner, one] of Object.entries(value).slice(0, 3)) if (typeof one !== 'object') shown.push(`${brief(inner)} ${brief(one)}`)
    if (shown.length >= 4) break
  }
  return shown.join(' · ')
}

function brief(value: unknown): string {
  return leafText(value).slice(0, LONGEST)
}

/** '' for what is no leaf. */
function leafText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
