/**
 * What a debug tap writes of an event's data. Text of events is anybody's: it may hold secrets, and it may be made to hurt whoever reads
 * the log. Without `values` only the shape is written; with them secrets are masked all the same, and everything is cut.
 */

/** Characters of a text that are written. */
const TEXT = 200
/** Characters that are looked at: a megabyte is not searched for secrets to show 200 of it. */
const LOOKED_AT = 2000
const FIELDS = 30
const ITEMS = 10
const DEPTH = 5
const KEY = 60
const MASK = '***'

/** By the words that a name is made of: `apiKey`, `api_key`, `X-Api-Key`, `accessToken`, `client_secret`. */
const SECRET_NAME = /(token|secret|passw(or)?d|passphrase|authori[sz]ation|credential|cookie|session[-_ ]?id|bearer|jwt|signature|otp|pin[-_ ]?code|private[-_ ]?key|api[-_ ]?key|access[-_ ]?key|encryption[-_ ]?key|signing[-_ ]?key|ssh[-_ ]?key|connection[-_ ]?string|dsn|pwd)/i
/** Tokens of models, counted: no secret. */
const COUNT_NAME = /tokens?$|^(max|total|prompt|completion|input|output|cached)[-_]?tokens?|tokens?[-_]?(count|used|limit|total)$/i

const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // JSON Web Tokens, also cut ones.
  /\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,4}/g,
  /\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{6,}/gi,
  // Keys of those who mark theirs, our own among them.
  /\b(hub_|sk[-_]|pk[-_]|rk[-_]|gh[opsru]_|github_pat_|glpat-|xox[abeoprs]-|whsec_|npm_|pypi-|hf_|shpat_|dop_v1_|SG\.|ya29\.)[A-Za-z0-9._-]{8,}/g,
  /\b(AKIA|ASIA)[A-Z0-9]{12,}|\bAIza[\w-]{20,}/g,
  // A password within a URL, or a parameter of such a name.
  /(?<=:\/\/)[^/@\s:]*:[^/@\s]*(?=@)/g,
  /(?<=[?&;](?:[\w-]*(?:token|secret|password|passwd|key|sig|signature|auth|code|credential)[\w-]*)=)[^&#\s]+/gi,
  /(?<=\b(?:password|passwd|pwd|secret|token|api[-_ ]?key)\s{0,3}[:=]\s{0,3})[^\s,;"'}]{3,}/gi,
]
/** A long run of letters and digits is taken for a key, ids of the usual form excepted. */
const RUN = /[A-Za-z0-9+/_=-]{28,}/g
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Control characters, and such as turn the direction of what follows: written as they are called, so that they do nothing. */
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu

/** What things are, and how large; never what they say. */
export function shapeOf(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return `string(${value.length})`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  if (Array.isArray(value)) return value.length === 0 ? 'array(0)' : depth >= DEPTH ? `array(${value.length})` : [`array(${value.length})`, shapeOf(value[0], depth + 1)]
  if (depth >= DEPTH) return `object(${Object.keys(value).length})`
  return fieldsOf(value, (field) => shapeOf(field, depth + 1))
}

/** The values, without secrets, cut in length, number and depth. */
export function maskedOf(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return shownText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH) return shapeOf(value, depth)
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS).map((item) => maskedOf(item, depth + 1))
    return value.length > ITEMS ? [...items, `and ${value.length - ITEMS} more`] : items
  }
  return fieldsOf(value, (field, name) => (isSecretName(name, field) ? MASK : maskedOf(field, depth + 1)))
}

/** Secrets masked, 200 characters at most, nothing in it that acts on a terminal. */
export function shownText(text: string): string {
  let masked = text.slice(0, LOOKED_AT)
  for (const secret of SECRETS) masked = masked.replaceAll(secret, MASK)
  masked = masked.replaceAll(RUN, (run) => (isKey(run) ? MASK : run))
  const cut = masked.length > TEXT || text.length > LOOKED_AT
  return visible(masked.slice(0, TEXT)) + (cut ? `... (${text.length})` : '')
}

/** For what a line must name (ids, types, topics): only what acts is taken out, and it is cut. */
export function visible(text: string, most = TEXT): string {
  const shown = text.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return shown.length > most ? `${shown.slice(0, most)}...` : shown
}

function fieldsOf(value: object, of: (field: unknown, name: string) => unknown): Record<string, unknown> {
  // Without a prototype: a field may be called `__proto__`.
  const shown = Object.create(null) as Record<string, unknown>
  const names = Object.keys(value)
  for (const name of names.slice(0, FIELDS)) shown[visible(shownText(name), KEY)] = of((value as Record<string, unknown>)[name], name)
  if (names.length > FIELDS) shown['...'] = `and ${names.length - FIELDS} more`
  return shown
}

function isSecretName(name: string, field: unknown): boolean {
  return SECRET_NAME.test(name) && !(typeof field === 'number' && COUNT_NAME.test(name))
}

/** Letters and digits mixed in one piece, as words and paths are not; 40 hexadecimal digits may be a commit, and may be a token. */
function isKey(run: string): boolean {
  const longest = Math.max(...run.split(/[-_/+=]/).map((piece) => piece.length))
  return longest >= 12 && /[0-9]/.test(run) && /[A-Za-z]/.test(run) && !UUID.test(run)
}
