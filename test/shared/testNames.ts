/** The names of the tests in a file, for documents that say which test shows what. */
import { existsSync, readFileSync } from 'node:fs'
import { parseSync } from '@swc/core'

const BLOCKS = new Set(['describe', 'test', 'it'])

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
/** `name`: titles from the outermost block on, joined by ` › `, as they stand in the source. */
export function isTest(file: string, name: string): boolean {
  if (!existsSync(file)) return false
  if (!known.has(file)) known.set(file, namesOf(file))
  return known.get(file)!.has(name)
}
