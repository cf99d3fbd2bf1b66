/** An event that was refused, among the dead letters. */
import { HubError, isFailureCode, offsetMillis, type Offset, type RefusedTrace } from '@hubbub/protocol'
import { sourceOf, type Identity } from '../access/identity.js'
import { isAdmin, isOperator } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import type { DeadLetter, DeadLetters } from '../store/port.js'

/** The newest that are looked through, so many at a time: each may be as large as an event, and the store does nothing else meanwhile. */
const MOST_LETTERS = 1000
const AT_ONCE = 20

/** Undefined: there is none of that id that the identity may know of: an admin those of his project, anybody else his own (I6). */
export async function findLetter(letters: DeadLetters, partition: number, identity: Identity, eventId: string, settings: Pick<Settings, 'rawStreams'>): Promise<RefusedTrace | undefined> {
  let before: Offset | undefined
  for (let looked = 0; looked < MOST_LETTERS; looked += AT_ONCE) {
    const page = await letters.list(partition, AT_ONCE, before)
    for (const letter of page) {
      const said = readLetter(letter, settings)
      const mine = said.project === identity.project || (said.project === undefined && isOperator(identity))
      if (!mine || (said.id !== eventId && `${letter.stream}:${letter.entry}` !== eventId)) continue
      if (isAdmin(identity) || said.source === sourceOf(identity)) return refusedBy(letter, said, eventId)
    }
    if (page.length < AT_ONCE) return undefined
    before = page.at(-1)!.id
  }
  return undefined
}

interface Said {
  id?: string
  /** As far as anybody vouches for these. */
  project?: string
  source?: string
  worker?: string
}

/** By our gateways' `identity`, or, on a stream open to raw writers, as the entry asked for. */
function readLetter({ stream, fields }: DeadLetter, { rawStreams }: Pick<Settings, 'rawStreams'>): Said {
  const event = parsed(fields['event'])
  const id = textIn(event, 'id')
  if (rawStreams.split(',').includes(stream)) return { id, project: textIn(event, 'project'), source: `/streams/${stream}` }
  const identity = parsed(fields['identity'])
  return { id, project: textIn(identity, 'project'), source: textIn(identity, 'source'), worker: fields['replyTo'] ?? fields['worker'] }
}

function refusedBy({ partition, id, stream, entry, code, message, at }: DeadLetter, { source, worker }: Said, eventId: string): RefusedTrace {
  return {
    status: 'refused',
    eventId,
    at: new Date(at).toISOString(),
    error: { code: isFailureCode(code) ? code : new HubError('INTERNAL_ERROR').code, message },
    partition,
    letter: id,
    received: { at: new Date(offsetMillis(entry)).toISOString(), stream, entry, ...(source !== undefined && { by: source }), ...(worker !== undefined && { worker }) },
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown
  } catch {
    return undefined
  }
}

function textIn(thing: unknown, name: string): string | undefined {
  const value = typeof thing === 'object' && thing !== null && Object.hasOwn(thing, name) ? (thing as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : undefined
}
