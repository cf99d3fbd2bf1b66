/**
 * What somebody writes who wants a page to do something: a world of events for each such text, with the text in every field of every event that
 * the catalogue has, made from the schemas, and with ids made of it, too.
 */
import type { EventInput } from '@hubbub/protocol'
import { CATALOGUE, type Entry } from '@hubbub/protocol/catalogue'

/** Nobody may be asked for anything there. */
export const CANARY = 'canary.invalid'

export interface World {
  name: string
  /** Stands in every text and id of this world. */
  mark: string
  text: string
  id: string
}

const LONG = 100_000

/** By what they try; each carries its mark. */
const TEXTS: Readonly<Record<string, (mark: string) => string>> = {
  script: (mark) => `<script>window.tripped="${mark}"</script>`,
  handlers: (mark) => `<img src=x onerror="window.tripped='${mark}'"><svg onload="window.tripped='${mark}'"><details open ontoggle="window.tripped=1">`,
  'another host': (mark) => `${mark}<img src="http://${CANARY}/i"><link rel=stylesheet href="//${CANARY}/c"><iframe src="http://${CANARY}/f"></iframe><style>@import url(//${CANARY}/s)</style>`,
  'an address that runs': (mark) => `javascript:window.tripped='${mark}'//`,
  'data as an address': (mark) => `data:text/html,<script>window.tripped='${mark}'</script>`,
  templates: (mark) => `{{constructor.constructor("window.tripped='${mark}'")()}}\${window.tripped=1}<%= 1 %>#{1}[[1]]`,
  'an end of markup': (mark) => `--></script></style></textarea></title>]]>"'\`><b id=injected>${mark}</b><!--`,
  ANSI: (mark) => `\u001b[31m\u001b[2J\u001b[H\u009b1;1H${mark}\u0008\u0008\r\u0007\u007f`,
  OSC: (mark) => `\u001b]0;${mark}\u0007\u001b]8;;http://${CANARY}\u0007${mark}\u001b]8;;\u0007\u001b]52;c;QUJD\u0007\u009d0;x\u009c`,
  'reading direction': (mark) => `${mark}\u202egnp.exe\u202c\u2066\u2067\u202b\u061c\u200f${mark}`,
  'what is not seen': (mark) => `${mark}\u200b\u200d\u2060\ufeff\u00ad\u{e0061}\u{e0062}${'\u0336\u0489\u0300'.repeat(100)}`,
  'what never ends': (mark) => mark + 'W'.repeat(LONG),
  'many lines': (mark) => `${mark}${'\n'.repeat(400)}\u2028\u2029\v\f${'\t'.repeat(100)}end`,
  'half a character': (mark) => `${mark}\ud800a\udc00\udbff`,
  'names of prototypes': () => '__proto__',
}

export const WORLDS: readonly World[] = Object.entries(TEXTS).map(([name, make], at) => {
  const mark = name === 'names of prototypes' ? '__proto__' : `hostile${at}`
  const text = make(mark)
  return { name, mark, text, id: idOf(mark, text) }
})

/** In an order in which a run is one: begun first, ended last. Events of the hub alone are not among them: it makes its own of these. */
export function eventsOf(world: World): EventInput[] {
  const weight = ({ type }: Entry): number => (type === 'agui.run_started' || type.endsWith('.registered') || type === 'task.created' ? 0 : /run_(finished|error)$|\.expired$/.test(type) ? 2 : 1)
  const open = CATALOGUE.filter(({ by }) => by === 'anyone').toSorted((a, b) => weight(a) - weight(b))
  return open.map((entry, at): EventInput => {
    const type = entry.type.replace('{name}', 'hostile').replace('{event}', 'hostile')
    const filler = new Filler(world, at)
    const data = filler.fill(entry.schema) as Record<string, unknown>
    for (const field of entry.hubFields) delete data[field]
    return { id: `${world.mark}-${type}`, type, ...(entry.family === 'agui' && { topics: [`run:${world.id}`] }), data }
  })
}

/** What an id may hold of it: no white space, wildcard, control character or half of a pair. */
function idOf(mark: string, text: string): string {
  if (text === '__proto__') return text
  // oxlint-disable-next-line no-control-regex
  return mark + text.replace(/[\s*\u0000-\u001f\u007f\ud800-\udfff]/g, '').slice(0, 100)
}

interface Schema {
  type?: string
  const?: unknown
  enum?: readonly unknown[]
  anyOf?: readonly Schema[]
  not?: unknown
  pattern?: string
  maxLength?: number
  minimum?: number
  maximum?: number
  items?: Schema
  properties?: Readonly<Record<string, Schema>>
  patternProperties?: Readonly<Record<string, Schema>>
}

class Filler {
  private texts = 0

  /** @param at which of the texts is as long as can be: of a text without end one in an event is enough */
  constructor(private readonly world: World, private readonly at: number) {}

  fill(schema: Schema): unknown {
    if ('const' in schema) return schema.const
    if (schema.enum) return schema.enum[this.at % schema.enum.length]
    if (schema.anyOf) return this.fill(schema.anyOf.find(({ type, not }) => type === 'string' && !not) ?? schema.anyOf[0]!)
    switch (schema.type) {
      case 'string':
        return this.string(schema)
      case 'number':
      case 'integer':
        return Math.min(schema.maximum ?? 42, Math.max(schema.minimum ?? 0, schema.maximum === 1 ? 0.5 : 42))
      case 'boolean':
        return true
      case 'array':
        return (schema.items?.anyOf ?? [schema.items ?? {}]).map((item) => this.fill(item))
      case 'object':
        return this.object(schema)
      default:
        return this.anything()
    }
  }

  private string({ pattern, maxLength }: Schema): string {
    if (pattern?.includes('T(')) return '2026-03-01T10:00:00Z'
    if (pattern?.includes('~[01]')) return '/hostile'
    if (pattern !== undefined) return this.world.id
    return this.text().slice(0, maxLength)
  }

  private object({ properties, patternProperties }: Schema): Record<string, unknown> {
    if (properties) return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, this.special(name) ?? this.fill(field)]))
    const [values] = Object.values(patternProperties ?? {})
    return values?.type === 'number' ? { [this.key()]: 42 } : (this.anything() as Record<string, unknown>)
  }

  /** What a rule would refuse otherwise: a task that waits for itself, a checkpoint that has expired. */
  private special(name: string): unknown {
    if (name === 'dependsOn') return [`${this.world.id}+`]
    return name === 'expiresAt' ? '2099-03-01T10:00:00Z' : undefined
  }

  private anything(): unknown {
    return { [this.key()]: this.text(), list: [this.text(), { [this.key()]: null }] }
  }

  private text(): string {
    const { text } = this.world
    return text.length > 5000 && ++this.texts !== 1 + (this.at % 3) ? text.slice(0, 300) : text
  }

  /** Of a prototype no key may be named: that is refused. */
  private key(): string {
    return this.world.text === '__proto__' ? 'proto' : this.world.text.slice(0, 300)
  }
}
