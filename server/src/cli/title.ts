/** What others on the machine see of a command in their list of processes: all that it was called with, but its secrets. */

/** Options whose value is one, or holds one. */
const SECRET = /^--(token|secret|redis)$/
const MASK = '***'

/** Undefined: nothing to hide. A moment passes before it stands there: whoever shares the machine gives secrets by the environment. */
export function titleOf(argv: readonly string[]): string | undefined {
  const shown = argv.map((word, place) => {
    if (SECRET.test(argv[place - 1] ?? '')) return MASK
    const [name = '', value] = word.split('=', 2)
    return value !== undefined && SECRET.test(name) ? `${name}=${MASK}` : word
  })
  return shown.includes(MASK) || shown.some((word) => word.endsWith(`=${MASK}`)) ? ['hubbub', ...shown].join(' ') : undefined
}
