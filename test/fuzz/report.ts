/** What the tests and the long run have in common when something is wrong: prototypes as they were, and inputs in a line. */

/** What somebody who reaches a prototype would change. */
const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((prototype) => [prototype, names(prototype)] as const)

function names(prototype: object): string {
  return Reflect.ownKeys(prototype).map(String).join(' ')
}

/** Throws where a prototype has more or less than at the beginning. */
export function requireCleanPrototypes(): void {
  for (const [prototype, before] of PROTOTYPES) if (names(prototype) !== before) throw new Error(`a prototype was polluted: ${names(prototype)}`)
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, held: unknown) => (typeof held === 'bigint' || typeof held === 'function' ? String(held) : held)) ?? String(value)
  return clipped(text)
}

/** A report of megabytes is read by nobody. */
export function clipped(text: string): string {
  return text.length > 800 ? `${text.slice(0, 800)}... (${text.length} characters)` : text
}
