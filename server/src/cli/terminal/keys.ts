/** Keys of a terminal in raw mode, by name; printable ones are themselves. */
import type { ReadStream } from 'node:tty'

export type Key = string

const NAMES: Readonly<Record<string, Key>> = {
  '\u0003': 'ctrl-c', '\u0004': 'ctrl-c', '\u001a': 'ctrl-z', '\u000c': 'ctrl-l', '\r': 'enter', '\n': 'enter', '\u001b': 'escape', '\t': 'tab', '\u007f': 'backspace', '\u0008': 'backspace',
  '\u001b[A': 'up', '\u001b[B': 'down', '\u001b[C': 'right', '\u001b[D': 'left', '\u001bOA': 'up', '\u001bOB': 'down', '\u001b[H': 'home', '\u001b[F': 'end', '\u001b[1~': 'home', '\u001b[4~': 'end',
  '\u001b[5~': 'page-up', '\u001b[6~': 'page-down',
}
// oxlint-disable-next-line no-control-regex
const KEY = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[^]/gu

/** Answers how to stop. */
export function readKeys(input: ReadStream, onKey: (key: Key) => void): () => void {
  const read = (text: Buffer): void => {
    for (const [key] of text.toString('utf8').matchAll(KEY)) onKey(NAMES[key] ?? key)
  }
  input.on('data', read)
  input.resume()
  return () => void input.off('data', read)
}
