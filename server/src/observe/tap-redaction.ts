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
/** Values in one line: 30 fields within 30 fields within 30 are a line that nobody reads, and a process that does nothing else. */
const VALUES = 200
const MASK = '***'

/** By the words that a name is made of: `apiKey`, `api_key`, `X-Api-Key`, `accessToken`, `client_secret`. */
const SECRET_NAME = /(token|secret|passw(or)?d|passphrase|authori[sz]ation|credential|cookie|session[-_ ]?id|bearer|jwt|signature|otp|pin[-_ ]?code|private[-_ ]?key|api[-_ ]?key|access[-_ ]?key|encryption[-_ ]?key|signing[-_ ]?key|ssh[-_ ]?key|connection[-_ ]?string|dsn|pwd|account[-_ ]?key|shared[-_ ]?key|master[-_ ]?key|(^|[-_. ])(auth|pass|pin)$|^key$)/i
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
  // A password within a URL, which may hold `/` and `@`, or a parameter of such a name.
  /(?<=:\/\/)[^/@\s:"'<>]*:[^\s"'<>]*(?=@)/g,
  /(?<=[?&;#](?:[\w-]*(?:token|secret|password|passwd|key|sig|signature|auth|code|credential)[\w-]*)=)[^&#\s]+/gi,
  // Headers, up to the line's or the text's end.
  /(?<=\b(?:authorization|cookie)\s?[:=]\s?)[^\s"'][^\r\n"']*/gi,
  // Options of a command line, and a name and password for one.
  /(?<=--[\w-]{0,30}(?:pass|passwd|password|secret|token|key)\s{1,3})[^\s-]\S*/gi,
  /(?<=\s(?:-u|--user)\s{1,3}[^\s:]{1,60}:)\S+/g,
]
/** `DB_PASSWORD=...`, `client_secret: ...`, and JSON within a text, however often it was put into texts: `{\\"password\\":\\"...`. */
const ASSIGNED = new RegExp(
  String.raw`((?:passw(?:or)?d|passphrase|pwd|secret|token(?!s)|credential|authorization|cookie|api[-_ ]?key|(?:access|account|shared|master|private|signing|secret)[-_ ]?key)[\w-]{0,30}\\{0,7}["']?\s{0,3}(?:=>|[:=])\s{0,3})`
  + String.raw`("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\\{1,7}(["'])[^]*?(?:\\{1,7}\3|$)|[^\s,;"'}\\&]{3,})`, 'gi')
/** Of tokens that are counted: no secret. */
const COUNTED = /^token_?(count|limit|usage|used)/i
/** A long run of letters and digits is taken for a key, ids of the usual form excepted. */
const RUN = /[A-Za-z0-9+/_=-]{28,}/g
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Control characters, and such as turn the direction of what follows: written as they are called, so that they do nothing. */
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu

/** Values that a line may still show. */
interface Budget {
  left: number
}

/** What things are, and how large; never what they say. */
export function shapeOf(value: unknown, depth = 0, budget: Budget = { left: VALUES }): unknown {
  budget.left--
  if (typeof value === 'string') return `string(${value.length})`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const isCut = depth >= DEPTH || budget.left <= 0
  if (Array.isArray(value)) return value.length === 0 || isCut ? `array(${value.length})` : [`array(${value.length})`, shapeOf(value[0], depth + 1, budget)]
  if (isCut) return `object(${Object.keys(value).length})`
  return fieldsOf(value, budget, (field) => shapeOf(field, depth + 1, budget))
}

/** The values, without secrets, cut in length, number and depth. */
export function maskedOf(value: unknown, depth = 0, budget: Budget = { left: VALUES }): unknown {
  budget.left--
  if (typeof value === 'string') return shownText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH || budget.left <= 0) return shapeOf(value, depth, budget)
  if (Array.isArray(value)) return itemsOf(value, depth, budget)
  const pair = namesSecret(value)
  return fieldsOf(value, budget, (field, name) => (isSecretName(name, field) && !(name === 'key' && 'value' in value) || (pair && name === 'value') ? MASK : maskedOf(field, depth + 1, budget)))
}

/** Secrets masked, 200 characters at most, nothing in it that acts on a terminal. */
export function shownText(text: string): string {
  let masked = text.slice(0, LOOKED_AT)
  for (const secret of SECRETS) masked = masked.replaceAll(secret, MASK)
  masked = masked.replaceAll(ASSIGNED, (all, name: string) => (COUNTED.test(name) ? all : name + MASK))
  masked = masked.replaceAll(RUN, (run) => (isKey(run) ? MASK : run))
  const cut = masked.length > TEXT || text.length > LOOKED_AT
  return visible(masked.slice(0, TEXT)) + (cut ? `... (${text.length})` : '')
}

/** For what a line must name (ids, types, topics): only what acts is taken out, and it is cut. */
export function visible(text: string, most = TEXT): string {
  const shown = text.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return shown.length > most ? `${shown.slice(0, most)}...` : shown
}

function fieldsOf(value: object, budget: Budget, of: (field: unknown, name: string) => unknown): Record<string, unknown> {
  // Without a prototype: a field may be called `__proto__`.
  const shown = Object.create(null) as Record<string, unknown>
  const names = Object.keys(value)
  let told = 0
  for (const name of names.slice(0, FIELDS)) {
    if (budget.left <= 0) break
    shown[visible(shownText(name), KEY)] = of((value as Record<string, unknown>)[name], name)
    told++
  }
  if (names.length > told) shown['...'] = `and ${names.length - told} more`
  return shown
}

/** Headers come as lists, too: `['Authorization', '...']`, `['Host', '...', 'Cookie', '...']`. */
function itemsOf(value: readonly unknown[], depth: number, budget: Budget): unknown[] {
  const items: unknown[] = []
  for (const [place, item] of value.slice(0, ITEMS).entries()) {
    if (budget.left <= 0) break
    const before = value[place - 1]
    items.push(typeof item === 'string' && typeof before === 'string' && isHeaderName(before) ? MASK : maskedOf(item, depth + 1, budget))
  }
  return value.length > items.length ? [...items, `and ${value.length - items.length} more`] : items
}

/** `{ name: 'PASSWORD', value: '...' }`, as lists of headers and of variables are made of. */
function namesSecret(value: object): boolean {
  const { name, key, header } = value as Record<string, unknown>
  return [name, key, header].some((text) => typeof text === 'string' && isHeaderName(text))
}

/** One word, not a sentence in which such a word stands. */
function isHeaderName(text: string): boolean {
  return text.length <= KEY && /^[\w.-]+$/.test(text) && SECRET_NAME.test(text)
}

function isSecretName(name: string, field: unknown): boolean {
  return SECRET_NAME.test(name) && !(typeof field === 'number' && COUNT_NAME.test(name))
}

/** Letters and digits mixed in one piece, as words and paths are not; 40 hexadecimal digits may be a commit, and may be a token. */
function isKey(run: string): boolean {
  const longest = Math.max(...run.split(/[-_/+=]/).map((piece) => piece.length))
  return longest >= 12 && /[0-9]/.test(run) && /[A-Za-z]/.test(run) && !UUID.test(run)
}
