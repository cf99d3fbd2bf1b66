/**
 * Whether a value's JSON stays within a limit, told without writing it: patches that copy let a few bytes of events come to a document of
 * any size, whose parts are one object here and many on the wire. Costs no more than the limit's worth of work, whatever the value.
 */

/** JSON.stringify goes down by our stack. Levels. */
const DEEPEST = 1000

/** @param most characters of JSON, about: escapes are not counted */
export function fits(value: unknown, most: number): boolean {
  let room = most
  const waiting: { value: unknown; depth: number }[] = [{ value, depth: 0 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    room -= ownSize(next.value)
    if (room < 0 || next.depth > DEEPEST) return false
    if (typeof next.value !== 'object' || next.value === null) continue
    for (const [key, child] of Object.entries(next.value)) {
      room -= key.length + 4
      if (room < 0) return false
      waiting.push({ value: child, depth: next.depth + 1 })
    }
  }
  return true
}

function ownSize(value: unknown): number {
  return typeof value === 'string' ? value.length + 2 : 2
}
