/**
 * Trailers that say whose work it is: a line `Task: ID` in a pull request's body or a commit's message. Only the ids go on: the text
 * is GitHub's to show, to whom it likes.
 */
import { isTopic } from '@hubbub/protocol'

const TRAILER = /^[ \t]*task:[ \t]*(\S{1,128})[ \t]*$/gim
const MOST_TASKS = 8
/** Characters at a text's end that are looked at: trailers stand there, and a delivery may have 25 MB. */
const LOOKED_AT = 65_536

/** At most 8, in the order of the texts; undefined when none is named. */
export function tasksNamed(...texts: readonly (string | undefined)[]): string[] | undefined {
  const found = new Set<string>()
  for (const text of texts) {
    if (text === undefined) continue
    for (const [, id] of text.slice(-LOOKED_AT).replaceAll('\r', '').matchAll(TRAILER)) {
      if (isTopic(`task:${id}`)) found.add(id!)
      if (found.size === MOST_TASKS) return [...found]
    }
  }
  return found.size > 0 ? [...found] : undefined
}
