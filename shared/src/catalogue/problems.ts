/** What a validator found, as `details` of a failure show it: where and what, never the value itself. */
import type { TLocalizedValidationError } from 'typebox/error'
import { HubError, type FailureCode } from '../failures.js'

export interface Problem {
  /** `data.currentTask.progress` */
  path: string
  problem: string
}

const SHOWN = 5

/** The first problems; those of single branches of a union are left out, for the union's own says enough. */
export function explain(root: string, errors: readonly TLocalizedValidationError[]): Problem[] {
  const told = errors.filter((error) => !/\/anyOf\/\d+/.test(error.schemaPath))
  return (told.length > 0 ? told : errors).slice(0, SHOWN).flatMap((error) => problemsOf(root, error)).slice(0, SHOWN)
}

/** `details` hold the first problem's path and words, and what else is wrong. */
export function refusal(code: FailureCode, problems: readonly Problem[]): HubError {
  const [first, ...others] = problems
  const { path, problem } = first ?? { path: '', problem: 'is not valid' }
  return new HubError(code, `${path} ${problem}`.trim(), others.length > 0 ? { path, problem, others } : { path, problem })
}

function problemsOf(root: string, error: TLocalizedValidationError): Problem[] {
  const path = clip((root + error.instancePath.replaceAll('/', '.')).replace(/^\./, ''))
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({ path: path === '' ? name : `${path}.${name}`, problem: 'is required' }))
    case 'enum':
      return [{ path, problem: `must be one of ${error.params.allowedValues.join(', ')}` }]
    case 'const':
      return [{ path, problem: `must be ${JSON.stringify(error.params.allowedValue)}` }]
    case 'not':
      return [{ path, problem: 'must not be null' }]
    case 'boolean':
      return [{ path, problem: 'is not allowed' }]
    case 'anyOf':
      return [{ path, problem: 'has none of the allowed forms' }]
    default:
      return [{ path, problem: error.message }]
  }
}

/** Keys are the producer's: as long as it likes. */
export function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
