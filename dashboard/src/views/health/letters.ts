/** What a dead letter holds, as far as it can be read: it lies there because something in it was wrong. Pure. */
import type { DeadLetter } from '@hubbub/client'
import { shown } from '../../parts/Said'

export interface Field {
  name: string
  /** Parsed where it is JSON. */
  value: unknown
}

/** What it is about, in words: its event's type and id where they can be read. */
export function nameOf(letter: DeadLetter): string {
  const { type, id } = eventOf(letter)
  return `${type ?? 'An entry'}${id === undefined ? '' : ` ${id}`} (partition ${letter.partition}, letter ${letter.id})`
}

export function eventOf({ fields }: DeadLetter): { type?: string; id?: string } {
  const event = parsed(fields['event'])
  if (typeof event !== 'object' || event === null) return {}
  const { type, id } = event as { type?: unknown; id?: unknown }
  return { ...(typeof type === 'string' && { type: shown(type, 80) }), ...(typeof id === 'string' && { id: shown(id, 80) }) }
}

export function fieldsOf({ fields }: DeadLetter): Field[] {
  return Object.entries(fields).map(([name, text]) => ({ name, value: parsed(text) }))
}

/** Plain text that happens to be a number stays what it was. */
function parsed(text: string | undefined): unknown {
  if (text === undefined || !/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
