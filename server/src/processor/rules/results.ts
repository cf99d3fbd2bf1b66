/**
 * Results against the schema of their task's type; schemas are compiled once. Whoever defines one may make it take for ever (a pattern that
 * backtracks, references that double at each step), and everybody's events stand behind it: a check has so long and no longer.
 */
import { createContext, Script } from 'node:vm'
import { Compile } from 'typebox/compile'

type Check = { Check(value: unknown): boolean; Errors(value: unknown): Iterable<{ instancePath: string; message: string }> }
type Problems = { path: string; problem: string }[]

const MOST_SCHEMAS = 200
const MOST_PROBLEMS = 10
/** Of processor time; an honest check of the largest event takes about one. */
const MOST_MS = 100
const ENDLESS = 'its schema takes too long'
const compiled = new Map<string, Check>()
/** Took longer once: nothing is checked against them again, or each result would cost as much. A schema that is defined anew is another. */
const endless = new Set<string>()

/** Undefined when the result fits, or the schema is none that can be checked (it was checked when it was defined). */
export function problemsOfResult(schema: Readonly<Record<string, unknown>>, result: unknown): Problems | undefined {
  const key = JSON.stringify(schema)
  if (endless.has(key)) return unchecked(ENDLESS)
  const check = checkOf(key, schema)
  if (!check) return undefined
  try {
    return within(() => problemsBy(check, result))
  } catch (error) {
    // A result nested more deeply than the check can follow does not fit.
    if (!isTimeout(error)) return unchecked(error instanceof Error ? error.message : 'unknown fault')
    if (endless.size >= MOST_SCHEMAS) endless.clear()
    endless.add(key)
    return unchecked(ENDLESS)
  }
}

function problemsBy(check: Check, result: unknown): Problems | undefined {
  if (check.Check(result)) return undefined
  return [...check.Errors(result)].slice(0, MOST_PROBLEMS).map(({ instancePath, message }) => ({ path: `result${instancePath.replaceAll('/', '.')}`, problem: message }))
}

function unchecked(why: string): Problems {
  return [{ path: 'result', problem: `cannot be checked: ${why}` }]
}

/** Nothing of it is the stranger's: a script is what Node can stop, also in the middle of a regular expression. */
const CALL = new Script('run()')
const room: { run?: () => unknown } = createContext({})

/** Throws ERR_SCRIPT_EXECUTION_TIMEOUT. Takes a sixth of a millisecond itself. */
function within<T>(run: () => T): T {
  room.run = run
  try {
    for (let timeout = MOST_MS; ; timeout *= 2) {
      const before = process.cpuUsage()
      try {
        return CALL.runInContext(room, { timeout }) as T
      } catch (error) {
        // Node's clock is the wall's: of a process that was frozen, or had no processor, nothing is known yet.
        const { user, system } = process.cpuUsage(before)
        if (!isTimeout(error) || (user + system) / 1000 >= MOST_MS) throw error
      }
    }
  } finally {
    delete room.run
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

function checkOf(key: string, schema: Readonly<Record<string, unknown>>): Check | undefined {
  const known = compiled.get(key)
  if (known) return known
  try {
    const check = Compile(schema) as unknown as Check
    if (compiled.size >= MOST_SCHEMAS) compiled.clear()
    compiled.set(key, check)
    return check
  } catch {
    return undefined
  }
}
