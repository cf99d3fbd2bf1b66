/** The rows of a JSON tree as it is opened now. By loops and in portions: a value may have a million fields, or be nested deeper than our stack. */

export interface JsonLine {
  /** JSON Pointer: tells it from all others. */
  path: string
  name: string | undefined
  /** From 1. */
  level: number
  kind: 'object' | 'list' | 'string' | 'number' | 'boolean' | 'null' | 'more'
  value: unknown
  /** Fields or items; of `more`: how many are not shown. Absent for what has none. */
  size?: number
  isOpen: boolean
  /** Of a string. */
  text?: string
}

export interface Opened {
  /** Against what is so by itself: the first two levels are open. */
  readonly open: ReadonlySet<string>
  readonly closed: ReadonlySet<string>
  /** How many fields of a container are shown. */
  readonly more: ReadonlyMap<string, number>
}

/** Fields and items that are shown before somebody asks for more. */
const FIRST = 50
const OPEN_LEVELS = 2
/** Rows in all. */
const MOST_ROWS = 5000
const MOST_FOUND = 500
const MOST_LOOKED_AT = 200_000

export function rowsOf(value: unknown, name: string | undefined, opened: Opened): JsonLine[] {
  const rows: JsonLine[] = []
  const rest: JsonLine[] = [rowOf('', name, 1, value, opened)]
  while (rest.length > 0 && rows.length < MOST_ROWS) {
    const row = rest.pop()!
    rows.push(row)
    if (!row.isOpen) continue
    const names = namesOf(row.value)
    const shown = names.slice(0, opened.more.get(row.path) ?? FIRST)
    if (names.length > shown.length) rest.push({ path: `${row.path}/ more`, name: undefined, level: row.level + 1, kind: 'more', value: undefined, size: names.length - shown.length, isOpen: false })
    for (const one of shown.toReversed()) rest.push(rowOf(pathTo(row.path, one), one, row.level + 1, fieldOf(row.value, one), opened))
  }
  return rows
}

/** Ten times as many as before. */
export function grown(opened: Opened, { path }: JsonLine): Opened {
  const parent = path.slice(0, path.lastIndexOf('/'))
  return { ...opened, more: new Map([...opened.more, [parent, (opened.more.get(parent) ?? FIRST) * 10]]) }
}

/** All that is above it open, and so much of each that it is among the rows. */
export function openTo(opened: Opened, value: unknown, path: string): Opened {
  const [open, closed, more] = [new Set(opened.open), new Set(opened.closed), new Map(opened.more)]
  let at = ''
  let inside = value
  for (const name of path.split('/').slice(1).map(unescaped)) {
    open.add(at)
    closed.delete(at)
    const place = namesOf(inside).indexOf(name)
    if (place >= (more.get(at) ?? FIRST)) more.set(at, place + FIRST)
    at = pathTo(at, name)
    inside = fieldOf(inside, name)
  }
  return { open, closed, more }
}

/** Where a name or a leaf has the text, in the order of the tree; the first 500. */
export function pathsWith(value: unknown, text: string): string[] {
  const needle = text.toLowerCase()
  const found: string[] = []
  const rest: { path: string; name: string; value: unknown }[] = [{ path: '', name: '', value }]
  for (let left = MOST_LOOKED_AT; rest.length > 0 && left > 0 && found.length < MOST_FOUND; left--) {
    const one = rest.pop()!
    const isContainer = typeof one.value === 'object' && one.value !== null
    if (one.name.toLowerCase().includes(needle) || (!isContainer && String(one.value).toLowerCase().includes(needle))) found.push(one.path)
    if (isContainer) for (const name of namesOf(one.value).slice(0, left).toReversed()) rest.push({ path: pathTo(one.path, name), name, value: fieldOf(one.value, name) })
  }
  return found
}

function rowOf(path: string, name: string | undefined, level: number, value: unknown, { open, closed }: Opened): JsonLine {
  if (typeof value === 'object' && value !== null) {
    const size = Array.isArray(value) ? value.length : Object.keys(value).length
    return { path, name, level, kind: Array.isArray(value) ? 'list' : 'object', value, size, isOpen: size > 0 && !closed.has(path) && (level <= OPEN_LEVELS || open.has(path)) }
  }
  const kind = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? typeof value : 'null'
  return { path, name, level, kind: kind as JsonLine['kind'], value, isOpen: false, ...(typeof value === 'string' && { text: value }) }
}

function namesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Array.isArray(value) ? Array.from(value, (_, index) => String(index)) : Object.keys(value)
}

function fieldOf(value: unknown, name: string): unknown {
  // `__proto__` is a name like any other here: what JSON made of it is the object's own.
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function pathTo(path: string, name: string): string {
  return `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function unescaped(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~')
}
