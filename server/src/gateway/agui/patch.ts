/**
 * JSON Patch (RFC 6902) as AG-UI's client applies it: all or nothing, strict about paths that do not exist. Documents are never changed:
 * what a patch touches is copied, the rest is shared.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AguiOf } from './events.js'

export type Operation = AguiOf<'STATE_DELTA'>['delta'][number]

export class PatchFailed extends Error {
  override readonly name = 'PatchFailed'
}

/** The document with all operations applied. Throws `PatchFailed`, when one of them cannot be. */
export function applyPatch(document: unknown, patch: readonly Operation[]): unknown {
  return patch.reduce<unknown>(applyOne, document)
}

function applyOne(document: unknown, operation: Operation): unknown {
  const path = keysOf(operation.path)
  switch (operation.op) {
    case 'add':
      return put(document, path, operation.value, 'add')
    case 'replace':
      lookUp(document, path)
      return put(document, path, operation.value, 'replace')
    case 'remove':
      return remove(document, path)
    case 'move': {
      const from = keysOf(operation.from)
      return put(remove(document, from), path, lookUp(document, from), 'insert')
    }
    case 'copy':
      return put(document, path, lookUp(document, keysOf(operation.from)), 'insert')
    case 'test':
      if (!isDeepStrictEqual(lookUp(document, path), operation.value)) throw new PatchFailed(`test of ${operation.path}`)
      return document
  }
}

function keysOf(pointer: string): string[] {
  return pointer.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function lookUp(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const key of path) {
    if (!isContainer(value) || !Object.hasOwn(value, key) || (Array.isArray(value) && !/^\d+$/.test(key))) throw new PatchFailed(`nothing at ${path.join('/')}`)
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** `add` at most one behind a list's end; what is moved or copied further behind it comes last. */
function put(document: unknown, path: readonly string[], value: unknown, how: 'add' | 'insert' | 'replace'): unknown {
  if (path.length === 0) return value
  return at(document, path, (parent, key) => {
    if (!Array.isArray(parent)) return { ...parent, [key]: value }
    const place = placeIn(parent, key)
    if (how === 'add' && place > parent.length) throw new PatchFailed(`nothing before ${path.join('/')}`)
    return how === 'replace' ? parent.with(place, value) : parent.toSpliced(place, 0, value)
  })
}

function remove(document: unknown, path: readonly string[]): unknown {
  lookUp(document, path)
  if (path.length === 0) return null
  return at(document, path, (parent, key) => {
    if (Array.isArray(parent)) return parent.toSpliced(placeIn(parent, key), 1)
    const { [key]: _, ...rest } = parent
    return rest
  })
}

/** The document with the last key's parent changed; every object on the way to it is a copy. By a loop: a state may be nested deeper than our stack. */
function at(document: unknown, path: readonly string[], change: (parent: unknown[] | Record<string, unknown>, key: string) => unknown): unknown {
  const way: { parent: unknown[] | Record<string, unknown>; place: string | number }[] = []
  let value = document
  for (const [depth, key] of path.entries()) {
    if (!isContainer(value) || key === '__proto__') throw new PatchFailed('no such path')
    const isLast = depth === path.length - 1
    const place = Array.isArray(value) && !isLast ? placeIn(value, key) : key
    if (!isLast && !Object.hasOwn(value, place)) throw new PatchFailed('no such path')
    way.push({ parent: value, place })
    value = (value as Record<string, unknown>)[place]
  }
  const { parent, place: last } = way.pop()!
  return way.reduceRight((changed, { parent: outer, place }) => (Array.isArray(outer) ? outer.with(Number(place), changed) : { ...outer, [place]: changed }), change(parent, String(last)))
}

function placeIn(list: readonly unknown[], key: string): number {
  if (key === '-') return list.length
  if (!/^\d+$/.test(key)) throw new PatchFailed('no index of a list')
  return Number(key)
}

function isContainer(value: unknown): value is unknown[] | Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
