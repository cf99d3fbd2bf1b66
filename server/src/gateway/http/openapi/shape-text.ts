/** A JSON Schema as a reader of TypeScript would write it, as HTML; what has a name leads to its own place on the page. */
import { escaped } from './html.js'
import { nameOf, type Read } from './sample.js'

const INDENT = '  '

export function shapeText(schema: Read, depth = 0): string {
  if (schema.$ref !== undefined) return `<a href="#schema-${escaped(nameOf(schema.$ref))}">${escaped(nameOf(schema.$ref))}</a>`
  if (schema.const !== undefined) return escaped(JSON.stringify(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => escaped(JSON.stringify(value))).join(' | ')
  const union = schema.anyOf ?? schema.oneOf
  if (union !== undefined) return union.map((part) => shapeText(part, depth)).join(' | ')
  if (schema.allOf !== undefined) return schema.allOf.map((part) => shapeText(part, depth)).join(' &amp; ')
  const type = [schema.type].flat()
  if (type.includes('array')) return arrayText(shapeText(schema.items ?? {}, depth))
  if (schema.properties !== undefined) return objectText(schema.properties, schema.required ?? [], depth)
  if (type[0] === undefined) return 'any'
  return escaped(type.join(' | ')) + limitsOf(schema)
}

function objectText(properties: Record<string, Read>, required: readonly string[], depth: number): string {
  const inner = INDENT.repeat(depth + 1)
  const lines = Object.entries(properties).map(([name, field]) => {
    const note = field.description === undefined ? '' : `  <i>// ${escaped(field.description.replaceAll('`', ''))}</i>`
    return `${inner}${escaped(name)}${required.includes(name) ? '' : '?'}: ${shapeText(field, depth + 1)}${note}`
  })
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${INDENT.repeat(depth)}}`
}

function arrayText(items: string): string {
  return items.includes(' | ') || items.includes('&amp;') ? `(${items})[]` : `${items}[]`
}

function limitsOf(schema: Read): string {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
  if (minimum === undefined && maximum === undefined) return ''
  return ` ${minimum ?? ''}..${maximum ?? ''}`
}
