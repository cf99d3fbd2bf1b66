/**
 * The one failure table: every code that any gateway, answer, dead letter or SDK can show.
 * `close` says what happens to the connection: `stay`, `refuse` (the handshake fails; come back with other credentials)
 * or `end` (it is closed; reconnecting with the same credentials is pointless).
 */

export interface FailureKind {
  meaning: string
  remedy: string
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean
  /** HTTP status of the code on HTTP gateways. */
  status: number
  close: 'stay' | 'refuse' | 'end'
}

const bad = (meaning: string, remedy: string, status = 400): FailureKind => ({ meaning, remedy, retryable: false, status, close: 'stay' })
const later = (meaning: string, remedy: string, status: number): FailureKind => ({ meaning, remedy, retryable: true, status, close: 'stay' })
const auth = (meaning: string, remedy: string, close: FailureKind['close'] = 'refuse'): FailureKind => ({ meaning, remedy, retryable: false, status: 401, close })

export const FAILURES = {
  INVALID_MESSAGE: bad('The message is not of the form that the operation takes.', 'Compare it with PROTOCOL.md; `details` names the place.'),
  UNKNOWN_TYPE: bad('No event or message of that type exists.', 'Use a type of the catalogue, an alias of it, or `custom.<name>`.'),
  VALIDATION_ERROR: bad('The event is known, but its data has a missing field, a wrong type or a forbidden key.', 'Mend the fields that `details` names.', 422),
  INVALID_TOPIC: bad('A topic or topic pattern does not follow the grammar.', 'Use `family:id`, `family:*`, `*`, `system` or `project`.'),
  INVALID_CURSOR: bad('`since` is no cursor, duration, `{ last: N }` or `all`.', 'Send a cursor that the hub gave, unchanged.'),
  PAYLOAD_TOO_LARGE: bad('The event or request is larger than its limit.', 'Send less, or store the bulk elsewhere and publish a reference.', 413),
  SUBSCRIPTION_LIMIT: bad('The connection has as many subscriptions as it may.', 'Unsubscribe something, or use a wildcard.', 429),
  NOT_SUBSCRIBED: bad('There is no such subscription on this connection.', 'Check the subscription id.', 404),
  CONNECTION_LIMIT: later('The worker has as many connections as it may.', 'Reconnect with backoff; another worker may have room.', 503),
  CONNECT_RATE: later('More new connections came at once than the worker takes.', 'Reconnect after `details.retryAfterMs` milliseconds.', 503),
  RATE_LIMITED: later('Too many messages in too short a time.', 'Wait `details.retryAfterMs` milliseconds.', 429),
  INSUFFICIENT_PERMISSIONS: bad('The identity may not do this.', 'Ask for a token with the permission that `details.needed` names.', 403),
  WRONG_PROJECT: bad('The token does not grant that project.', 'Use a token of that project.', 403),
  ORIGIN_NOT_ALLOWED: bad('The page\'s origin may not use this hub.', 'Add the origin to HUBBUB_CORS_ORIGINS.', 403),
  NOT_FOUND: bad('There is nothing at that address.', 'Check the path or id.', 404),
  AUTH_MISSING_TOKEN: auth('No credential was sent.', 'Send a token or API key: Authorization header, query, cookie or the `auth` payload.'),
  AUTH_INVALID_FORMAT: auth('The credential is not of the form `Bearer <token>`, a JWT or an API key.', 'Send `Authorization: Bearer <token>`.'),
  AUTH_TOKEN_EXPIRED: auth('The token has expired.', 'Get a new token; `auth.refresh` renews one in place.', 'end'),
  AUTH_INVALID_TOKEN: auth('The token or key is not one that this hub accepts.', 'Check signature, algorithm and key.'),
  AUTH_REVOKED: auth('The key or subject was revoked.', 'Ask the operator for a new one.', 'end'),
  AUTH_FAILED: auth('Authentication failed.', 'Check the credential.'),
  BAD_SIGNATURE: { ...bad('The webhook\'s signature does not fit its body.', 'Check the secret on both sides.', 401) },
  REPLAY_GAP: bad('Events between two cursors can no longer be had.', 'Read the current state, then go on from `details.to`.', 410),
  OUTCOME_UNKNOWN: later('The publish was not answered in time; it may or may not stand in the journal.', 'Publish again with the same id: the hub answers with the first outcome.', 504),
  UNAVAILABLE: later('The hub cannot do this now: its store is out of reach, it is full or it is stopping.', 'Try again with backoff.', 503),
  STORE_FULL: later('The store has no room, in memory or on disk; nothing was written.', 'Try again with backoff; the operator gives Redis more room, or lets the hub keep less (HUBBUB_RETENTION_*).', 503),
  QUEUE_FULL: later('The client\'s queue for the time without a connection is full.', 'Wait for the connection, or raise the queue\'s limit.', 503),
  TIMEOUT: later('No answer came in time.', 'Try again.', 504),
  WRONG_PARTITION: bad('A raw entry names a project of another partition.', 'Write to the source stream of the project\'s partition.'),
  DUPLICATE_AGENT: bad('A live agent of that id is registered by another subject.', 'Use another agent id.', 409),
  TASK_NOT_FOUND: bad('There is no such task.', 'Check the task id.', 404),
  TASK_COMPLETION_ERROR: bad('The result cannot be taken.', 'See `details`.', 409),
  TASK_EXISTS: bad('There is a task of that id already.', 'Use another id, or leave it out.', 409),
  STALE_LEASE: bad('The lease is over: the task was offered to somebody else, cancelled or finished.', 'Stop working on it.', 409),
  STALE_REPORT: bad('The report is older than one that was taken already.', 'Nothing: the later one stands.', 409),
  RESULT_INVALID: bad('The result does not fit the schema of the task\'s type.', 'See `details.problems`.', 422),
  NO_EXECUTOR: later('No executor of that command is connected.', 'Start one, or try again.', 503),
  EXECUTOR_LOST: bad('The executor was lost while it carried out the command: it may or may not have.', 'Look whether it was done before you give the command again.', 502),
  COMMAND_TIMEOUT: bad('The executor did not answer in time: it may still carry out the command.', 'Look whether it was done, or allow more with `timeoutMs`.', 504),
  COMMAND_FAILED: bad('The executor answered with an error.', 'See `details`.', 422),
  NOT_TASK_OWNER: bad('The task is delegated to somebody else.', 'Stop working on it.', 409),
  AGENT_NOT_IDENTIFIED: bad('The operation needs an agent\'s identity.', 'Connect with an agent token.', 403),
  CONNECTION_NOT_FOUND: bad('There is no such connection.', 'It may have closed.', 404),
  BUSINESS_LOGIC_ERROR: bad('A rule of the domain forbids this.', 'See `details`.', 409),
  HUB_STREAM_LOST: later('The hub lost its store\'s stream and is reading it again.', 'Nothing: a gap follows if anything was lost.', 503),
  INTERNAL_ERROR: later('The hub failed; the fault is logged, not shown.', 'Try again; then ask the operator with `details.reference`.', 500),
} as const satisfies Record<string, FailureKind>

export type FailureCode = keyof typeof FAILURES

/** A failure as every gateway shows it. */
export interface Failure {
  code: FailureCode
  message: string
  retryable: boolean
  details?: Record<string, unknown>
}

export function isFailureCode(text: unknown): text is FailureCode {
  return typeof text === 'string' && Object.hasOwn(FAILURES, text)
}

/** Thrown by every part of the path; a gateway turns it into a `Failure` and shows nothing else. */
export class HubError extends Error {
  override readonly name = 'HubError'
  constructor(readonly code: FailureCode, message?: string, readonly details?: Record<string, unknown>, options?: ErrorOptions) {
    super(message ?? FAILURES[code].meaning, options)
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable
  }

  get status(): number {
    return FAILURES[this.code].status
  }

  toJSON(): Failure {
    const failure: Failure = { code: this.code, message: this.message, retryable: this.retryable }
    if (this.details) failure.details = this.details
    return failure
  }
}
