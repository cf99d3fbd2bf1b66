/** Results against the schema of their task's type; schemas are compiled once. */
import { Compile } from 'typebox/compile'

type Check = { Check(value: unknown): boolean; Errors(value: unknown): Iterable<{ instancePath: string; message: string }> }

const MOST_SCHEMAS = 200
const MOST_PROBLEMS = 10
const compiled = new Map<string, Check>()

/** Undefined when the result fits, or the schema is none that can be checked (it was checked when it was defined). */
export function problemsOfResult(schema: Readonly<Record<string, unknown>>, result: unknown): { path: string; problem: string }[] | undefined {
  const check = checkOf(schema)
  try {
    if (!check || check.Check(result)) return undefined
    return [...check.Errors(result)].slice(0, MOST_PROBLEMS).map(({ instancePath, message }) => ({ path: `result${instancePath.replaceAll('/', '.')}`, problem: message }))
  } catch (error) {
    // A result nested more deeply than the check can follow does not fit.
    return [{ path: 'result', problem: `cannot be checked: ${error instanceof Error ? error.message : 'unknown fault'}` }]
  }
}

function checkOf(schema: Readonly<Record<string, unknown>>): Check | undefined {
  const key = JSON.stringify(schema)
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
