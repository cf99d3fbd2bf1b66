/** The hub's failures in this dialect's words: six codes, and sentences that its agents know. `hub_code` is the hub's own. */
import type { Failure, FailureCode } from '@hubbub/protocol'
import { said, snakeFields } from './names.js'

/** All other codes are rules of the domain. */
const CODES: { readonly [C in FailureCode]?: string } = {
  UNKNOWN_TYPE: 'UNSUPPORTED_EVENT',
  INSUFFICIENT_PERMISSIONS: 'INSUFFICIENT_PERMISSIONS', WRONG_PROJECT: 'INSUFFICIENT_PERMISSIONS',
  VALIDATION_ERROR: 'VALIDATION_ERROR', INVALID_TOPIC: 'VALIDATION_ERROR', INVALID_CURSOR: 'VALIDATION_ERROR', PAYLOAD_TOO_LARGE: 'VALIDATION_ERROR', RESULT_INVALID: 'VALIDATION_ERROR',
  INTERNAL_ERROR: 'INTERNAL_ERROR', UNAVAILABLE: 'INTERNAL_ERROR', STORE_FULL: 'INTERNAL_ERROR', OUTCOME_UNKNOWN: 'INTERNAL_ERROR', TIMEOUT: 'INTERNAL_ERROR', HUB_STREAM_LOST: 'INTERNAL_ERROR',
}
const SENTENCES: { readonly [C in FailureCode]?: string } = {
  AGENT_NOT_IDENTIFIED: 'Agent not identified',
  NOT_TASK_OWNER: 'Agent not authorized to update this task',
  TASK_NOT_FOUND: 'Task not found',
  INTERNAL_ERROR: 'An internal error occurred while processing the event',
}
const AUTH_SENTENCES: { readonly [C in FailureCode]?: string } = {
  AUTH_MISSING_TOKEN: 'Missing authentication token',
  AUTH_INVALID_FORMAT: 'Invalid authentication format',
  AUTH_TOKEN_EXPIRED: 'Authentication token expired',
}
const AUTH_FAILED = 'Authentication failed'
/** Before what is wrong with the payload. */
const SUBJECTS: Readonly<Record<string, string>> = {
  'agent.register': 'Invalid registration data', 'agent.heartbeat': 'Invalid heartbeat data', 'task.result': 'Invalid task result', 'task.progress': 'Invalid progress data',
}
/** A result that came too late, or to the wrong door: answered as such, and not as an error. */
const UNFINISHED: ReadonlySet<FailureCode> = new Set<FailureCode>(['TASK_NOT_FOUND', 'TASK_COMPLETION_ERROR', 'NOT_TASK_OWNER', 'STALE_LEASE', 'STALE_REPORT', 'RESULT_INVALID', 'BUSINESS_LOGIC_ERROR'])

/** What was refused, as far as it was understood. */
export interface Refused {
  /** As its sender named it. */
  name?: string
  /** Canonical. */
  type?: string
}

/** `{ code, message, timestamp, hub_code, retryable, details? }` */
export function errorOf(failure: Failure, about: unknown, { name, type }: Refused): object {
  const { code, retryable, details, message } = failure
  return said('error', {
    // A message without a type is none; one with a type, and something wrong in it, is.
    code: isAuth(code) ? code : code === 'INVALID_MESSAGE' ? (name === undefined ? 'INVALID_EVENT' : 'VALIDATION_ERROR') : (CODES[code] ?? 'BUSINESS_LOGIC_ERROR'),
    message: sentence(failure, name, type), timestamp: new Date().toISOString(), hub_code: code, retryable, details: { ...snakeFields(details ?? {}), ...(code !== 'INTERNAL_ERROR' && { reason: message }) },
  }, about)
}

/** The answers that are no errors: undefined for every other failure. */
export function unfinished({ code, message }: Failure, type: string, payload: Readonly<Record<string, unknown>>): { name: string; payload: object } | undefined {
  const error = SENTENCES[code] ?? message
  if (type === 'agent.register' && code === 'DUPLICATE_AGENT') return { name: 'agent:registration_failed', payload: { error, code, agent_id: payload['agent_id'] ?? payload['agentId'] } }
  if (type === 'task.result' && UNFINISHED.has(code)) return { name: 'task:completion_failed', payload: { error, code, task_id: payload['task_id'] ?? payload['taskId'] } }
  return undefined
}

/** The close frame behind a failure. */
export function endingOf({ code }: Failure): { code: number; reason: string } {
  return isAuth(code) || code === 'WRONG_PROJECT' ? { code: 1008, reason: AUTH_FAILED } : { code: 1011, reason: 'Internal server error' }
}

/** Of a connection that is not let in. */
export function refusalOf(failure: Failure): object {
  const { code, retryable, message } = failure
  const known = isAuth(code) || code === 'WRONG_PROJECT'
  return said('error', { code, message: known ? authSentence(failure) : message, timestamp: new Date().toISOString(), hub_code: code, retryable, ...snakeFields(known ? {} : { reason: message }) })
}

function sentence(failure: Failure, name: string | undefined, type: string | undefined): string {
  const { code, message } = failure
  if (isAuth(code)) return authSentence(failure)
  if (code === 'UNKNOWN_TYPE') return `Event type '${name ?? ''}' is not supported`
  if (code === 'INSUFFICIENT_PERMISSIONS' && name !== undefined) return `Agent does not have permission for event '${name}'`
  if (code === 'INVALID_MESSAGE' && name === undefined) return 'Invalid event structure'
  const subject = type !== undefined && Object.hasOwn(SUBJECTS, type) ? SUBJECTS[type] : undefined
  if (subject !== undefined && (code === 'INVALID_MESSAGE' || code === 'VALIDATION_ERROR')) return `${subject}: ${outOfRange(failure) ? 'Progress must be between 0 and 100' : message}`
  return SENTENCES[code] ?? message
}

function outOfRange({ details }: Failure): boolean {
  return details?.['path'] === 'data.progress' && details['problem'] !== 'is required'
}

function isAuth(code: FailureCode): boolean {
  return code.startsWith('AUTH_')
}

function authSentence({ code, message }: Failure): string {
  return AUTH_SENTENCES[code] ?? (code === 'AUTH_INVALID_TOKEN' ? `Invalid authentication token: ${message}` : AUTH_FAILED)
}
