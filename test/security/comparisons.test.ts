/**
 * Secrets are compared in constant time: by `timingSafeEqual` over digests of one length, in two places. What stops at the first character
 * that differs tells how many were right; so nothing in the server compares by operator what has a secret's name.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from '@swc/core'
import { grantOfKey } from '../../server/src/access/keys.js'
import { signatureFits, signatureOf } from '../../server/src/gateway/github/signature.js'

const SOURCES = 'server/src'
const SECRET_NAME = /secret|token|signature|digest|hash|hmac|passw|passphrase|credential|api_?key|bearer/i
/** Comparisons of text and bytes that stop early. */
const METHODS = /^(includes|indexOf|lastIndexOf|equals|compare|startsWith|endsWith|localeCompare|is|isDeepStrictEqual)$/

/** Where a name says more than there is, or nobody guesses. */
const ALLOWED: Readonly<Record<string, string>> = {
  'processor/rules/ownership.ts: leaseToken !== task.leaseToken': 'a lease\'s token stands in the task, where whoever may see the task sees it; the agent\'s own credential is what counts',
  'operations/sinks-request.ts: key.toString(\'base64\') === secret.slice(6)': 'whether a secret that its owner gives is written as base64 is',
}

type Node = Record<string, unknown>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** All names in an expression: of variables, fields and methods. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn)
  if (!isNode(value)) return []
  if (value['type'] === 'Identifier') return [String(value['value'])]
  return Object.values(value).flatMap(namesIn)
}

/** Nothing to guess: `undefined`, `''`, a number, `typeof x`. */
function isPlain(value: unknown): boolean {
  const { type, value: name } = value as Node
  return String(type).endsWith('Literal') || type === 'UnaryExpression' || (type === 'Identifier' && name === 'undefined')
}

/** Comparisons that stop early and name a secret, as they stand in the text. */
function comparisonsIn(text: string): string[] {
  // What stands before the first word of a program is not in its span: with this its span begins where the text does.
  const source = `;${text}`
  const bytes = Buffer.from(source)
  const program = parseSync(source, { syntax: 'typescript', target: 'es2022' })
  const found: string[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (!isNode(value)) return
    const compared = comparedBy(value)
    if (compared && namesIn(compared).some((name) => SECRET_NAME.test(name))) {
      const { start, end } = value['span'] as { start: number; end: number }
      found.push(bytes.subarray(start - program.span.start, end - program.span.start).toString())
    }
    Object.values(value).forEach(walk)
  }
  walk(program.body)
  return found
}

function comparedBy(node: Node): unknown[] | undefined {
  const { type, operator, left, right } = node
  if (type === 'BinaryExpression') return /^[!=]==?$/.test(String(operator)) && !isPlain(left) && !isPlain(right) ? [left, right] : undefined
  if (type !== 'CallExpression') return undefined
  const callee = node['callee'] as Node
  const property = callee['type'] === 'MemberExpression' ? (callee['property'] as Node) : undefined
  const given = node['arguments'] as { expression: Node }[]
  return METHODS.test(String(property?.['value'])) && !given.every(({ expression }) => isPlain(expression)) ? [callee['object'], given] : undefined
}

describe('comparing secrets', () => {
  test('by operator or method happens nowhere in the server', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const found = files.flatMap((file) => comparisonsIn(readFileSync(join(SOURCES, file), 'utf8')).map((text) => `${file}: ${text}`))
    expect(found.sort()).toEqual(Object.keys(ALLOWED).sort())
    expect(files.length).toBeGreaterThan(200)
  })

  test.each([
    'if (secret === given) let_in()', 'const differs = record.hash !== digest(text)', 'const ok = request.headers.token == settings["x"]', 'expected.apiKey.equals(given)', 'tokens.includes(given)',
    'signatures.some((signature) => header === signature)', 'while (createHmac("sha256", k).digest("hex") !== x) {}', 'given.startsWith(password)', 'Buffer.compare(hmac, given) === 0',
  ])('is found where somebody writes it: %s', (text) => {
    expect(comparisonsIn(text)).not.toEqual([])
  })

  test.each(['if (secret === "") no()', 'token === undefined', 'typeof credential !== "string"', 'timingSafeEqual(expected, digest(secret))', 'name === other', 'header.startsWith("token")'])('is not seen where there is none: %s', (text) => {
    expect(comparisonsIn(text)).toEqual([])
  })

  test('stands in two places, by timingSafeEqual', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && /\btimingSafeEqual\(/.test(readFileSync(join(SOURCES, file), 'utf8')))
    expect(files.sort()).toEqual(['access/keys.ts', 'gateway/github/signature.ts'])
  })
})

describe('a key', () => {
  const record = (hash: string) => ({ id: '0', hash, subject: 's', role: 'viewer', projects: ['default'], createdAt: 0 })
  const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url')

  test('is compared by its digest, so that no length of secret or of record throws or fits', () => {
    expect(grantOfKey(record(hashOf('right')), 'right').subject).toBe('s')
    const wrong: [string, string][] = [[hashOf('right'), 'righ'], [hashOf('right'), 'right '], [hashOf('right'), ''], ['', ''], ['', 'right'], [hashOf('right').slice(0, 20), 'right'], [`${hashOf('right')}AAAA`, 'right'], ['not base64!', 'right']]
    for (const [hash, secret] of wrong) expect(() => grantOfKey(record(hash), secret)).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_TOKEN' }))
  })
})

describe('a webhook\'s signature', () => {
  const body = Buffer.from('{}')

  test('fits whichever of several secrets made it, and none other does', () => {
    for (const secret of ['a', 'b', 'c']) expect(signatureFits(['a', 'b', 'c'], body, signatureOf(secret, body))).toBe(true)
    const good = signatureOf('a', body)
    const wrong = [undefined, '', 'sha256=', good.slice(0, -1), `${good}0`, good.replace('sha256', 'sha1'), `sha256=${'0'.repeat(64)}`, signatureOf('d', body), signatureOf('a', Buffer.from('{ }'))]
    for (const header of wrong) expect(signatureFits(['a', 'b', 'c'], body, header)).toBe(false)
    expect(signatureFits([], body, good)).toBe(false)
  })
})
