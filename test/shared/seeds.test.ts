/** `test/SEEDS.md` names a test for each that older designs ask for: each of those tests exists, and no row is lost or left empty. */
import { existsSync, readFileSync } from 'node:fs'
import { parseSync } from '@swc/core'

/** What a row may name in place of a test. */
const LATER = ['later: many workers, deploys and abuse', 'later: measured speed']
const BLOCKS = new Set(['describe', 'test', 'it'])
const text = readFileSync('test/SEEDS.md', 'utf8')

type Node = Record<string, unknown>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** A call's `describe`, `test` or `it`, also behind `.each(...)`; undefined for any other call. */
function blockOf(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined
  if (callee['type'] === 'Identifier') return BLOCKS.has(callee['value'] as string) ? (callee['value'] as string) : undefined
  if (callee['type'] !== 'CallExpression') return undefined
  const each = callee['callee'] as Node
  return each['type'] === 'MemberExpression' && (each['property'] as Node)['value'] === 'each' ? blockOf(each['object']) : undefined
}

/** A title as it stands in the source: what is put in stands as `${name}`. */
function titleOf(argument: Node): string | undefined {
  if (argument['type'] === 'StringLiteral') return argument['value'] as string
  if (argument['type'] !== 'TemplateLiteral') return undefined
  const names = (argument['expressions'] as Node[]).map(nameOf)
  return (argument['quasis'] as Node[]).map((part, at) => `${part['cooked'] as string}${at < names.length ? `\${${names[at]}}` : ''}`).join('')
}

function nameOf(expression: Node): string {
  if (expression['type'] === 'MemberExpression') return `${nameOf(expression['object'] as Node)}.${nameOf(expression['property'] as Node)}`
  return String(expression['value'])
}

/** Full names of a file's tests, each with the titles of the `describe` blocks around it; of Python, the functions'. */
function namesOf(file: string): Set<string> {
  if (file.endsWith('.py')) return new Set([...readFileSync(file, 'utf8').matchAll(/^(?:async )?def (test_\w+)/gm)].map((match) => match[1]!))
  const names = new Set<string>()
  const walk = (value: unknown, around: readonly string[]): void => {
    if (Array.isArray(value)) return value.forEach((item) => walk(item, around))
    if (!isNode(value)) return
    const block = value['type'] === 'CallExpression' ? blockOf(value['callee']) : undefined
    const first = block === undefined ? undefined : (value['arguments'] as { expression: Node }[])[0]
    const title = first && titleOf(first.expression)
    const inside = title === undefined ? around : [...around, title]
    if (title !== undefined && block !== 'describe') names.add(inside.join(' › '))
    for (const child of Object.values(value)) walk(child, inside)
  }
  walk(parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript', target: 'es2022' }).body, [])
  return names
}

const known = new Map<string, Set<string>>()
function isTest(file: string, name: string): boolean {
  if (!existsSync(file)) return false
  if (!known.has(file)) known.set(file, namesOf(file))
  return known.get(file)!.has(name)
}

interface Row {
  number: number
  words: string
  shown: string
}

function rowsOf(design: string): Row[] {
  const [section = ''] = text.split(`\n## Design ${design}:`).slice(1).join('').split('\n## ')
  return section.split('\n').filter((line) => /^\| *\d/.test(line)).map((line) => {
    const [, number, words = '', shown = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { number: Number(number), words, shown }
  })
}

/** What is wrong with the row, in words. */
function faultsOf({ words, shown }: Row): string[] {
  const faults = words === '' ? ['it says nothing'] : []
  for (const part of shown.split('<br>')) {
    if (LATER.some((later) => part === later || part.startsWith(`${later} (`))) continue
    const [, file, name] = /^`([^`]+)` › (.+)$/.exec(part) ?? []
    if (file === undefined || name === undefined) faults.push(`it names neither a test nor what comes later: '${part}'`)
    else if (!isTest(file, name)) faults.push(`no such test: ${part}`)
  }
  return faults
}

/** How many there are of each, counted in the designs themselves. */
const DESIGNS: [design: string, count: number, said: string][] = [
  ['000', 112, '112 anchors'], ['002', 17, 'It counts 17 tests'], ['003', 34, 'It counts 34 tests'], ['004', 29, 'It has 29 entries'],
]

describe.each(DESIGNS)('the table of design %s', (design, count, said) => {
  const rows = rowsOf(design)

  test('has all of its rows, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, at) => at + 1))
    expect(text).toContain(said)
  })

  test('names in each row tests that exist, or the work to which it belongs', () => {
    expect(rows.flatMap((row) => faultsOf(row).map((fault) => `${row.number}: ${fault}`))).toEqual([])
  })
})

test('a row that says nothing, or names what there is not, is found', () => {
  const here = '`test/shared/seeds.test.ts` › the table of design %s › has all of its rows, in order'
  const faults = (words: string, shown: string) => faultsOf({ number: 1, words, shown }).length
  expect([faults('x', here), faults('x', LATER[0]!), faults('x', `${here}<br>${LATER[1]!} (of it)`)]).toEqual([0, 0, 0])
  const wrong = ['', 'later', 'later: never', here.replace('order', 'disorder'), here.replace('seeds', 'seedlings'), here.replaceAll('`', ''), `${here}<br>`]
  expect(wrong.map((shown) => faults('x', shown))).toEqual(wrong.map(() => 1))
  expect(faults('', here)).toBe(1)
})
