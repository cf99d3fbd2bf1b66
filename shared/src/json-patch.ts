/**
 * JSON Patch (RFC 6902), all or nothing, strict about paths that do not exist, as AG-UI's own client applies it. Documents are never
 * changed: what a patch touches is copied, the rest is shared.
 */

export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value?: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string }

export class PatchFailed extends Error {
  override readonly name = 'PatchFailed'
}

/** Throws `PatchFailed` when one of the operations cannot be applied. */
export function applyPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  if (!isPatch(patch)) throw new PatchFailed('a patch is a list of operations')
  return patch.reduce<unknown>(applyOne, document)
}

/** Whatever stands in an event may be handed in for one. */
function isPatch(patch: unknown): patch is readonly PatchOperation[] {
  return Array.isArray(patch) && patch.every((operation) => typeof operation === 'object' && operation !== null)
}

function applyOne(document: unknown, operation: PatchOperation): unknown {
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
      if (!isSame(lookUp(document, path), operation.value)) throw new PatchFailed(`${operation.path} is not what it was to be`)
      return document
    default:
      throw new PatchFailed('there is no such operation')
  }
}

/** Without its first slash it is no pointer, and surely not the one to the whole document. */
function keysOf(pointer: unknown): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) throw new PatchFailed('a path is no JSON pointer')
  return pointer.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

type Container = unknown[] | Record<string, unknown>

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function lookUp(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const key of path) {
    if (!isContainer(value) || !Object.hasOwn(value, key) || (Array.isArray(value) && !/^\d+$/.test(key))) throw new PatchFailed(`there is no /${path.join('/')}`)
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
    if (how === 'add' && place > parent.length) throw new PatchFailed(`there is nothing before /${path.join('/')}`)
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

/** The document with the last key's parent changed. By a loop: a state may be nested deeper than our stack. */
function at(document: unknown, path: readonly string[], change: (parent: Container, key: string) => unknown): unknown {
  const way: { parent: Container; key: string }[] = []
  let value = document
  for (const [depth, key] of path.entries()) {
    const isLast = depth === path.length - 1
    if (!isContainer(value) || key === '__proto__' || (!isLast && !Object.hasOwn(value, key))) throw new PatchFailed(`there is no /${path.slice(0, depth + 1).join('/')}`)
    way.push({ parent: value, key })
    value = (value as Record<string, unknown>)[key]
  }
  const { parent, key: last } = way.pop()!
  return way.reduceRight<unknown>((changed, { parent: outer, key }) => (Array.isArray(outer) ? outer.with(placeIn(outer, key), changed) : { ...outer, [key]: changed }), change(parent, last))
}

function placeIn(list: readonly unknown[], key: string): number {
  if (key === '-') return list.length
  if (!/^\d+$/.test(key)) throw new PatchFailed(`${key} is no place in a list`)
  return Number(key)
}

/** Of JSON. By a loop, too. */
function isSame(one: unknown, other: unknown): boolean {
  const rest: [unknown, unknown][] = [[one, other]]
  for (let pair = rest.pop(); pair; pair = rest.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false
    const names = Object.keys(a)
    if (names.length !== Object.keys(b).length) return false
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false
      rest.push([(a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]])
    }
  }
  return true
}
