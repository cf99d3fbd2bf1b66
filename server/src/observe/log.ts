import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }

/** Fields that hold a secret under their own name, at the top of a line and one and two levels within. */
const NAMES = ['token', 'apiKey', 'authorization', 'cookie', 'secret', 'password', 'credential', '["x-api-key"]']
const PATHS = NAMES.flatMap((name) => ['', '*', '*.*'].map((place) => (name.startsWith('[') || place === '' ? place + name : `${place}.${name}`)))

const MASK = '***'

/**
 * Secrets that show what they are, wherever in a line they stand: in the message of a library's error, in its stack, in an address. Every
 * pattern ends before a quote: the line stays JSON. Only marked ones; what a tap shows of events is masked by far more (`tap-redaction.ts`).
 */
const SECRETS: readonly RegExp[] = [
  // JSON Web Tokens. Whatever stands before: encoded in an address it is a letter or a digit (`%22eyJ`).
  /eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,4}/g,
  // The hub's own keys, a sink's secret.
  /(hub_[0-9a-f]{16}_|whsec_)[\w+/=-]{8,}/g,
  /\b(?<=(?:Bearer|Basic)\s)[A-Za-z0-9._~+/=-]{6,}/gi,
  // Name and password within a URL, which may hold `/` and `@`; a parameter of such a name. Bounded: a long text would be gone through for each `://`.
  /(?<=:\/\/)[^/@\s:"'<>\\]{0,100}:[^\s"'<>\\]{0,200}(?=@)/g,
  /(?<=[?&;#](?:[\w-]{0,40}(?:token|secret|password|passwd|key|signature|auth|code|credential))=)[^&#\s"'\\]+/gi,
  /(?<=--[\w-]{0,30}(?:token|secret|password|key)[ =])[^\s"'\\-][^\s"'\\]*/gi,
]

/** What acts on a terminal and is no control character of JSON's: C1, and such as turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex
const ACTING = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** A line as it may be kept: text of clients and errors of libraries may be in it. Still the same JSON, but for what was masked. */
export function harmlessLine(line: string): string {
  let masked = line
  for (const secret of SECRETS) masked = masked.replaceAll(secret, MASK)
  return masked.replaceAll(ACTING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * JSON lines on stderr, synchronous: an asynchronous destination throws on an immediate exit. No line holds a credential, whatever was
 * given to be logged.
 */
export function createLog(level: string, node: string, destination: DestinationStream = pino.destination({ fd: 2, sync: true })): Logger {
  return pino({ level, base: { node }, redact: { paths: PATHS, censor: MASK }, hooks: { streamWrite: harmlessLine } }, destination)
}

/** Says nothing; for embedding and tests. */
export const silent: Logger = pino({ level: 'silent' })
