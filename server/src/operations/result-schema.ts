/**
 * A schema that somebody wants results of tasks to fit: taken only if it says what it seems to say. The processor runs it on every
 * result, so that it must compile, have no misspelt type that would allow everything, and no reference that leads back to itself.
 */
import { HubError } from '@hubbub/protocol'
import { weigh } from '@hubbub/protocol/catalogue'
import { Compile } from 'typebox/compile'

/** Bytes of JSON. */
const MAX_BYTES = 16 * 1024
const MAX_DEPTH = 32

type Node = Record<string, unknown>

const SUB = { $ref: '#' }
const LIST = { type: 'array', items: SUB }
const MAP = { type: 'object', additionalProperties: SUB }
const TYPE = { enum: ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'] }
/** Of JSON Schema what the compiler knows. */
const META = Compile({
  type: ['object', 'boolean'],
  properties: {
    type: { anyOf: [TYPE, { type: 'array', items: TYPE, minItems: 1 }] },
    $ref: { type: 'string', pattern: '^#' },
    ...each(MAP, '$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas'),
    ...each(LIST, 'allOf', 'anyOf', 'oneOf', 'prefixItems'),
    ...each(SUB, 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else'),
    items: { anyOf: [SUB, LIST] },
    required: { type: 'array', items: { type: 'string' } }, enum: { type: 'array' }, pattern: { type: 'string' },
    ...each({ type: 'number' }, 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'),
    ...each({ type: 'integer', minimum: 0 }, 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'),
  },
})

function each(schema: Node, ...keywords: string[]): Record<string, Node> {
  return Object.fromEntries(keywords.map((keyword) => [keyword, schema]))
}

/** @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkResultSchema(schema: unknown): Node {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new HubError('INVALID_MESSAGE', '`resultSchema` must be a JSON Schema object.', { path: 'resultSchema' })
  weigh(schema, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH }, 'resultSchema')
  if (!META.Check(schema)) {
    const [first] = META.Errors(schema)
    throw refused(`resultSchema${first?.instancePath.replaceAll('/', '.') ?? ''}`, first?.message ?? 'is no JSON Schema')
  }
  checkReferences(schema)
  try {
    Compile(schema)
  } catch (error) {
    throw refused('resultSchema', error instanceof Error ? error.message : 'does not compile')
  }
  return schema
}

/** Every reference leads somewhere, and none back to itself without going into the value: checking would never end. */
function checkReferences(root: Node): void {
  const done = new Set<Node>()
  const visit = (node: Node, path: readonly Node[]) => {
    if (path.includes(node)) throw refused('resultSchema', 'has a $ref that leads back to itself')
    if (done.has(node)) return
    for (const next of inPlace(root, node)) visit(next, [...path, node])
    done.add(node)
  }
  for (const node of nodesOf(root)) visit(node, [])
}

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Node
  for (const child of Object.values(value)) yield* nodesOf(child)
}

/** What is checked against the same value. */
function inPlace(root: Node, node: Node): Node[] {
  const { $ref, allOf, anyOf, oneOf, not, if: when, then: yes, else: no, dependentSchemas } = node
  const lists = [allOf, anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
  const named = isNode(dependentSchemas) ? Object.values(dependentSchemas) : []
  const found = [...lists, ...named, not, when, yes, no].filter(isNode)
  if (typeof $ref === 'string') found.push(target(root, $ref))
  return found
}

function target(root: Node, reference: string): Node {
  let at: unknown = root
  for (const step of pointer(reference)) at = typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? (at as Node)[step] : undefined
  if (!isNode(at)) throw refused('resultSchema', `has a $ref to ${reference.slice(0, 100)}, which is not there`)
  return at
}

function pointer(reference: string): string[] {
  try {
    return decodeURIComponent(reference).slice(1).split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    throw refused('resultSchema', `has a $ref to ${reference.slice(0, 100)}, which is no pointer`)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(path: string, problem: string): HubError {
  return new HubError('VALIDATION_ERROR', `${path} ${problem}`, { path: path.slice(0, 200), problem })
}
