/** Reading a delivery's payload, of which nothing is certain: what is missing or of another type is undefined. */

export type Payload = Record<string, unknown>

export function dig(value: unknown, ...path: string[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Payload)[name]
  }
  return found
}

export function record(value: unknown, ...path: string[]): Payload {
  const found = dig(value, ...path)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Payload) : {}
}

export function list(value: unknown, ...path: string[]): unknown[] {
  const found = dig(value, ...path)
  return Array.isArray(found) ? found.slice(0, MOST_ITEMS) : []
}

/** Of all its items, also those that `list` leaves out. */
export function count(value: unknown, ...path: string[]): number | undefined {
  const found = dig(value, ...path)
  return Array.isArray(found) ? found.length : undefined
}

export function text(value: unknown, ...path: string[]): string | undefined {
  const found = dig(value, ...path)
  return typeof found === 'string' ? found : undefined
}

export function integer(value: unknown, ...path: string[]): number | undefined {
  const found = dig(value, ...path)
  return Number.isSafeInteger(found) ? (found as number) : undefined
}

export function flag(value: unknown, ...path: string[]): boolean | undefined {
  const found = dig(value, ...path)
  return typeof found === 'boolean' ? found : undefined
}

/** Name of a branch from a ref or a bare name; undefined for tags and everything else that is no branch. */
export function branchOf(ref: string | undefined): string | undefined {
  if (ref === undefined || ref === '') return undefined
  if (ref.startsWith('refs/heads/')) return ref.slice('refs/heads/'.length)
  return ref.startsWith('refs/') ? undefined : ref
}

/** The same object without its undefined fields. */
export function defined(fields: Payload): Payload {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Of labels, pull requests and the like: more is nobody's news. */
const MOST_ITEMS = 100
